/* The C library of workflow programs: JSON by pattern and path; what it says to an
 * engine that has answered already, and what it makes of the answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../sdk/c/run.h"

/* ---- JSON ---- */

static void
check_text(char *text, const char *expected)
{
	if (expected == NULL) {
		assert_null(text);
		return;
	}
	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

static void
test_json_by_pattern(void **state)
{
	(void)state;
	check_text(stepmill_json("{\"a\": %s, \"n\": %d}", "x\"\n\\/", -3),
		   "{\"a\": \"x\\\"\\n\\\\/\", \"n\": -3}");
	check_text(stepmill_json("[%s, %j, %j]", NULL, NULL, "{\"b\":1}"),
		   "[null, null, {\"b\":1}]");
	check_text(stepmill_json("[%b, %b, %l, %f]", 1, 0, 9007199254740993LL, 0.5),
		   "[true, false, 9007199254740993, 0.5]");
	check_text(stepmill_json("[%f, %f]", HUGE_VAL, NAN), "[null, null]");
	check_text(stepmill_json("100 %%"), "100 %");
	check_text(stepmill_json("%"), "%");
}

static void
test_json_by_path(void **state)
{
	const char *json = "{\"a\": {\"b\": [1, \"x\\ny\", {\"c\": null}]}, \"\": 2}";

	(void)state;
	check_text(stepmill_member(json, "a.b"), "[1,\"x\\ny\",{\"c\":null}]");
	check_text(stepmill_member(json, "a.b.0"), "1");
	check_text(stepmill_member(json, "a.b.1"), "\"x\\ny\"");
	check_text(stepmill_text(json, "a.b.1"), "x\ny");
	check_text(stepmill_text(json, "a.b.0"), "1");
	check_text(stepmill_text("\"plain\"", ""), "plain");
	check_text(stepmill_member(json, "a.b.2.c"), NULL);
	check_text(stepmill_member(json, "a.b.3"), NULL);
	check_text(stepmill_member(json, "a.b.x"), NULL);
	check_text(stepmill_member(json, "none.at.all"), NULL);
	check_text(stepmill_member("no json", "a"), NULL);
	check_text(stepmill_text(NULL, "a"), NULL);
}

/* ---- a run that has been answered ---- */

struct answered {
	struct stepmill run;
	int engine;
};

static void
begin(struct answered *it, const char *answers)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	*it = (struct answered){ .run = { .wire = { .fd = ends[0] } },
				 .engine = ends[1] };
	assert_int_equal(write(it->engine, answers, strlen(answers)),
			 (ssize_t)strlen(answers));
}

static void
check_said(struct answered *it, const char *expected)
{
	char said[4096];
	ssize_t len;

	shutdown(it->run.wire.fd, SHUT_WR);
	len = read(it->engine, said, sizeof said - 1);
	said[len > 0 ? len : 0] = '\0';
	assert_string_equal(said, expected);
	close(it->run.wire.fd);
	close(it->engine);
	smw_run_fini(&it->run);
}

#define ANSWER(id, rest) "{\"jsonrpc\":\"2.0\",\"id\":" #id "," rest "}\n"
#define ASKED(id, method, params)                                                      \
	"{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" params            \
	",\"id\":" #id "}\n"

static char *
answer(struct stepmill *run, void *data)
{
	(void)data;
	return stepmill_text(stepmill_input(run), "");
}

static void
test_from_hello_to_done(void **state)
{
	struct answered it;

	(void)state;
	begin(&it, ANSWER(1, "\"result\":{\"mode\":\"run\",\"input\":{\"a\": 1.50}}")
		       ANSWER(2, "\"result\":{}"));
	assert_int_equal(smw_run_perform(&it.run,
					 &(struct stepmill_workflow){
					     .name = "n", .more = "{\"queue\":\"q\"}" },
					 answer, NULL),
			 0);
	check_said(&it,
		   ASKED(1, "hello",
			 "{\"protocol\":1,\"sdk\":\"c 1.0\",\"workflow\":{\"queue\":"
			 "\"q\",\"name\":\"n\",\"timeout\":3600000}}")
		       ASKED(2, "done", "{\"output\":{\"a\":1.50}}"));
}

static char *
go_wrong(struct stepmill *run, void *data)
{
	(void)data;
	return stepmill_fail(run, "mine", "%d", 7);
}

