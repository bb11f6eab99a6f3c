/* Lists of entity tags. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/etag_core.h"

static const struct {
	const char *list;
	bool listed; /* "\"ab\"" is */
} cases[] = {
	{ "", false },
	{ ",", false },
	{ "ab", false },
	{ "\"a\"", false },
	{ "\"abc\"", false },
	{ "\"b\", \"c\"", false },
	{ "W/\"a\"", false },
	{ "\"ab\"", true },
	{ "W/\"ab\"", true },
	{ "*", true },
	{ "\"a\",\"ab\"", true },
	{ " \t\"a\" ,, W/\"ab\" , \"c\"", true },
};

static void
lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(etag_is_listed(cases[i].list, "\"ab\""),
				 cases[i].listed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(lists) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
