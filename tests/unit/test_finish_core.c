/* From outcome to item: what is stored, what may start here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/yaml.h"
#include "finish_core.h"

static const char two_steps[] =
    "name: two\n"
    "steps:\n"
    "  - { id: a, action: noop, retry: { maxAttempts: 2 } }\n"
    "  - { id: b, action: noop, queue: gpu }\n";

static struct workflow *
read_two(void)
{
	struct problems problems = { 0 };
	struct doc *doc = yaml_parse(two_steps, strlen(two_steps), &problems);
	struct workflow *workflow = workflow_read(doc, &problems);

	assert_non_null(workflow);
	doc_free(&doc);
	problems_fini(&problems);
	return workflow;
}

static void
judge(struct finish_plan *plan, struct run *run, int index, int attempt,
      enum outcome_kind kind)
{
	struct held_step held = { .index = index,
				  .number = index + 1,
				  .attempt = attempt };
	struct outcome outcome = { .kind = kind, .run_at = 5 };

	finish_plan(plan, run, &held, &outcome, 1000, 0);
}

static void
test_the_next_step_is_named(void **state)
{
	struct workflow *workflow = read_two();
	struct finish_plan plan;
	struct run run;

	(void)state;
	run_init(&run, workflow);
	judge(&plan, &run, 0, 1, OUTCOME_SUCCESS);
	assert_int_equal(plan.item.status, STEP_COMPLETED);
	assert_int_equal(plan.item.run_status, RUN_RUNNING);
	assert_string_equal(plan.item.next.key, "b");
	assert_string_equal(plan.item.next.queue, "gpu");
	assert_int_equal(plan.item.next.number, 2);
	assert_false(plan.item.next.held);
	assert_ptr_equal(plan.next, &workflow->steps[1]);
	finish_plan_fini(&plan);
	run_fini(&run);
	workflow_free(&workflow);
}

static void
test_the_last_step_ends_the_run(void **state)
{
	struct workflow *workflow = read_two();
	struct finish_plan plan;
	struct run run;

	(void)state;
	run_init(&run, workflow);
	judge(&plan, &run, 1, 1, OUTCOME_SUCCESS);
	assert_int_equal(plan.item.run_status, RUN_COMPLETED);
	assert_null(plan.item.next.key);
	assert_null(plan.next);
	finish_plan_fini(&plan);
	run_fini(&run);
	workflow_free(&workflow);
}

static void
test_failures_retry_then_fail_the_run(void **state)
{
	struct workflow *workflow = read_two();
	struct finish_plan plan;
	struct run run;

	(void)state;
	run_init(&run, workflow);
	judge(&plan, &run, 0, 1, OUTCOME_FAILURE);
	assert_int_equal(plan.item.status, STEP_RETRYING);
	assert_true(plan.item.will_retry);
	assert_true(plan.item.run_at > 1000);
	assert_non_null(plan.item.error);
	assert_null(plan.item.next.key);
	finish_plan_fini(&plan);
	judge(&plan, &run, 0, 2, OUTCOME_FAILURE);
	assert_int_equal(plan.item.status, STEP_FAILED);
	assert_false(plan.item.will_retry);
	assert_int_equal(plan.item.run_status, RUN_FAILED);
	assert_non_null(plan.item.run_error);
	finish_plan_fini(&plan);
	run_fini(&run);
	workflow_free(&workflow);
}

static void
test_a_wait_stores_no_output(void **state)
{
	struct workflow *workflow = read_two();
	struct finish_plan plan;
	struct run run;

	(void)state;
	run_init(&run, workflow);
	judge(&plan, &run, 0, 1, OUTCOME_WAIT);
	assert_int_equal(plan.item.status, STEP_WAITING);
	assert_int_equal(plan.item.run_at, 5);
	assert_true(plan.item.only_waits);
	assert_null(plan.item.output);
	finish_plan_fini(&plan);
	run_fini(&run);
	workflow_free(&workflow);
}

/* Each level of `steps` may be named again: what one reference holds, ten times. */
static void
test_a_run_with_an_endless_output_fails(void **state)
{
	static const char text[] = "name: big\n"
				   "steps:\n"
				   "  - { id: a, action: noop }\n"
				   "output: { a: \"{{steps.a.output}}\", "
				   "b: \"{{steps.a.output}}\" }\n";
	struct problems problems = { 0 };
	struct doc *doc = yaml_parse(text, strlen(text), &problems);
	struct workflow *workflow = workflow_read(doc, &problems);
	struct held_step held = { .number = 1, .attempt = 1 };
	struct json *output = json_new_array();
	char *mebibyte = calloc(1024 * 1024 + 1, 1);
	struct outcome outcome = { .kind = OUTCOME_SUCCESS, .output = output };
	struct finish_plan plan;
	struct run run;

	(void)state;
	memset(mebibyte, 'x', 1024 * 1024);
	for (int i = 0; i < 40; i++)
		json_append(output, json_new_str(mebibyte));
	run_init(&run, workflow);
	finish_plan(&plan, &run, &held, &outcome, 1000, 0);
	assert_int_equal(plan.item.run_status, RUN_FAILED);
	assert_null(plan.item.run_output);
	assert_string_equal(json_str(json_get(plan.item.run_error, "code")),
			    "output_too_large");
	finish_plan_fini(&plan);
	run_fini(&run);
	json_unref(&output);
	free(mebibyte);
	workflow_free(&workflow);
	doc_free(&doc);
	problems_fini(&problems);
}

/* What the workflow's output, or what could not be evaluated, says of a secret. */
static void
test_nothing_stored_holds_a_secret(void **state)
{
	static const char text[] = "name: x\noutput: { k: 'a {{secrets.k}}' }\n"
				   "steps: [{ id: a, action: noop }]\n";
	struct problems problems = { 0 };
	struct doc *doc = yaml_parse(text, strlen(text), &problems);
	struct workflow *workflow = workflow_read(doc, &problems);
	struct mask *mask = mask_new();
	struct finish_plan plan;
	struct run run;
	char *output;

	(void)state;
	mask_add(mask, "hunter22", 8);
	assert_int_equal(workflow->secrets_count, 1);
	assert_string_equal(workflow->secrets[0], "k");
	assert_false(workflow->reads_all_secrets);
	run_init(&run, workflow);
	run.secrets = json_new_object();
	json_set(run.secrets, "k", json_new_str("hunter22"));
	judge(&plan, &run, 0, 1, OUTCOME_SUCCESS);
	finish_plan_mask(&plan, mask);
	assert_int_equal(plan.item.run_status, RUN_COMPLETED);
	output = json_text(plan.item.run_output);
	assert_string_equal(output, "{\"k\":\"a ***\"}");
	free(output);
	finish_plan_fini(&plan);
	run_fini(&run);
	workflow_free(&workflow);
	mask_free(&mask);
	doc_free(&doc);
	problems_fini(&problems);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_next_step_is_named),
		cmocka_unit_test(test_the_last_step_ends_the_run),
		cmocka_unit_test(test_failures_retry_then_fail_the_run),
		cmocka_unit_test(test_a_wait_stores_no_output),
		cmocka_unit_test(test_a_run_with_an_endless_output_fails),
		cmocka_unit_test(test_nothing_stored_holds_a_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
