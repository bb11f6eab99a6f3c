/* A program's messages against what is recorded: each is answered, and where it asks
 * for something else it is told once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cli/rehearsal_core.h"

static struct json *
parse(const char *text)
{
	struct json *json = NULL;
	struct err err = { 0 };

	if (text != NULL && json_parse(text, strlen(text), &json, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return json;
}

static struct rehearsal *
begin(const char *record)
{
	struct json *json = parse(record);
	struct err err = { 0 };
	struct rehearsal *rehearsal = rehearsal_new(json, NULL, "/project", &err);

	json_unref(&json);
	assert_non_null(rehearsal);
	return rehearsal;
}

/* Asks with id 1; the answer without what every one has. */
static void
check(struct rehearsal *rehearsal, const char *method, const char *params,
      const char *expected)
{
	struct json *message = json_new_object(), *answer = NULL;
	struct err err = { 0 };
	char *text;

	json_set(message, "id", json_new_int(1));
	json_set(message, "method", json_new_str(method));
	json_set(message, "params", parse(params));
	assert_int_equal(rehearsal_take(rehearsal, message, &answer, &err), 0);
	json_remove(answer, "jsonrpc");
	json_remove(answer, "id");
	text = json_text(answer);
	if (strstr(text, expected) == NULL)
		fail_msg("%s %s: %s, expected %s", method, params, text, expected);
	free(text);
	json_unref(&answer);
	json_unref(&message);
}

static void
check_end(struct rehearsal *rehearsal, enum rehearsal_end end, const char *part)
{
	char *report = json_text(rehearsal_report(rehearsal));

	assert_int_equal(rehearsal_end(rehearsal), end);
	if (strstr(report, part) == NULL)
		fail_msg("%s lacks %s", report, part);
	free(report);
	rehearsal_free(&rehearsal);
	assert_null(rehearsal);
}

static void
test_outputs_by_name(void **state)
{
	struct rehearsal *it = begin("{\"a\": [1], \"nothing\": null,"
				     " \"bad\": {\"$error\": {\"code\": \"c\"}}}");

	(void)state;
	check(it, "hello", "{\"workflow\": {\"name\": \"w\"}}",
	      "\"projectPath\":\"/project\",\"input\":{},\"attempt\":1,\"replayed\":0");
	check(it, "step.begin", "{\"name\": \"a\"}",
	      "{\"result\":{\"step\":1,\"done\":true,\"output\":[1]}}");
	check(it, "step.begin", "{\"name\": \"a\"}", "\"step\":2,\"done\":true");
	check(it, "step.begin", "{\"name\": \"nothing\"}", "\"output\":null");
	check(it, "step.begin", "{\"name\": \"bad\"}", "\"error\":{\"code\":\"c\"}");
	check(it, "step.begin", "{\"name\": \"new\"}",
	      "{\"result\":{\"step\":5,\"done\":false,\"attempt\":1}}");
	check(it, "step.end", "{\"step\": 5, \"output\": 1}", "{\"result\":{}}");
	check(it, "step.end", "{\"step\": 5, \"error\": {}}", "\"failed\":true");
	check(it, "call", "{\"action\": \"tool\", \"fields\": {\"tool\": \"bad\"}}",
	      "{\"error\":{\"code\":-32010");
	check(it, "done", "{\"output\": 7}", "{\"result\":{}}");
	check_end(it, REHEARSAL_DONE, "\"output\":7");
}

static void
test_what_only_an_engine_can_do(void **state)
{
	struct rehearsal *it = begin(NULL);

	(void)state;
	check(it, "wait", "{\"action\": \"approval\"}", "\"code\":\"not_recorded\"");
	check(it, "fail", "{\"error\": {\"code\": \"other\"}}", "{\"result\":{}}");
	check_end(it, REHEARSAL_DIVERGED, "\"was\":\"not recorded\"");
}

#define ROW(number, name, action, more)                                                \
	"{\"stepNumber\":" #number ",\"name\":\"" name "\",\"action\":\"" action       \
	"\"," more "}"
#define ENDED "\"status\":\"COMPLETED\",\"output\":1"

