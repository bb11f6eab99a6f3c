/* What clients send about a bot: every problem at once, each with its path; what is
 * read, and what stands over what is stored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "front/bot_fields_core.h"

static struct json *
parse(const char *text)
{
	struct json *json = NULL;
	struct err err = { 0 };

	assert_int_equal(json_parse(text, strlen(text), &json, &err), 0);
	return json;
}

/* Each problem as "path: message|" */
static void
refused(const char *text, const char *expected)
{
	struct json *json = parse(text);
	struct bot_fields fields;
	struct problems problems = { 0 };
	struct buf found = { 0 };

	assert_false(bot_fields_read(bot_fields, json, &fields, &problems));
	for (size_t i = 0; i < problems.count; i++)
		buf_printf(&found, "%s: %s|", problems.list[i].path,
			   problems.list[i].message);
	assert_string_equal(buf_text(&found), expected);
	buf_fini(&found);
	problems_fini(&problems);
	bot_fields_fini(&fields);
	json_unref(&json);
}

static void
test_refused(void **state)
{
	(void)state;
	refused("[]", ": expected an object, got array|");
	refused("{}", "slug: is missing|");
	refused("{\"slug\":\"-a\"}",
		"slug: expected small letters, digits and -, at most 64|");
	refused("{\"slug\":\"a\",\"tool\":[]}",
		"tool: is unknown; did you mean \"tools\"?|");
	refused("{\"slug\":\"a\",\"name\":\"\\u0001\",\"model\":\"x\"}",
		"name: control characters are not allowed|model: expected "
		"provider:model, such as anthropic:claude-sonnet-4-5|");
	refused("{\"slug\":\"a\",\"tools\":[\"git.*\",\"git.lgo\",\"x\"]}",
		"tools[1]: unknown tool \"git.lgo\"; did you mean \"git.log\"?|"
		"tools[2]: unknown tool \"x\"|");
	refused("{\"slug\":\"a\",\"tools\":[\"mcp.files.*\",\"mcp.files\",\"mcp.a."
		"b\\u0000\"]}",
		"tools[1]: \"mcp.files\" is no tool of an MCP server: expected "
		"mcp.SERVER.TOOL|tools[2]: unknown tool \"mcp.a.b\"|");
	refused("{\"slug\":\"a\",\"handlerSkill\":\"../x\",\"projectId\":\"x\"}",
		"handlerSkill: expected the name of a skill: letters, digits, \".\", _ "
		"and -|"
		"projectId: expected a UUID|");
}

static void
test_read(void **state)
{
	struct json *json = parse("{\"slug\":\"a-1\",\"systemPrompt\":\"Be kind.\","
				  "\"model\":\"p:m\",\"tools\":\"state.get\"}");
	struct bot_fields fields;
	struct problems problems = { 0 };

	(void)state;
	assert_true(bot_fields_read(bot_fields, json, &fields, &problems));
	assert_string_equal(fields.slug, "a-1");
	assert_null(fields.name);
	assert_string_equal(fields.system, "Be kind.");
	assert_string_equal(fields.model, "p:m");
	assert_int_equal(json_count(fields.tools), 1);
	assert_false(fields.has_project);
	bot_fields_fini(&fields);
	json_unref(&json);
}

static void
test_merged(void **state)
{
	struct json *stored =
	    parse("{\"slug\":\"a\",\"name\":\"n\",\"model\":\"p:m\"}");
	struct json *sent = parse("{\"model\":null,\"tools\":[]}");
	struct json *merged = bot_fields_merge(stored, sent);
	struct json *expected = parse("{\"name\":\"n\",\"model\":null,\"tools\":[]}");

	(void)state;
	assert_true(json_equal(merged, expected));
	json_unref(&expected);
	json_unref(&merged);
	json_unref(&sent);
	json_unref(&stored);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_merged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
