/* Objects of clients against a table of fields: every problem, with its path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "front/object_core.h"

static const struct field inner[] = {
	{ .name = "a", .type = FIELD_TEXT, .required = true },
	{ .name = "count", .type = FIELD_COUNT, .min = 1, .max = 9 },
	{ .name = NULL },
};
static const struct field outer[] = {
	{ .name = "text", .type = FIELD_TEXT, .required = true, .min = 2, .max = 4 },
	{ .name = "inner", .type = FIELD_OBJECT, .members = inner },
	{ .name = "any", .type = FIELD_ANY },
	{ .name = NULL },
};

/* Each problem as "path: message|" */
static void
found(const char *text, bool strict, const char *expected)
{
	struct json *json = NULL;
	struct err err = { 0 };
	struct problems problems = { 0 };
	struct buf list = { 0 };

	assert_int_equal(json_parse(text, strlen(text), &json, &err), 0);
	assert_int_equal(object_check(outer, json, "", strict, &problems),
			 *expected == '\0');
	for (size_t i = 0; i < problems.count; i++)
		buf_printf(&list, "%s: %s|", problems.list[i].path,
			   problems.list[i].message);
	assert_string_equal(buf_text(&list), expected);
	buf_fini(&list);
	problems_fini(&problems);
	json_unref(&json);
}

static void
test_good(void **state)
{
	(void)state;
	found("{\"text\":\"ab\"}", true, "");
	found("{\"text\":\"abcd\",\"inner\":null,\"any\":[1]}", true, "");
	found("{\"text\":\"ab\",\"inner\":{\"a\":\"\",\"count\":null},\"x\":1}", false,
	      "");
}

static void
test_wrong(void **state)
{
	(void)state;
	found("{}", true, "text: is missing|");
	found("null", true, ": expected an object, got null|");
	found("7", false, ": expected an object, got number|");
	found("{\"text\":null}", true, "text: expected a string, got null|");
	found("{\"text\":\"a\"}", true, "text: expected 2 to 4 bytes|");
	found("{\"text\":\"a\\u0000b\"}", true, "text: expected a text without NUL|");
	found("{\"text\":\"ab\",\"inner\":[]}", true,
	      "inner: expected an object, got array|");
	found("{\"text\":\"ab\",\"inner\":{\"count\":10,\"contu\":1},\"xyz\":1}", true,
	      "inner.a: is missing|inner.count: 10 is more than 9|"
	      "inner.contu: is unknown|xyz: is unknown|");
	found("{\"text\":\"ab\",\"inner\":{\"a\":\"\",\"cout\":1},\"xyz\":1}", true,
	      "inner.cout: is unknown; did you mean \"count\"?|xyz: is unknown|");
}

static void
test_long_names_are_cut(void **state)
{
	char text[1000], path[OBJECT_PATH_MAX];

	(void)state;
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	object_path(text, text, path);
	assert_in_range(strlen(path), 100, OBJECT_PATH_MAX - 1);
	object_path("", "name", path);
	assert_string_equal(path, "name");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_long_names_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
