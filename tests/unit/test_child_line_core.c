/* What children may say, and what they may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pool/child_line_core.h"

#define NO CHILD_SAYS /* refused */

static const struct {
	const char *text;
	bool front;
	enum child_says says;
	int used, slots, workers;
} lines[] = {
	{ "ready", false, CHILD_SAYS_READY, 0, 0, 0 },
	{ "ready", true, CHILD_SAYS_READY, 0, 0, 0 },
	{ "slots 0/64", false, CHILD_SAYS_SLOTS, 0, 64, 0 },
	{ "slots 64/64", false, CHILD_SAYS_SLOTS, 64, 64, 0 },
	{ "slots 1000000/1000000", false, CHILD_SAYS_SLOTS, 1000000, 1000000, 0 },
	{ "scale 0", true, CHILD_SAYS_SCALE, 0, 0, 0 },
	{ "scale 16", true, CHILD_SAYS_SCALE, 0, 0, 16 },
	{ "drain", true, CHILD_SAYS_DRAIN, 0, 0, 0 },

	{ "", false, NO, 0, 0, 0 },
	{ "Ready", false, NO, 0, 0, 0 },
	{ "ready ", false, NO, 0, 0, 0 },
	{ "readyx", false, NO, 0, 0, 0 },
	{ "ready\r", false, NO, 0, 0, 0 },
	{ "slots", false, NO, 0, 0, 0 },
	{ "slots ", false, NO, 0, 0, 0 },
	{ "slots 3", false, NO, 0, 0, 0 },
	{ "slots 3/", false, NO, 0, 0, 0 },
	{ "slots /3", false, NO, 0, 0, 0 },
	{ "slots 4/3", false, NO, 0, 0, 0 },
	{ "slots 3/4/5", false, NO, 0, 0, 0 },
	{ "slots 3/4 ", false, NO, 0, 0, 0 },
	{ "slots -1/4", false, NO, 0, 0, 0 },
	{ "slots +1/4", false, NO, 0, 0, 0 },
	{ "slots 01/4", false, NO, 0, 0, 0 },
	{ "slots 1/1000001", false, NO, 0, 0, 0 },
	{ "slots 99999999999999999999/1", false, NO, 0, 0, 0 },
	{ "slots 0/64", true, NO, 0, 0, 0 },
	{ "scale 4", false, NO, 0, 0, 0 },
	{ "scale", true, NO, 0, 0, 0 },
	{ "scale x", true, NO, 0, 0, 0 },
	{ "scale 4 5", true, NO, 0, 0, 0 },
	{ "drain", false, NO, 0, 0, 0 },
	{ "drain now", true, NO, 0, 0, 0 },
};

static void
test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct child_line line = { 0 };
		struct err err = { 0 };
		int result = child_line_parse(lines[i].text, strlen(lines[i].text),
					      lines[i].front, &line, &err);

		if (result != (lines[i].says == NO ? -1 : 0))
			fail_msg("\"%s\": %d", lines[i].text, result);
		if (result < 0) {
			assert_int_equal(err.kind, ERR_INPUT);
			continue;
		}
		assert_int_equal(line.says, lines[i].says);
		assert_int_equal(line.used, lines[i].used);
		assert_int_equal(line.slots, lines[i].slots);
		assert_int_equal(line.workers, lines[i].workers);
	}
}

static void
test_a_nul_is_no_end(void **state)
{
	struct child_line line;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(child_line_parse("ready\0x", 7, false, &line, &err), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_a_nul_is_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
