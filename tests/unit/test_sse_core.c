/* Server-sent events, cut anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "sse_core.h"

static void
on_event(void *context, const char *event, const char *data, size_t len)
{
	struct buf *said = context;

	assert_int_equal(strlen(data) <= len, 1);
	buf_printf(said, "[%s|", event);
	buf_add(said, data, len);
	buf_char(said, ']');
}

/* What is said when the text comes in pieces of this many bytes. */
static void
expect_in_pieces(const char *text, size_t len, size_t piece, const char *expected)
{
	struct sse sse = { 0 };
	struct buf said = { 0 };
	struct err err = { 0 };

	for (size_t at = 0; at < len; at += piece) {
		size_t part = len - at < piece ? len - at : piece;
		char *copy = xmemdup(text + at, part); /* its ends are watched */

		assert_int_equal(sse_feed(&sse, copy, part, on_event, &said, &err), 0);
		free(copy);
	}
	assert_string_equal(buf_text(&said), expected);
	buf_fini(&said);
	sse_fini(&sse);
}

struct row {
	const char *text, *said;
};

static const struct row rows[] = {
	{ "data: one\n\n", "[|one]" },
	{ "data:one\n\ndata: two\n\n", "[|one][|two]" },
	{ "data:  one\n\n", "[| one]" },
	{ "event: named\ndata: one\n\ndata: two\n\n", "[named|one][|two]" },
	{ "data: one\rdata: two\r\r", "[|one\ntwo]" },
	{ "data: one\r\ndata: two\r\n\r\n", "[|one\ntwo]" },
	{ "data: one\r\n\r\ndata: two\n\r\n", "[|one][|two]" },
	{ "data\n\n", "[|]" },
	{ "data:\ndata:\n\n", "[|\n]" },
	{ ": comment\ndata: one\n\n", "[|one]" },
	{ ":\n\n:\n\n", "" },
	{ "event: alone\n\ndata: one\n\n", "[|one]" },
	{ "id: 7\nretry: 10\nunknown: x\ndatax: y\ndata: one\n\n", "[|one]" },
	{ "data: one\n", "" },
	{ "data: one", "" },
	{ "\n\n\n\n", "" },
	{ "\xef\xbb\xbf"
	  "data: one\n\n",
	  "[|one]" },
	{ "\xef\xbb"
	  "data: one\n\n",
	  "" },
	{ "\xef\xbb\xbf\xef\xbb\xbf"
	  "data: one\n\ndata: two\n\n",
	  "[|two]" },
	{ "data: a: b\n\n", "[|a: b]" },
	{ "data: \xe2\x82\xac\n\n", "[|\xe2\x82\xac]" },
};

static void
test_events(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (size_t piece = 1; piece < 12; piece++)
			expect_in_pieces(rows[i].text, strlen(rows[i].text), piece,
					 rows[i].said);
}

static void
expect_id(const char *text, const char *id, long retry)
{
	struct sse sse = { 0 };
	struct buf said = { 0 };
	struct err err = { 0 };

	assert_int_equal(sse_feed(&sse, text, strlen(text), on_event, &said, &err), 0);
	assert_string_equal(buf_text(&sse.id), id);
	assert_int_equal(sse.retry_ms, retry);
	buf_fini(&said);
	sse_fini(&sse);
}

static void
test_ids_and_times_to_wait(void **state)
{
	char longest[SSE_ID_MAX + 20] = "id: ";

	(void)state;
	expect_id("id: 7\nretry: 10\ndata: one\n\n", "7", 10);
	expect_id("id: 7\n\nid: 8\nretry: 20\n\n", "8", 20);
	expect_id("id: 7\n\nid\n\n", "", 0);
	expect_id("id: a\tb\nretry: -1\n\n", "", 0); /* no header could hold it */
	expect_id("retry: 1x\nretry:\nretry: 5\n\n", "", 5);
	expect_id("retry: 99999999999999999999\n\n", "", SSE_RETRY_MAX);
	memset(longest + 4, 'x', SSE_ID_MAX + 1);
	strcpy(longest + 4 + SSE_ID_MAX + 1, "\n\n");
	expect_id(longest, "", 0);
}

static void
test_a_nul_is_data(void **state)
{
	struct sse sse = { 0 };
	struct buf said = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(sse_feed(&sse, "data: a\0b\n\n", 11, on_event, &said, &err),
			 0);
	assert_int_equal(said.len, 6);
	buf_fini(&said);
	sse_fini(&sse);
}

/* One line without an end, and one event of lines without an end. */
static void
test_what_is_too_long(void **state)
{
	static char block[65536];
	struct sse line = { 0 }, event = { 0 };
	struct buf said = { 0 };
	struct err err = { 0 };
	int result = 0;
	size_t fed = 0;

	(void)state;
	memset(block, 'x', sizeof block);
	for (; result == 0; fed += sizeof block)
		result = sse_feed(&line, block, sizeof block, on_event, &said, &err);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_true(fed <= SSE_EVENT_MAX + 2 * sizeof block);
	memcpy(block, "data: ", 6);
	block[sizeof block - 1] = '\n';
	for (result = 0, fed = 0; result == 0; fed += sizeof block)
		result = sse_feed(&event, block, sizeof block, on_event, &said, &err);
	assert_true(fed <= SSE_EVENT_MAX + 2 * sizeof block);
	assert_int_equal(said.len, 0);
	sse_fini(&line);
	sse_fini(&event);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_ids_and_times_to_wait),
		cmocka_unit_test(test_a_nul_is_data),
		cmocka_unit_test(test_what_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
