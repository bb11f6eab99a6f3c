/* The header traceparent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/trace_core.h"

#define TRACE  "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

static void
test_good_ones(void **state)
{
	static const char *const rows[] = {
		"00-" TRACE "-" PARENT "-01",
		"00-" TRACE "-" PARENT "-00",
		"01-" TRACE "-" PARENT "-01",
		"cc-" TRACE "-" PARENT "-01-what comes later",
	};
	char trace[TRACE_ID];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_true(trace_parse(rows[i], trace));
		assert_string_equal(trace, TRACE);
	}
}

static void
test_bad_ones(void **state)
{
	static const char *const rows[] = {
		"",
		"00",
		"00-",
		"00-" TRACE,
		"00-" TRACE "-" PARENT,
		"00-" TRACE "-" PARENT "-",
		"00-" TRACE "-" PARENT "-1",
		"00-" TRACE "-" PARENT "-001",
		"00-" TRACE "-" PARENT "-01-more",
		"00-" TRACE "-" PARENT "-01 ",
		"01-" TRACE "-" PARENT "-01more",
		"ff-" TRACE "-" PARENT "-01",
		"0-" TRACE "-" PARENT "-011",
		"0x-" TRACE "-" PARENT "-01",
		"00-" TRACE "_" PARENT "-01",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01",
		"00-00000000000000000000000000000000-" PARENT "-01",
		"00-" TRACE "-0000000000000000-01",
		"00-" TRACE "0-" PARENT "-01",
		"00-" TRACE "-" PARENT "0-1",
	};
	char trace[TRACE_ID];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (trace_parse(rows[i], trace))
			fail_msg("\"%s\" is taken", rows[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_ones),
		cmocka_unit_test(test_bad_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
