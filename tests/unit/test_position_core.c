/* Positions in PostgreSQL's log, as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/position_core.h"

static void
test_good_ones(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} rows[] = {
		{ "0/0", 0 },
		{ "0/1", 1 },
		{ "16/B374D848", 0x16b374d848 },
		{ "16/b374d848", 0x16b374d848 },
		{ "FFFFFFFF/FFFFFFFF", UINT64_MAX },
	};
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_true(position_parse(rows[i].text, &value));
		assert_true(value == rows[i].value);
	}
}

static void
test_bad_ones(void **state)
{
	static const char *const rows[] = {
		"",    "/",     "1",           "1/",
		"/1",  "1/2/3", "123456789/0", "0/123456789",
		"x/1", "1/ 2",  " 1/2",        "1/2 "
	};
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_false(position_parse(rows[i], &value));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_ones),
		cmocka_unit_test(test_bad_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
