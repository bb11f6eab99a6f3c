/* Range headers against files of 10 bytes and of none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "front/range_core.h"

static const struct {
	const char *text;
	uint64_t size;
	enum range_verdict verdict;
	uint64_t first, len;
} cases[] = {
	{ NULL, 10, RANGE_WHOLE, 0, 10 },
	{ "", 10, RANGE_WHOLE, 0, 10 },
	{ "bytes=0-0", 10, RANGE_PART, 0, 1 },
	{ "bytes=0-9", 10, RANGE_PART, 0, 10 },
	{ "bytes=3-5", 10, RANGE_PART, 3, 3 },
	{ "Bytes=3-", 10, RANGE_PART, 3, 7 },
	{ "bytes=9-", 10, RANGE_PART, 9, 1 },
	{ "bytes=9-9", 10, RANGE_PART, 9, 1 },
	{ "bytes=5-99", 10, RANGE_PART, 5, 5 },
	{ "bytes=5-99999999999999999999999", 10, RANGE_PART, 5, 5 },
	{ "bytes=-1", 10, RANGE_PART, 9, 1 },
	{ "bytes=-10", 10, RANGE_PART, 0, 10 },
	{ "bytes=-99999999999999999999999", 10, RANGE_PART, 0, 10 },
	{ "bytes=-0", 10, RANGE_NONE, 0, 10 },
	{ "bytes=10-", 10, RANGE_NONE, 0, 10 },
	{ "bytes=10-20", 10, RANGE_NONE, 0, 10 },
	{ "bytes=99999999999999999999999-", 10, RANGE_NONE, 0, 10 },
	{ "bytes=0-", 0, RANGE_NONE, 0, 0 },
	{ "bytes=-5", 0, RANGE_NONE, 0, 0 },
	{ "bytes=5-3", 10, RANGE_WHOLE, 0, 10 },
	{ "bytes=0-1,4-5", 10, RANGE_WHOLE, 0, 10 },
	{ "bytes=0-1, ", 10, RANGE_WHOLE, 0, 10 },
	{ "bytes=-", 10, RANGE_WHOLE, 0, 10 },
	{ "bytes=", 10, RANGE_WHOLE, 0, 10 },
	{ "bytes=a-b", 10, RANGE_WHOLE, 0, 10 },
	{ "bytes=1", 10, RANGE_WHOLE, 0, 10 },
	{ "bytes= 1-2", 10, RANGE_WHOLE, 0, 10 },
	{ "bytes=+1-2", 10, RANGE_WHOLE, 0, 10 },
	{ "bytes=--1", 10, RANGE_WHOLE, 0, 10 },
	{ "bytes=1-2x", 10, RANGE_WHOLE, 0, 10 },
	{ "bytes=-2x", 10, RANGE_WHOLE, 0, 10 },
	{ "items=0-1", 10, RANGE_WHOLE, 0, 10 },
	{ "bytes:0-1", 10, RANGE_WHOLE, 0, 10 },
};

static void
test_ranges(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct range range;
		enum range_verdict verdict =
		    range_read(cases[i].text, cases[i].size, &range);

		if (verdict != cases[i].verdict || range.first != cases[i].first ||
		    range.len != cases[i].len)
			fail_msg("%s: %d %d+%d", cases[i].text, (int)verdict,
				 (int)range.first, (int)range.len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_ranges) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