static void
test_a_step_that_fails_for_good(void **state)
{
	struct answered it;

	(void)state;
	begin(&it, "{\"jsonrpc\":\"2.0\",\"method\":\"cancel\",\"params\":{}}\n" ANSWER(
		       1, "\"result\":{\"step\":4,\"done\":false,\"attempt\":1}")
		       ANSWER(2, "\"result\":{\"again\":{\"attempt\":2,\"delay\":1}}")
			   ANSWER(3, "\"result\":{\"failed\":true}"));
	assert_null(stepmill_run(&it.run, "s", go_wrong, NULL, NULL));
	assert_int_equal(stepmill_error(&it.run)->trouble, STEPMILL_FAILED);
	assert_string_equal(stepmill_error(&it.run)->code, "mine");
	assert_int_equal(stepmill_error(&it.run)->step, 4);
	assert_true(stepmill_cancelled(&it.run));
	check_said(&it, ASKED(1, "step.begin", "{\"name\":\"s\"}") ASKED(
			    2, "step.end",
			    "{\"step\":4,\"error\":{\"code\":\"mine\",\"message\":"
			    "\"7\"}}") ASKED(3, "step.end",
					     "{\"step\":4,\"error\":{\"code\":\"mine\","
					     "\"message\":\"7\"}}"));
}

static void
test_values_that_are_no_json_are_not_sent(void **state)
{
	struct answered it;
	struct stepmill *run = &it.run;

	(void)state;
	begin(&it, "");
	assert_int_equal(stepmill_set(run, "k", "{"), -1);
	assert_int_equal(stepmill_error(run)->trouble, STEPMILL_REFUSED);
	assert_non_null(strstr(stepmill_error(run)->message, "value: expected JSON"));
	assert_null(stepmill_tool(run, "t", "[]", NULL));
	assert_non_null(
	    strstr(stepmill_error(run)->message, "args: expected a JSON object"));
	assert_null(
	    stepmill_tool(run, "t", NULL, &(struct stepmill_options){ .retry = "1" }));
	assert_null(
	    stepmill_shell(run, "t", &(struct stepmill_options){ .more = "x" }));
	assert_null(stepmill_child(run, "t", "1", NULL));
	assert_int_equal(stepmill_comment(run, "t", "1"), -1);
	assert_int_equal(stepmill_artifact(run, "t", "1"), -1);
	check_said(&it, "");
}

static void
test_kept_values(void **state)
{
	struct answered it;

	(void)state;
	begin(&it,
	      ANSWER(1, "\"result\":{\"value\":null,\"found\":true}")
		  ANSWER(2, "\"result\":{\"value\":null,\"found\":false}")
		      ANSWER(3, "\"error\":{\"code\":-32602,\"message\":\"key\"}"));
	it.run.step = 9;
	check_text(stepmill_get(&it.run, "a"), "null");
	check_text(stepmill_get(&it.run, "b"), NULL);
	assert_int_equal(stepmill_error(&it.run)->trouble, STEPMILL_FINE);
	assert_int_equal(stepmill_has(&it.run, "c"), -1);
	assert_int_equal(stepmill_error(&it.run)->trouble, STEPMILL_REFUSED);
	check_said(&it, ASKED(1, "state.get", "{\"parent\":9,\"key\":\"a\"}")
			    ASKED(2, "state.get", "{\"parent\":9,\"key\":\"b\"}")
				ASKED(3, "state.has", "{\"parent\":9,\"key\":\"c\"}"));
}

/* ---- lines ---- */

static void
test_lines_come_in_pieces(void **state)
{
	struct wire wire = { 0 };
	struct json_object *value;
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	wire.fd = ends[0];
	assert_int_equal(smw_wire_read(&wire, false, &value), WIRE_NOTHING);
	assert_int_equal(write(ends[1], "{\"a\"", 4), 4);
	assert_int_equal(smw_wire_read(&wire, false, &value), WIRE_NOTHING);
	assert_int_equal(write(ends[1], ":1}\n{}\n[", 8), 8);
	assert_int_equal(smw_wire_read(&wire, true, &value), WIRE_GOT);
	json_object_put(value);
	assert_int_equal(smw_wire_read(&wire, true, &value), WIRE_GOT);
	json_object_put(value);
	assert_int_equal(smw_wire_read(&wire, false, &value), WIRE_NOTHING);
	assert_int_equal(write(ends[1], "x\n", 2), 2);
	assert_int_equal(smw_wire_read(&wire, true, &value), WIRE_END);
	close(ends[1]);
	assert_int_equal(smw_wire_read(&wire, true, &value), WIRE_END);
	close(ends[0]);
	smw_wire_fini(&wire);
}

static void
test_what_is_too_long_is_not_written(void **state)
{
	struct wire wire = { .fd = -1 };
	char *text = malloc(WIRE_LINE_MAX);
	struct json_object *value;

	(void)state;
	memset(text, 'x', WIRE_LINE_MAX);
	value = json_object_new_string_len(text, (int)WIRE_LINE_MAX);
	assert_int_equal(smw_wire_write(&wire, value), -1);
	assert_int_equal(errno, EMSGSIZE);
	json_object_put(value);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_by_pattern),
		cmocka_unit_test(test_json_by_path),
		cmocka_unit_test(test_from_hello_to_done),
		cmocka_unit_test(test_a_step_that_fails_for_good),
		cmocka_unit_test(test_values_that_are_no_json_are_not_sent),
		cmocka_unit_test(test_kept_values),
		cmocka_unit_test(test_lines_come_in_pieces),
		cmocka_unit_test(test_what_is_too_long_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
