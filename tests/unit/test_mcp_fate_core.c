/* What becomes of a call whose server went away: every case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "mcp/fate_core.h"
#include "mcp/lines_core.h"

static void
test_every_case(void **state)
{
	(void)state;
	for (int bits = 0; bits < 32; bits++) {
		const struct mcp_case it = {
			.sent = bits & 1,
			.idempotent = bits & 2,
			.final = bits & 4,
			.redone = (bits >> 3) & 3,
		};
		enum mcp_fate fate = mcp_fate(&it);

		/* what may have had an effect is never made again by itself */
		if (it.sent)
			assert_int_equal(fate,
					 it.idempotent ? MCP_MAY_RETRY : MCP_NO_RETRY);
		else if (it.final || it.redone >= MCP_REDONE_MAX)
			assert_int_equal(fate, MCP_UNREACHED);
		else
			assert_int_equal(fate, MCP_REDO);
		assert_non_null(mcp_fate_code(fate));
	}
	assert_string_equal(mcp_fate_code(MCP_NO_RETRY), "effect_unknown");
}

static void
test_a_failing_server_rests_longer_and_longer(void **state)
{
	(void)state;
	assert_int_equal(mcp_rest(0), 0);
	for (int n = 1; n < 20; n++)
		assert_true(mcp_rest(n) >= mcp_rest(n - 1));
	assert_int_equal(mcp_rest(1000), 30 * USEC_SECOND);
	assert_int_equal(mcp_rest(-1), 0);
}

/* ---- lines ---- */

static void
on_line(void *context, const char *line, size_t len)
{
	buf_add(context, line, len);
	buf_char(context, '|');
}

static void
test_lines_in_any_pieces(void **state)
{
	static const char text[] = "one\r\n\ntwo\n\r\nthree";

	(void)state;
	for (size_t piece = 1; piece < sizeof text; piece++) {
		struct mcp_lines lines = { 0 };
		struct buf said = { 0 };
		struct err err = { 0 };

		for (size_t at = 0; at < sizeof text - 1; at += piece) {
			size_t left = sizeof text - 1 - at;

			assert_int_equal(mcp_lines_feed(&lines, text + at,
							left < piece ? left : piece,
							on_line, &said, &err),
					 0);
		}
		assert_string_equal(buf_text(&said), "one|two|");
		buf_fini(&said);
		mcp_lines_fini(&lines);
	}
}

static void
test_a_line_has_an_end(void **state)
{
	struct mcp_lines lines = { 0 };
	struct buf said = { 0 };
	struct err err = { 0 };
	char *much = malloc(1024 * 1024);
	int result = 0;

	(void)state;
	memset(much, 'x', 1024 * 1024);
	for (int i = 0; i < 9 && result == 0; i++)
		result =
		    mcp_lines_feed(&lines, much, 1024 * 1024, on_line, &said, &err);
	assert_int_equal(result, -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_true(lines.held.len <= MCP_MESSAGE_MAX);
	free(much);
	buf_fini(&said);
	mcp_lines_fini(&lines);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_case),
		cmocka_unit_test(test_a_failing_server_rests_longer_and_longer),
		cmocka_unit_test(test_lines_in_any_pieces),
		cmocka_unit_test(test_a_line_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
