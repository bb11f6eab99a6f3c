/* What expressions see of a run, and that it stays true while the run goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/run.h"
#include "workflow_text.h"

static const char plain[] = "name: x\nsteps:\n"
			    "- { id: first, action: noop }\n"
			    "- { id: load-spec, action: noop }\n"
			    "- { id: last, action: noop }\n";

/* Evaluates and returns the value as text (the caller's), or the error. */
static char *
eval(const struct run_scope *scope, const char *expression)
{
	struct err err = { 0 };
	struct cel *cel = cel_compile(expression, strlen(expression), NULL, &err);
	struct json *value = NULL;
	char *text;

	if (cel == NULL)
		fail_msg("%s: %s", expression, err.text);
	if (cel_eval(cel, &scope->scope, &value, &err) < 0)
		text = strdup(err.text);
	else
		text = json_text(value);
	json_unref(&value);
	cel_free(&cel);
	return text;
}

static void
check(const struct run_scope *scope, const char *expression, const char *expected)
{
	char *text = eval(scope, expression);

	if (strcmp(text, expected) != 0)
		fail_msg("%s: expected %s, got %s", expression, expected, text);
	free(text);
}

static void
check_refused(const struct run_scope *scope, const char *expression, const char *part)
{
	char *text = eval(scope, expression);

	if (strstr(text, part) == NULL)
		fail_msg("%s: expected an error with \"%s\", got %s", expression, part,
			 text);
	free(text);
}

static void
test_every_variable(void **state)
{
	struct workflow *workflow = workflow_text(plain);
	struct run_scope scope;
	struct run run;

	(void)state;
	run_init(&run, workflow);
	run.input = json_of("{\"repo\":\"a\"}");
	run.trigger = json_of("{\"kind\":\"manual\"}");
	run.state = json_of("{\"n\":1}");
	run.facts = json_of("{\"id\":\"7\"}");
	run.environment = json_of("{\"HOME\":\"/root\"}");
	run.secrets = json_of("{\"key\":\"s3cret\"}");
	run_scope_init(&scope, &run);
	check(&scope, "input.repo", "\"a\"");
	check(&scope, "trigger.kind", "\"manual\"");
	check(&scope, "state.n", "1");
	check(&scope, "run.id", "\"7\"");
	check(&scope, "env.HOME", "\"/root\"");
	check(&scope, "secrets.key", "\"s3cret\"");
	check(&scope, "event", "null");
	check(&scope, "error", "null");
	check_refused(&scope, "item", "item");
	check_refused(&scope, "index", "index");
	check_refused(&scope, "whatever", "whatever");
	run_fini(&run);
	workflow_free(&workflow);
}

/* Nothing given at all: everything is null, and nothing falls over. */
static void
test_an_empty_run(void **state)
{
	struct workflow *workflow = workflow_text(plain);
	struct run_scope scope;
	struct run run;

	(void)state;
	run_init(&run, workflow);
	run_scope_init(&scope, &run);
	check(&scope, "input", "null");
	check(&scope, "state", "null");
	check(&scope, "secrets", "null");
	run_fini(&run);
	run_fini(&run); /* once more does no harm */
	workflow_free(&workflow);
}

static void
test_result_and_error_of_a_step(void **state)
{
	struct workflow *workflow = workflow_text(plain);
	struct run_scope scope;
	struct run run;

	(void)state;
	run_init(&run, workflow);
	run_scope_init(&scope, &run);
	check_refused(&scope, "result", "result");
	scope.has_result = true;
	check(&scope, "result", "null");
	scope.result = json_of("[1,2]");
	scope.error = json_of("{\"code\":\"timeout\"}");
	check(&scope, "size(result)", "2");
	check(&scope, "error.code", "\"timeout\"");
	json_unref(&scope.result);
	json_unref(&scope.error);
	run_fini(&run);
	workflow_free(&workflow);
}

static void
test_steps_that_have_not_run(void **state)
{
	struct workflow *workflow = workflow_text(plain);
	struct run_scope scope;
	struct run run;

	(void)state;
	run_init(&run, workflow);
	run_scope_init(&scope, &run);
	check(
	    &scope, "steps.first",
	    "{\"status\":\"pending\",\"output\":null,\"result\":null,\"error\":null}");
	check(&scope, "steps.load_spec.status", "\"pending\"");
	check(&scope, "steps[\"load-spec\"].output", "null");
	check(&scope, "size(steps)", "4"); /* three and the second name of one */
	assert_int_equal(run.visits[0].status, STEP_PENDING);
	run_fini(&run);
	workflow_free(&workflow);
}

