/* What is told of a step that killed its workers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "poison_core.h"

static const struct {
	int deaths;
	const char *last_death, *error;
} cases[] = {
	{ 3,
	  "{\"signal\":\"SIGSEGV\",\"rusage\":{\"userMs\":1,\"systemMs\":2,"
	  "\"maxRssKb\":3}}",
	  "{\"code\":\"poison\",\"message\":\"the step killed its worker 3 times, last "
	  "by SIGSEGV\",\"signal\":\"SIGSEGV\",\"rusage\":{\"userMs\":1,\"systemMs\":2,"
	  "\"maxRssKb\":3},\"deaths\":3,\"logTail\":[]}" },
	{ 1, "{\"exitStatus\":2}",
	  "{\"code\":\"poison\",\"message\":\"the step killed its worker 1 time, last "
	  "with exit status 2\",\"exitStatus\":2,\"deaths\":1,\"logTail\":[]}" },
};

static void
test_the_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct json *last_death = NULL, *error;
		struct err err = { 0 };
		char *text;

		assert_int_equal(json_parse(cases[i].last_death,
					    strlen(cases[i].last_death), &last_death,
					    &err),
				 0);
		error = poison_error(cases[i].deaths, last_death, json_new_array());
		text = json_text(error);
		assert_string_equal(text, cases[i].error);
		free(text);
		json_unref(&error);
		json_unref(&last_death);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
