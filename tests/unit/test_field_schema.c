/* Every table of fields becomes a schema that is one, and that accepts and refuses what
 * the table does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "engine/action_fields.h"
#include "engine/field_schema.h"
#include "engine/tool_names.h"
#include "json/schema.h"

static const char *const colours[] = { "red", "green", NULL };
static const struct field inner[] = {
	{ .name = "depth", .type = FIELD_COUNT, .min = 1, .max = 3, .required = true },
	{ 0 },
};
static const struct field table[] = {
	{ .name = "text", .type = FIELD_TEXT, .required = true, .help = "a text" },
	{ .name = "texts", .type = FIELD_TEXTS },
	{ .name = "flag", .type = FIELD_FLAG },
	{ .name = "count", .type = FIELD_COUNT, .min = 0 },
	{ .name = "duration", .type = FIELD_DURATION },
	{ .name = "choice", .type = FIELD_CHOICE, .choices = colours },
	{ .name = "object", .type = FIELD_OBJECT, .members = inner },
	{ .name = "pairs", .type = FIELD_PAIRS },
	{ .name = "objects", .type = FIELD_OBJECTS },
	{ .name = "any", .type = FIELD_ANY },
	{ .name = "someday", .type = FIELD_TEXT, .later = true },
	{ 0 },
};

static struct json *
parsed(const char *text)
{
	struct json *json = NULL;
	struct err err = { 0 };

	assert_int_equal(json_parse(text, strlen(text), &json, &err), 0);
	return json;
}

static void
test_what_it_says(void **state)
{
	struct json *schema = field_schema(table);
	struct json *expected =
	    parsed("{\"type\":\"object\",\"properties\":{"
		   "\"text\":{\"type\":\"string\",\"description\":\"a text\"},"
		   "\"texts\":{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"array\","
		   "\"items\":{\"type\":\"string\"}}]},"
		   "\"flag\":{\"type\":\"boolean\"},"
		   "\"count\":{\"type\":\"integer\",\"minimum\":0},"
		   "\"duration\":{\"anyOf\":[{\"type\":\"integer\",\"minimum\":0},"
		   "{\"type\":\"string\"}]},"
		   "\"choice\":{\"type\":\"string\",\"enum\":[\"red\",\"green\"]},"
		   "\"object\":{\"type\":\"object\",\"properties\":{\"depth\":"
		   "{\"type\":\"integer\",\"minimum\":1,\"maximum\":3}},"
		   "\"required\":[\"depth\"],\"additionalProperties\":false},"
		   "\"pairs\":{\"type\":\"object\",\"additionalProperties\":"
		   "{\"type\":[\"string\",\"number\",\"boolean\"]}},"
		   "\"objects\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},"
		   "\"any\":{}},"
		   "\"required\":[\"text\"],\"additionalProperties\":false}");

	(void)state;
	assert_true(json_equal(schema, expected));
	json_unref(&schema);
	json_unref(&expected);
}

static void
check_is_schema(const struct field *fields)
{
	struct json *json = field_schema(fields);
	struct problems problems = { 0 };
	struct schema_options options = { 0 };
	struct schema *schema = schema_compile(json, &options, &problems);

	assert_non_null(schema);
	assert_int_equal(problems.count, 0);
	schema_free(&schema);
	problems_fini(&problems);
	json_unref(&json);
}

static void
test_all_tables_make_schemas(void **state)
{
	(void)state;
	check_is_schema(table);
	for (const struct tool_name *tool = tool_names; tool->name != NULL; tool++)
		check_is_schema(tool->args);
	for (int i = 0; i < ACTION_KINDS; i++)
		check_is_schema(action_fields[i].fields);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_it_says),
		cmocka_unit_test(test_all_tables_make_schemas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
