/* Secrets in values: strings, keys, numbers; what holds none is not copied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json/json.h"

static void
check(const struct mask *mask, const char *text, const char *expected)
{
	struct json *json = NULL, *masked;
	struct err err = { 0 };
	char *got;

	assert_int_equal(json_parse(text, strlen(text), &json, &err), 0);
	masked = json_masked(json, mask);
	got = json_text(masked);
	assert_string_equal(got, expected);
	if (strcmp(text, expected) == 0)
		assert_ptr_equal(masked, json);
	free(got);
	json_unref(&masked);
}

static void
test_values(void **state)
{
	static const char *const same[] = {
		"null", "true", "12", "[]", "{}", "\"\"", "{\"a\":[1,\"hunter2\"]}"
	};
	struct mask *mask = mask_new();

	(void)state;
	mask_add(mask, "hunter22", 8);
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		check(mask, same[i], same[i]);
	check(mask, "\"a hunter22\"", "\"a ***\"");
	check(mask, "[1,[\"hunter22\"],2]", "[1,[\"***\"],2]");
	check(mask, "{\"a\":1,\"x-hunter22\":{\"b\":\"hunter22\"},\"c\":[]}",
	      "{\"a\":1,\"x-***\":{\"b\":\"***\"},\"c\":[]}");
	check(mask, "\"\\u0068unter22\"", "\"***\"");
	mask_free(&mask);
	check(mask, "\"hunter22\"", "\"hunter22\"");
}

static void
test_numbers(void **state)
{
	struct mask *mask = mask_new();

	(void)state;
	mask_add(mask, "12345678", 8);
	check(mask, "[12345678,1234567]", "[\"***\",1234567]");
	check(mask, "{\"a\":-12345678.5}", "{\"a\":\"***\"}");
	mask_free(&mask);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
