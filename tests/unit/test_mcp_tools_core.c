/* Lists of tools, page by page, and arguments checked against their schemas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "mcp/tools_core.h"

static struct json *
parse(const char *text)
{
	struct json *json = NULL;
	struct err err = { 0 };

	assert_int_equal(json_parse(text, strlen(text), &json, &err), 0);
	return json;
}

static int
add(struct mcp_tools *tools, const char *text, const char *cursor)
{
	struct json *json = parse(text);
	struct err err = { 0 };
	const char *next = NULL;
	int result = mcp_tools_add(tools, json, &next, &err);

	if (result == 0 && cursor != NULL)
		assert_string_equal(next, cursor);
	json_unref(&json);
	return result;
}

static void
test_pages_are_one_list(void **state)
{
	struct mcp_tools tools = { 0 };

	(void)state;
	assert_int_equal(add(&tools,
			     "{\"tools\":[{\"name\":\"a\",\"description\":\"d\","
			     "\"inputSchema\":{\"type\":\"object\"}}],"
			     "\"nextCursor\":\"2\"}",
			     "2"),
			 0);
	assert_int_equal(
	    add(&tools,
		"{\"tools\":[{\"name\":\"b\",\"annotations\":{\"readOnlyHint\":true}},"
		"{\"name\":\"c\",\"annotations\":{\"idempotentHint\":true}},"
		"{\"name\":\"a\"},{\"name\":\"with space\"},{\"name\":3},{},null]}",
		NULL),
	    0);
	assert_int_equal(tools.count, 3);
	assert_string_equal(mcp_tools_find(&tools, "a")->help, "d");
	assert_false(mcp_tools_find(&tools, "a")->idempotent);
	assert_true(mcp_tools_find(&tools, "b")->idempotent);
	assert_true(mcp_tools_find(&tools, "c")->idempotent);
	assert_null(mcp_tools_find(&tools, "with space"));
	mcp_tools_fini(&tools);
}

static void
test_the_nearest_name(void **state)
{
	struct mcp_tools tools = { 0 };

	(void)state;
	add(&tools, "{\"tools\":[{\"name\":\"read_file\"},{\"name\":\"move\"}]}", NULL);
	assert_string_equal(mcp_tools_nearest(&tools, "read_fiel"), "read_file");
	assert_null(mcp_tools_nearest(&tools, "xyzzy"));
	mcp_tools_fini(&tools);
}

static void
test_lists_have_an_end(void **state)
{
	struct mcp_tools tools = { 0 };
	struct buf text = { 0 };

	(void)state;
	assert_int_equal(add(&tools, "{}", NULL), -1);
	assert_int_equal(add(&tools, "{\"tools\":{}}", NULL), -1);
	mcp_tools_fini(&tools);
	for (int i = 0; i < MCP_PAGES_MAX; i++)
		assert_int_equal(add(&tools, "{\"tools\":[]}", NULL), 0);
	assert_int_equal(add(&tools, "{\"tools\":[]}", NULL), -1);
	mcp_tools_fini(&tools);
	buf_str(&text, "{\"tools\":[");
	for (int i = 0; i <= MCP_TOOLS_MAX; i++)
		buf_printf(&text, "%s{}", i > 0 ? "," : "");
	buf_str(&text, "]}");
	assert_int_equal(add(&tools, buf_text(&text), NULL), -1);
	mcp_tools_fini(&tools);
	buf_fini(&text);
}

static void
test_what_is_said_of_them_has_an_end(void **state)
{
	struct mcp_tools tools = { 0 };
	struct buf text = { 0 };
	int result = 0;

	(void)state;
	for (int page = 0; page < 20 && result == 0; page++) {
		buf_clear(&text);
		buf_printf(&text,
			   "{\"tools\":[{\"name\":\"t%d\",\"inputSchema\":{"
			   "\"title\":\"%01000000d\"}}]}",
			   page, 7);
		result = add(&tools, buf_text(&text), NULL);
	}
	assert_int_equal(result, -1);
	assert_true(tools.count <= 9);
	mcp_tools_fini(&tools);
	buf_fini(&text);
}

static int
check(const char *schema, const char *arguments, struct err *err)
{
	struct json *json = parse(schema);
	struct mcp_tool tool = { .schema = json };
	struct json *args = arguments != NULL ? parse(arguments) : NULL;
	int result;

	*err = (struct err){ 0 };
	result = mcp_tool_check(&tool, args, err);
	json_unref(&args);
	json_unref(&json);
	return result;
}

static void
test_arguments_fit_their_schema(void **state)
{
	const char *schema = "{\"type\":\"object\",\"required\":[\"path\"],"
			     "\"properties\":{\"path\":{\"type\":\"string\"}}}";
	struct err err;

	(void)state;
	assert_int_equal(check(schema, "{\"path\":\"x\"}", &err), 0);
	assert_int_equal(check(schema, "{\"path\":3}", &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_non_null(strstr(err.text, "args.path"));
	assert_int_equal(check(schema, NULL, &err), -1);
	assert_int_equal(check("{\"type\":\"object\"}", NULL, &err), 0);
	/* what cannot be understood is the server's to check */
	assert_int_equal(check("{\"$ref\":\"https://example.com/x\"}", "{}", &err), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages_are_one_list),
		cmocka_unit_test(test_the_nearest_name),
		cmocka_unit_test(test_lists_have_an_end),
		cmocka_unit_test(test_what_is_said_of_them_has_an_end),
		cmocka_unit_test(test_arguments_fit_their_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
