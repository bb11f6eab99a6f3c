/* Messages of MCP: what is one, what is none, and what we send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "mcp/mcp_core.h"

static struct json *
parse(const char *text)
{
	struct json *json = NULL;
	struct err err = { 0 };

	assert_int_equal(json_parse(text, strlen(text), &json, &err), 0);
	return json;
}

static void
expect(const char *text, enum mcp_kind kind, int64_t id, const char *method)
{
	struct json *json = parse(text);
	struct mcp_message message;
	struct err err = { 0 };

	assert_int_equal(mcp_read(json, &message, &err), 0);
	assert_int_equal(message.kind, kind);
	assert_int_equal(message.id, id);
	if (method != NULL)
		assert_string_equal(message.method, method);
	json_unref(&json);
}

static void
refuse(const char *text, const char *why)
{
	struct json *json = parse(text);
	struct mcp_message message;
	struct err err = { 0 };

	assert_int_equal(mcp_read(json, &message, &err), -1);
	assert_string_equal(err.text, why);
	json_unref(&json);
}

static void
test_what_is_a_message(void **state)
{
	(void)state;
	expect("{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}", MCP_RESULT, 7, NULL);
	expect("{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-1}}", MCP_ERROR, 7,
	       NULL);
	expect("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{}}", MCP_ERROR, -1, NULL);
	expect("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"ping\"}", MCP_REQUEST,
	       -1, "ping");
	expect("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}", MCP_NOTIFICATION,
	       -1, "notifications/x");
}

static void
test_what_is_none(void **state)
{
	(void)state;
	refuse("{}", "no message of JSON-RPC 2.0");
	refuse("12", "no message of JSON-RPC 2.0");
	refuse("{\"jsonrpc\":\"1.0\",\"id\":1,\"result\":{}}",
	       "no message of JSON-RPC 2.0");
	refuse("{\"jsonrpc\":\"2.0\",\"id\":1}", "an answer without a result");
	refuse("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":3}",
	       "an answer without a result");
	refuse("{\"jsonrpc\":\"2.0\",\"id\":-1,\"result\":{}}",
	       "an answer to no request");
	refuse("{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}",
	       "a request whose id is no id");
}

static void
test_an_error_has_words(void **state)
{
	struct json *json =
	    parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,"
		  "\"message\":\"no\"}}");
	struct mcp_message message;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(mcp_read(json, &message, &err), 0);
	assert_int_equal(message.code, MCP_BAD_PARAMS);
	assert_string_equal(message.words, "no");
	json_unref(&json);
}

static void
expect_text(struct json *json, const char *expected)
{
	char *text = json_text(json);

	assert_string_equal(text, expected);
	free(text);
	json_unref(&json);
}

static void
test_what_we_send(void **state)
{
	struct json *args = parse("{\"a\":1}");
	struct json *asked =
	    parse("{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"ping\"}");
	struct mcp_message message;
	struct err err = { 0 };

	(void)state;
	expect_text(mcp_list_tools(3, "next"),
		    "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/list\","
		    "\"params\":{\"cursor\":\"next\"}}");
	expect_text(mcp_call_tool(4, "read", args, "key"),
		    "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"tools/call\","
		    "\"params\":{\"name\":\"read\",\"arguments\":{\"a\":1},"
		    "\"_meta\":{\"progressToken\":4,"
		    "\"stepmill/idempotencyKey\":\"key\"}}}");
	expect_text(mcp_call_tool(4, "read", NULL, NULL),
		    "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"tools/call\","
		    "\"params\":{\"name\":\"read\",\"arguments\":{},"
		    "\"_meta\":{\"progressToken\":4}}}");
	expect_text(mcp_cancelled(4, "stopped"),
		    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
		    "\"params\":{\"requestId\":4,\"reason\":\"stopped\"}}");
	assert_int_equal(mcp_read(asked, &message, &err), 0);
	expect_text(mcp_reply(&message, NULL),
		    "{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"result\":{}}");
	expect_text(mcp_refusal(&message, MCP_NO_METHOD, "no"),
		    "{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"error\":{\"code\":-32601,"
		    "\"message\":\"no\"}}");
	json_unref(&args);
	json_unref(&asked);
}

static void
test_a_greeting_names_a_version_that_we_speak(void **state)
{
	static const char *const good[] = { "2025-11-25", "2025-06-18", "2025-03-26",
					    "2024-11-05" };
	struct mcp_greeting greeting;
	struct err err = { 0 };
	struct json *json;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		json = json_new_object();
		json_set(json, "protocolVersion", json_new_str(good[i]));
		assert_int_equal(mcp_greeting(json, &greeting, &err), 0);
		assert_false(greeting.has_tools);
		json_unref(&json);
	}
	json =
	    parse("{\"protocolVersion\":\"2025-06-18\",\"serverInfo\":{\"name\":\"n\"},"
		  "\"capabilities\":{\"tools\":{\"listChanged\":true}}}");
	assert_int_equal(mcp_greeting(json, &greeting, &err), 0);
	assert_true(greeting.has_tools && greeting.tells_lists);
	assert_string_equal(greeting.name, "n");
	json_unref(&json);
	json = parse("{\"protocolVersion\":\"2099-01-01\"}");
	assert_int_equal(mcp_greeting(json, &greeting, &err), -1);
	assert_non_null(strstr(err.text, "version \"2099-01-01\""));
	json_unref(&json);
	json = parse("{}");
	assert_int_equal(mcp_greeting(json, &greeting, &err), -1);
	json_unref(&json);
}

static void
test_progress_and_logs_as_text(void **state)
{
	struct json *json = parse("{\"progressToken\":5,\"progress\":1.5,\"total\":10,"
				  "\"message\":\"half\"}");
	struct buf text = { 0 };

	(void)state;
	assert_int_equal(mcp_progress(json, &text), 5);
	assert_string_equal(buf_text(&text), "1.5/10 half");
	json_unref(&json);
	buf_clear(&text);
	json = parse("{\"progressToken\":\"x\",\"progress\":1}");
	assert_int_equal(mcp_progress(json, &text), -1);
	assert_int_equal(mcp_progress(NULL, &text), -1);
	json_unref(&json);
	buf_clear(&text);
	json = parse("{\"level\":\"warning\",\"logger\":\"db\",\"data\":{\"a\":1}}");
	assert_string_equal(mcp_log(json, &text), "warning");
	assert_string_equal(buf_text(&text), "db: {\"a\":1}");
	json_unref(&json);
	buf_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_a_message),
		cmocka_unit_test(test_what_is_none),
		cmocka_unit_test(test_an_error_has_words),
		cmocka_unit_test(test_what_we_send),
		cmocka_unit_test(test_a_greeting_names_a_version_that_we_speak),
		cmocka_unit_test(test_progress_and_logs_as_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
