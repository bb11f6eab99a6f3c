/* What a tool answered, as the output of a step; what a server is answered that asks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "mcp/result_core.h"

static struct json *
parse(const char *text)
{
	struct json *json = NULL;
	struct err err = { 0 };

	assert_int_equal(json_parse(text, strlen(text), &json, &err), 0);
	return json;
}

static void
expect_output(const char *result, const char *expected)
{
	struct json *json = parse(result), *output = mcp_output(json);
	char *text = json_text(output);

	assert_string_equal(text, expected);
	free(text);
	json_unref(&output);
	json_unref(&json);
}

static void
test_outputs(void **state)
{
	(void)state;
	expect_output("{\"structuredContent\":{\"a\":1},\"content\":[]}", "{\"a\":1}");
	expect_output("{\"content\":[{\"type\":\"text\",\"text\":\"hello\"}]}",
		      "\"hello\"");
	expect_output("{\"content\":[{\"type\":\"text\",\"text\":\" {\\\"a\\\":1}\"}]}",
		      "{\"a\":1}");
	expect_output("{\"content\":[{\"type\":\"text\",\"text\":\"[broken\"}]}",
		      "\"[broken\"");
	expect_output("{\"content\":[{\"type\":\"text\",\"text\":\"12\"}]}", "\"12\"");
	expect_output("{\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
		      "{\"type\":\"text\",\"text\":\"b\"}]}",
		      "[{\"type\":\"text\",\"text\":\"a\"},"
		      "{\"type\":\"text\",\"text\":\"b\"}]");
	expect_output("{\"content\":[{\"type\":\"image\",\"data\":\"aGk=\"}]}",
		      "[{\"type\":\"image\",\"data\":\"aGk=\"}]");
	expect_output("{\"content\":[]}", "[]");
	expect_output("{\"content\":\"odd\"}", "[]");
	expect_output("{}", "[]");
}

static void
expect_words(const char *result, const char *expected)
{
	struct json *json = parse(result);
	struct buf words = { 0 };

	assert_int_equal(mcp_failed(json, &words), expected != NULL);
	if (expected != NULL)
		assert_string_equal(buf_text(&words), expected);
	buf_fini(&words);
	json_unref(&json);
}

static void
test_failures_have_the_words_of_the_server(void **state)
{
	(void)state;
	expect_words("{\"content\":[]}", NULL);
	expect_words("{\"isError\":false}", NULL);
	expect_words("{\"isError\":true}", "the tool failed and does not say why");
	expect_words(
	    "{\"isError\":true,\"content\":[{\"type\":\"text\",\"text\":\"a\"},"
	    "{\"type\":\"image\"},{\"type\":\"text\",\"text\":\"b\"}]}",
	    "a\nb");
}

static void
test_words_have_an_end(void **state)
{
	struct buf text = { 0 }, words = { 0 };
	struct json *json;

	(void)state;
	buf_str(&text, "{\"isError\":true,\"content\":[");
	for (int i = 0; i < 100; i++)
		buf_printf(&text, "%s{\"type\":\"text\",\"text\":\"%0500d\"}",
			   i > 0 ? "," : "", i);
	buf_str(&text, "]}");
	json = parse(buf_text(&text));
	assert_true(mcp_failed(json, &words));
	assert_true(words.len < 2100);
	json_unref(&json);
	buf_fini(&text);
	buf_fini(&words);
}

static void
expect_elicited(const char *params, bool presets, const char *expected)
{
	struct json *json = parse(params), *result = mcp_elicited(json, presets);
	char *text = json_text(result);

	assert_string_equal(text, expected);
	free(text);
	json_unref(&result);
	json_unref(&json);
}

static void
test_questions_to_a_person(void **state)
{
	const char *form = "{\"requestedSchema\":{\"required\":[\"a\"],\"properties\":{"
			   "\"a\":{\"default\":3},\"b\":{\"type\":\"string\"},"
			   "\"c\":{\"default\":false}}}}";

	(void)state;
	expect_elicited(form, true,
			"{\"action\":\"accept\",\"content\":{\"a\":3,\"c\":false}}");
	expect_elicited(form, false, "{\"action\":\"decline\"}");
	expect_elicited("{\"requestedSchema\":{\"required\":[\"b\"],\"properties\":{"
			"\"b\":{}}}}",
			true, "{\"action\":\"decline\"}");
	expect_elicited("{}", true, "{\"action\":\"decline\"}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outputs),
		cmocka_unit_test(test_failures_have_the_words_of_the_server),
		cmocka_unit_test(test_words_have_an_end),
		cmocka_unit_test(test_questions_to_a_person),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