/* clang-format off */
static const char rows[] =
	"{\"status\":\"COMPLETED\",\"output\":{\"b\":1.0},\"steps\":["
	ROW(0, "program", "code", ENDED) ","
	ROW(1, "a", "code", ENDED) ","
	ROW(2, "below", "code", ENDED ",\"parentStepId\":\"x:1\"") ","
	ROW(3, "a", "code", ENDED) ","
	ROW(4, "open", "code", "\"status\":\"CANCELLED\"") ","
	ROW(5, "in", "tool", ENDED ",\"parentStepId\":\"x:4\"") ","
	ROW(6, "state.set", "tool", ENDED) "]}";
/* clang-format on */

static void
test_rows_of_a_run(void **state)
{
	struct rehearsal *it = begin(rows);

	(void)state;
	check(it, "step.begin", "{\"name\": \"a\"}", "\"done\":true");
	check(it, "step.begin", "{\"name\": \"a\"}", "\"done\":true");
	check(it, "call", "{\"action\": \"tool\", \"name\": \"in\", \"parent\": 4}",
	      "\"output\":1");
	check(it, "state.set", "{\"key\": \"k\", \"value\": 1}", "{\"result\":{}}");
	check(it, "comment", "{\"message\": \"m\"}", "{\"error\":{\"code\":-32011");
	check(it, "step.begin", "{\"name\": \"a\"}", "{\"error\":{\"code\":-32011");
	check(it, "done", "{\"output\": {\"b\": 1}}", "{\"result\":{}}");
	check_end(it, REHEARSAL_DIVERGED, "\"unasked\":[\"open\"]");
}

static void
test_how_runs_differ(void **state)
{
	struct rehearsal *it;

	(void)state;
	it =
	    begin("{\"status\":\"FAILED\",\"steps\":[" ROW(1, "a", "http", ENDED) "]}");
	check(it, "call", "{\"action\": \"tool\", \"name\": \"a\"}", "-32011");
	check_end(it, REHEARSAL_DIVERGED, "recorded is http");
	it = begin(
	    "{\"status\":\"COMPLETED\",\"steps\":[" ROW(1, "a", "code", ENDED) "]}");
	check(it, "done", "{\"output\": null}", "result");
	check_end(it, REHEARSAL_DIVERGED, "\"unasked\":[\"a\"]");
	it = begin("{\"status\":\"COMPLETED\",\"steps\":[],\"output\":1}");
	check(it, "done", "{\"output\": 2}", "result");
	check_end(it, REHEARSAL_DIVERGED, "another one");
	it = begin("{\"status\":\"RUNNING\",\"steps\":[" ROW(
	    1, "a", "code", "\"status\":\"RUNNING\"") "]}");
	check(it, "step.begin", "{\"name\": \"a\"}", "-32012");
	check_end(it, REHEARSAL_BEYOND, "the record ends before code \\\"a\\\"");
}

static void
test_state_and_what_is_kept(void **state)
{
	struct rehearsal *it = begin("{}");

	(void)state;
	check(it, "state.set", "{\"key\": \"k\", \"value\": null}", "{\"result\":{}}");
	check(it, "state.get", "{\"key\": \"k\"}", "\"found\":true,\"value\":null");
	check(it, "state.delete", "{\"key\": \"k\"}", "{\"result\":{}}");
	check(it, "state.has", "{\"key\": \"k\"}", "\"found\":false");
	check(it, "comment", "{\"message\": \"said\"}", "\"id\":\"test\"");
	check(it, "artifact", "{\"path\": \"p\"}", "\"id\":\"test\"");
	check(it, "log", "{\"level\": \"info\", \"message\": \"m\"}",
	      "{\"result\":{}}");
	check_end(it, REHEARSAL_GOES_ON, "\"comments\":[{\"message\":\"said\"}]");
}

static void
test_what_is_refused(void **state)
{
	static const char *const methods[] = { "state.set", "state.get", "state.delete",
					       "step.begin", "call" };
	struct rehearsal *it = begin("{}");
	struct json *wrong = parse("[1]"), *answer;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		check(it, methods[i], "{}", "-32602");
	check(it, "nothing", "{}", "-32601");
	assert_int_equal(rehearsal_take(it, wrong, &answer, &err), -1);
	assert_null(answer);
	assert_null(rehearsal_new(wrong, NULL, "/", &err));
	json_unref(&wrong);
	rehearsal_free(&it);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outputs_by_name),
		cmocka_unit_test(test_what_only_an_engine_can_do),
		cmocka_unit_test(test_rows_of_a_run),
		cmocka_unit_test(test_how_runs_differ),
		cmocka_unit_test(test_state_and_what_is_kept),
		cmocka_unit_test(test_what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
