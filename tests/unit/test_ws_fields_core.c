/* The table of messages, walked; and what is wrong with messages, field by field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "front/ws_priv.h"

/* What is wrong, as "path: message" in lines. */
static void
assert_errors(const char *type, const char *text, const char *expected)
{
	const struct ws_route *route = ws_route_find(ws_routes, type);
	struct json *message = NULL, *errors = json_new_array();
	struct err err = { 0 };
	struct buf got = { 0 };
	bool good;

	assert_non_null(route);
	assert_int_equal(ws_message_read(text, strlen(text), &message, &err), 0);
	good = ws_message_check(route, message, errors);
	for (size_t i = 0; i < json_count(errors); i++)
		buf_printf(&got, "%s: %s\n",
			   json_str(json_get(json_at(errors, i), "path")),
			   json_str(json_get(json_at(errors, i), "message")));
	assert_string_equal(buf_text(&got), expected);
	assert_int_equal(good, *expected == '\0');
	buf_fini(&got);
	json_unref(&errors);
	json_unref(&message);
}

static void
test_the_table(void **state)
{
	(void)state;
	for (const struct ws_route *route = ws_routes; route->type != NULL; route++) {
		assert_ptr_equal(ws_route_find(ws_routes, route->type), route);
		assert_non_null(route->on_message);
		assert_true(route->role < ROLES);
		for (const struct ws_field *field = route->fields; field->name != NULL;
		     field++) {
			assert_true(field->kind < WS_KINDS);
			assert_true(field->min <= field->max);
			assert_string_not_equal(field->name, "id");
			assert_string_not_equal(field->name, "type");
		}
	}
	assert_null(ws_route_find(ws_routes, "workflow"));
	assert_null(ws_route_find(ws_routes, ""));
}

static void
test_good_messages(void **state)
{
	(void)state;
	assert_errors("ping", "{\"type\":\"ping\"}", "");
	assert_errors("ping", "{\"type\":\"ping\",\"id\":\"a\",\"more\":[1]}", "");
	assert_errors("workflow.trigger",
		      "{\"id\":1,\"workflowId\":\"w\",\"input\":{\"a\":1},"
		      "\"projectId\":\"00000000-0000-7000-8000-000000000001\","
		      "\"idempotencyKey\":\"k\"}",
		      "");
	assert_errors(
	    "workflow.trigger",
	    "{\"id\":1,\"workflowId\":\"w\",\"input\":null,\"projectId\":null}", "");
	assert_errors("workflow:subscribe", "{\"executionId\":\"*\",\"since\":0}", "");
	assert_errors(
	    "workflow.execution.list",
	    "{\"id\":1,\"status\":\"FAILED\",\"limit\":1000,\"cursor\":\"12\"}", "");
}

static void
test_everything_wrong_is_told(void **state)
{
	(void)state;
	assert_errors("workflow.approval", "{\"comment\":1}",
		      "id: is missing\n"
		      "executionId: is missing\n"
		      "stepId: is missing\n"
		      "approved: is missing\n"
		      "comment: expected a text, got number\n");
	assert_errors("workflow.approval",
		      "{\"id\":true,\"executionId\":\"\",\"stepId\":{},"
		      "\"approved\":\"yes\"}",
		      "id: expected a text of 1 to 200 bytes or a whole number\n"
		      "executionId: expected 1 to 200 bytes\n"
		      "stepId: expected a text, got object\n"
		      "approved: expected true or false, got string\n");
}

static void
test_limits(void **state)
{
	(void)state;
	assert_errors("workflow.execution.list",
		      "{\"id\":1,\"status\":\"odd\",\"limit\":0,\"cursor\":\"-1\"}",
		      "status: expected a status of a run\n"
		      "limit: expected a whole number from 1 to 1000\n"
		      "cursor: expected the nextCursor of an answer\n");
	assert_errors("workflow.execution.list",
		      "{\"id\":1,\"limit\":1.5,\"cursor\":\"12345678901234567890\"}",
		      "limit: expected a whole number, got number\n"
		      "cursor: expected the nextCursor of an answer\n");
	assert_errors(
	    "workflow:subscribe",
	    "{\"executionId\":\"a\\u0000b\",\"since\":-1,\"projectId\":\"x\"}",
	    "executionId: expected a text without NUL\n"
	    "since: expected a whole number from 0 to 9223372036854775807\n"
	    "projectId: expected 36 to 36 bytes\n");
	assert_errors("workflow:subscribe",
		      "{\"executionId\":\"*\","
		      "\"projectId\":\"00000000-0000-7000-8000-00000000000g\"}",
		      "projectId: expected a UUID\n");
}

static void
test_ids_are_echoed_when_they_can_be(void **state)
{
	static const struct {
		const char *text;
		bool echoed;
	} cases[] = {
		{ "{\"id\":\"x\"}", true }, { "{\"id\":12}", true },
		{ "{\"id\":\"\"}", false }, { "{\"id\":1.5}", false },
		{ "{\"id\":null}", false }, { "{}", false },
		{ "{\"id\":[1]}", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct json *message = NULL;
		struct err err = { 0 };

		assert_int_equal(ws_message_read(cases[i].text, strlen(cases[i].text),
						 &message, &err),
				 0);
		assert_int_equal(ws_message_id(message) != NULL, cases[i].echoed);
		json_unref(&message);
	}
}

static void
test_what_is_no_message(void **state)
{
	static const char *const bad[] = {
		"", "null", "[]", "\"ping\"", "{", "{}x", "{\"a\":1,\"a\":2}"
	};
	struct json *message = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err err = { 0 };

		assert_int_equal(
		    ws_message_read(bad[i], strlen(bad[i]), &message, &err), -1);
		assert_null(message);
		assert_int_equal(err.kind, ERR_INPUT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_table),
		cmocka_unit_test(test_good_messages),
		cmocka_unit_test(test_everything_wrong_is_told),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_ids_are_echoed_when_they_can_be),
		cmocka_unit_test(test_what_is_no_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