static void
test_visits_before_and_after_the_first_look(void **state)
{
	struct workflow *workflow = workflow_text(plain);
	struct run_scope scope;
	struct run run;

	(void)state;
	run_init(&run, workflow);
	run_scope_init(&scope, &run);
	run_set_visit(&run, 0, 1, STEP_COMPLETED, json_of("{\"a\":1}"), NULL);
	assert_null(run.steps_value);
	check(&scope, "steps.first.output.a", "1");
	assert_non_null(run.steps_value);
	check(&scope, "steps.first.result.a", "1");
	check(&scope, "steps.first.status", "\"completed\"");
	run_set_visit(&run, 1, 2, STEP_RETRYING, NULL,
		      json_of("{\"code\":\"exit_status\"}"));
	check(&scope, "steps.load_spec.error.code", "\"exit_status\"");
	check(&scope, "steps['load-spec'].status", "\"retrying\"");
	run_set_visit(&run, 1, 2, STEP_COMPLETED, json_of("\"done\""), NULL);
	check(&scope, "steps.load_spec.output + steps['load-spec'].result",
	      "\"donedone\"");
	check(&scope, "steps.load_spec.error", "null");
	/* The newest visit counts. */
	run_set_visit(&run, 0, 3, STEP_COMPLETED, json_of("{\"a\":2}"), NULL);
	check(&scope, "steps.first.output.a", "2");
	assert_int_equal(run.visits[0].number, 3);
	run_fini(&run);
	workflow_free(&workflow);
}

/* The error that led to a step is that of the step that ended last. */
static void
test_error_of_the_step_before(void **state)
{
	struct workflow *workflow = workflow_text(plain);
	struct run_scope scope;
	struct run run;

	(void)state;
	run_init(&run, workflow);
	run_scope_init(&scope, &run);
	run_set_visit(&run, 0, 1, STEP_FAILED, NULL, json_of("{\"code\":\"one\"}"));
	check(&scope, "error.code", "\"one\"");
	run_set_visit(&run, 1, 2, STEP_FAILED, NULL, json_of("{\"code\":\"two\"}"));
	check(&scope, "error.code", "\"two\"");
	run_set_visit(&run, 2, 3, STEP_RUNNING, NULL, NULL);
	check(&scope, "error.code", "\"two\"");
	run_set_visit(&run, 2, 3, STEP_COMPLETED, NULL, NULL);
	check(&scope, "error", "null");
	/* A step's own lack of an error is not another one's error. */
	run_set_visit(&run, 0, 4, STEP_FAILED, NULL, json_of("{\"code\":\"three\"}"));
	scope.has_result = true;
	check(&scope, "error", "null");
	run_fini(&run);
	workflow_free(&workflow);
}

/* What was taken out of the run is the taker's: it must not change with the run. */
static void
test_steps_taken_whole(void **state)
{
	struct workflow *workflow =
	    workflow_text("name: x\nsteps:\n- { id: a, action: noop }\n"
			  "- { id: b, action: http, url: 'x', json: '{{steps}}' }\n");
	struct json *taken = NULL, *again = NULL;
	struct err err = { 0 };
	struct run_scope scope;
	struct run run;

	(void)state;
	assert_true(workflow->reads_steps_whole);
	run_init(&run, workflow);
	run_scope_init(&scope, &run);
	assert_int_equal(
	    template_resolve(workflow->steps[1].fields, &scope.scope, &taken, &err), 0);
	run_set_visit(&run, 0, 1, STEP_COMPLETED, json_of("1"), NULL);
	assert_int_equal(
	    template_resolve(workflow->steps[1].fields, &scope.scope, &again, &err), 0);
	assert_string_equal(
	    json_str(json_get(json_get(json_get(taken, "json"), "a"), "status")),
	    "pending");
	assert_string_equal(
	    json_str(json_get(json_get(json_get(again, "json"), "a"), "status")),
	    "completed");
	json_unref(&taken);
	json_unref(&again);
	run_fini(&run);
	workflow_free(&workflow);
}

static void
test_one_step_taken(void **state)
{
	struct workflow *workflow = workflow_text(
	    "name: x\nsteps:\n- { id: a-b, action: noop }\n"
	    "- { id: c, action: http, url: 'x', json: '{{steps.a_b}}' }\n");
	struct json *taken = NULL;
	struct err err = { 0 };
	struct run_scope scope;
	struct run run;

	(void)state;
	assert_false(workflow->reads_steps_whole);
	run_init(&run, workflow);
	run_scope_init(&scope, &run);
	assert_int_equal(
	    template_resolve(workflow->steps[1].fields, &scope.scope, &taken, &err), 0);
	run_set_visit(&run, 0, 1, STEP_COMPLETED, json_of("1"), NULL);
	assert_string_equal(json_str(json_get(json_get(taken, "json"), "status")),
			    "pending");
	json_unref(&taken);
	run_fini(&run);
	workflow_free(&workflow);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_variable),
		cmocka_unit_test(test_an_empty_run),
		cmocka_unit_test(test_result_and_error_of_a_step),
		cmocka_unit_test(test_steps_that_have_not_run),
		cmocka_unit_test(test_visits_before_and_after_the_first_look),
		cmocka_unit_test(test_error_of_the_step_before),
		cmocka_unit_test(test_steps_taken_whole),
		cmocka_unit_test(test_one_step_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
