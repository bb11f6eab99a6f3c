/* The bulk of a value is never less than a sixth of its text, and stops at the limit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bulk_core.h"

static void
test_it_is_never_too_little(void **state)
{
	static const char *const texts[] = {
		"null",
		"true",
		"-9223372036854775808",
		"-1.2345678901234567e-300",
		"\"\"",
		"\"\\u0001\\u0002\\u0003\"",
		"[]",
		"[0,1,2,[[[]]],{}]",
		"{\"\":0,\"a\":{\"b\":[\"c\"]}}",
		"{\"\\u0001\\u0001\\u0001\\u0001\":[-1.2345678901234567e-300]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct json *json = NULL;
		struct err err = { 0 };
		char *text;

		assert_int_equal(json_parse(texts[i], strlen(texts[i]), &json, &err),
				 0);
		text = json_text(json);
		assert_true(bulk_of(json, 1000) * BULK_ESCAPED_MAX >= strlen(text));
		free(text);
		json_unref(&json);
	}
}

/* Each level names the one below ten times: written, it were 10^12 bytes and more. */
static void
test_it_stops_at_the_limit(void **state)
{
	struct json *json = json_new_str("x"), *below;

	(void)state;
	for (int level = 0; level < 12; level++) {
		below = json;
		json = json_new_array();
		for (int i = 0; i < 10; i++)
			json_append(json, json_ref(below));
		json_unref(&below);
	}
	assert_true(bulk_of(json, 100000) > 100000);
	assert_true(bulk_of(json, 100000) < 200000);
	json_unref(&json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_never_too_little),
		cmocka_unit_test(test_it_stops_at_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
