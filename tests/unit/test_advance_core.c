/*
 * What happens next: every combination of what a step can say about where it leads,
 * with every way an attempt can end, against the rules as docs/workflow-format.md has
 * them. Then the contents of verdicts, one by one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "engine/advance_core.h"
#include "workflow_text.h"

#define NOW    ((usec_t)1000000000)
#define RANDOM UINT64_C(0x123456789abcdef)

/* The steps of every generated file, in its order. */
enum { BY_BRANCH, BY_SUCCESS, BY_FAILURE, SUBJECT, AFTER };

enum said { SAID_NOTHING, SAID_STEP, SAID_END, SAIDS };
enum branch_kind {
	NO_BRANCH,
	BRANCH_FALSE,
	BRANCH_STEP,
	BRANCH_SECOND, /* the first is false, the second true */
	BRANCH_END,
	BRANCH_ERROR,
	BRANCH_KINDS
};

struct combination {
	enum branch_kind branch;
	enum said on_success, on_failure;
	bool continue_on_error, retry, last, full;
};

/* ---- the file ---- */

static void
add_branches(enum branch_kind kind, struct buf *text)
{
	static const char *const texts[BRANCH_KINDS] = {
		[NO_BRANCH] = "",
		[BRANCH_FALSE] = "  - { condition: 1 == 2, goto: by_branch }\n",
		[BRANCH_STEP] = "  - { condition: 1 == 1, goto: by_branch }\n"
				"  - { condition: input.missing.x, goto: end }\n",
		[BRANCH_SECOND] = "  - { condition: 1 == 2, goto: end }\n"
				  "  - { condition: 1 == 1, goto: by_branch }\n",
		[BRANCH_END] = "  - { condition: true, goto: end }\n",
		[BRANCH_ERROR] =
		    "  - { condition: input.missing.x, goto: by_branch }\n",
	};

	if (kind != NO_BRANCH)
		buf_printf(text, "  branches:\n%s", texts[kind]);
}

static void
add_target(const char *key, enum said said, const char *id, struct buf *text)
{
	if (said != SAID_NOTHING)
		buf_printf(text, "  %s: %s\n", key, said == SAID_END ? "end" : id);
}

static struct workflow *
make(const struct combination *c)
{
	struct buf text = { 0 };
	struct workflow *workflow;

	buf_printf(&text,
		   "name: x\nmaxSteps: %d\nsteps:\n"
		   "- { id: by_branch, action: noop }\n"
		   "- { id: by_success, action: noop }\n"
		   "- { id: by_failure, action: noop }\n"
		   "- id: subject\n  action: noop\n",
		   c->full ? 7 : 1000);
	add_branches(c->branch, &text);
	add_target("onSuccess", c->on_success, "by_success", &text);
	add_target("onFailure", c->on_failure, "by_failure", &text);
	if (c->continue_on_error)
		buf_str(&text, "  continueOnError: true\n");
	if (c->retry)
		buf_str(&text, "  retry: { maxAttempts: 2, backoff: fixed, delay: 7s, "
			       "jitter: false }\n");
	if (!c->last)
		buf_str(&text, "- { id: after, action: noop }\n");
	workflow = workflow_text(buf_text(&text));
	buf_fini(&text);
	return workflow;
}

/* ---- what the rules say ---- */

struct expected {
	enum step_status status;
	enum run_status run_status;
	int next;         /* or TARGET_NONE */
	const char *code; /* of the step's error, or NULL */
	const char *run_code;
};

static int
said_target(enum said said, int step)
{
	return said == SAID_END ? TARGET_END : step;
}

static int
next_in_file(const struct combination *c)
{
	return c->last ? TARGET_END : AFTER;
}

/* How the attempt leaves the step: completed, failed, or to be tried again. */
static enum step_status
status_of(const struct combination *c, enum outcome_kind kind, bool final, int attempt,
	  int losses)
{
	if (kind == OUTCOME_WAIT)
		return STEP_WAITING;
	if (kind == OUTCOME_SUCCESS)
		return STEP_COMPLETED;
	if (c->retry && !final && attempt - losses < 2)
		return STEP_RETRYING;
	return STEP_FAILED;
}

static int
target_of(const struct combination *c, enum step_status status)
{
	if (c->branch == BRANCH_STEP || c->branch == BRANCH_SECOND)
		return BY_BRANCH;
	if (c->branch == BRANCH_END)
		return TARGET_END;
	if (status == STEP_FAILED) {
		if (c->on_failure != SAID_NOTHING)
			return said_target(c->on_failure, BY_FAILURE);
		if (!c->continue_on_error)
			return TARGET_NONE;
	}
	if (c->on_success != SAID_NOTHING)
		return said_target(c->on_success, BY_SUCCESS);
	return next_in_file(c);
}

static struct expected
expect(const struct combination *c, enum outcome_kind kind, bool final, int attempt,
       int losses)
{
	struct expected e = { .run_status = RUN_RUNNING, .next = TARGET_NONE };
	int target;

	e.status = status_of(c, kind, final, attempt, losses);
	if (kind == OUTCOME_FAILURE)
		e.code = "broken";
	if (e.status == STEP_RETRYING || e.status == STEP_WAITING)
		return e;
	if (c->branch == BRANCH_ERROR) {
		/* what failed before keeps its own error */
		if (e.status == STEP_COMPLETED)
			e.code = "expression";
		e.status = STEP_FAILED;
	}
	target = target_of(c, e.status);
	if (target == TARGET_NONE) {
		e.run_status = RUN_FAILED;
		e.run_code = e.code;
	} else if (target == TARGET_END) {
		e.run_status = RUN_COMPLETED;
	} else if (c->full) {
		e.run_status = RUN_FAILED;
		e.run_code = "max_steps";
	} else {
		e.next = target;
	}
	return e;
}

/* ---- the comparison ---- */

static const char *
code_of(const struct json *error)
{
	return json_str(json_get(error, "code"));
}

static void
check_code(const struct json *error, const char *code)
{
	if (code == NULL) {
		assert_null(error);
		return;
	}
	assert_non_null(code_of(error));
	assert_string_equal(code_of(error), code);
	assert_int_equal(json_type(json_get(error, "message")), JSON_STRING);
}

static void
check_verdict(const struct verdict *verdict, const struct expected *e)
{
	assert_int_equal(verdict->status, e->status);
	assert_int_equal(verdict->run_status, e->run_status);
	check_code(verdict->error, e->code);
	check_code(verdict->run_error, e->run_code);
	assert_int_equal(verdict->only_waits, e->status == STEP_WAITING);
	if (e->next == TARGET_NONE) {
		assert_int_equal(verdict->next_count, 0);
	} else {
		assert_int_equal(verdict->next_count, 1);
		assert_int_equal(verdict->next[0].index, e->next);
		assert_int_equal(verdict->next[0].number, 8);
	}
	if (e->run_status != RUN_COMPLETED)
		assert_null(verdict->run_output);
	if (e->status == STEP_RETRYING)
		assert_int_equal(verdict->run_at, NOW + 7 * USEC_SECOND);
	else if (e->status == STEP_WAITING)
		assert_int_equal(verdict->run_at, NOW + 5);
	else
		assert_int_equal(verdict->run_at, 0);
}

static void
try_outcome(const struct combination *c, const struct workflow *workflow,
	    enum outcome_kind kind, bool final, int attempt, int losses)
{
	const struct held_step held = {
		.index = SUBJECT, .number = 7, .attempt = attempt, .losses = losses
	};
	struct outcome outcome = { .kind = kind, .final = final, .run_at = NOW + 5 };
	struct expected e = expect(c, kind, final, attempt, losses);
	struct verdict verdict;
	struct run run;

	if (kind == OUTCOME_SUCCESS)
		outcome.output = json_of("{\"a\":1}");
	if (kind == OUTCOME_FAILURE)
		outcome.error = step_error("broken", "it broke");
	run_init(&run, workflow);
	run.input = json_new_object();
	advance_on(&run, &held, &outcome, NOW, RANDOM, &verdict);
	check_verdict(&verdict, &e);
	assert_int_equal(run.visits[SUBJECT].status, e.status);
	assert_int_equal(run.visits[SUBJECT].number, 7);
	assert_true(json_equal(run.visits[SUBJECT].error, verdict.error));
	if (e.run_status == RUN_FAILED)
		assert_string_equal(json_str(json_get(verdict.run_error, "step")),
				    "subject");
	if (e.run_status == RUN_COMPLETED)
		assert_true(json_equal(verdict.run_output, outcome.output));
	verdict_fini(&verdict);
	json_unref(&outcome.output);
	json_unref(&outcome.error);
	run_fini(&run);
}

static int
try_outcomes(const struct combination *c)
{
	static const struct {
		int attempt, losses;
	} attempts[] = { { 1, 0 }, { 2, 0 }, { 2, 1 }, { 9, 8 }, { 9, 0 } };
	struct workflow *workflow = make(c);
	int count = 0;

	for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++)
		for (int kind = 0; kind <= OUTCOME_WAIT; kind++)
			for (int final = 0; final < 2; final++, count++)
				try_outcome(c, workflow, (enum outcome_kind)kind,
					    final != 0, attempts[i].attempt,
					    attempts[i].losses);
	workflow_free(&workflow);
	return count;
}

static void
test_every_combination(void **state)
{
	const int all = BRANCH_KINDS * SAIDS * SAIDS * 16;
	int count = 0;

	(void)state;
	for (int i = 0; i < all; i++) {
		const struct combination c = {
			.branch = (enum branch_kind)(i % BRANCH_KINDS),
			.on_success = (enum said)(i / BRANCH_KINDS % SAIDS),
			.on_failure = (enum said)(i / BRANCH_KINDS / SAIDS % SAIDS),
			.continue_on_error = i / (BRANCH_KINDS * SAIDS * SAIDS) & 1,
			.retry = i / (BRANCH_KINDS * SAIDS * SAIDS) & 2,
			.last = i / (BRANCH_KINDS * SAIDS * SAIDS) & 4,
			.full = i / (BRANCH_KINDS * SAIDS * SAIDS) & 8,
		};

		count += try_outcomes(&c);
	}
	assert_int_equal(count, all * 30);
}

/* ---- one by one ---- */

static struct json *
advance(struct run *run, int index, int number, struct outcome *outcome,
	struct verdict *verdict)
{
	const struct held_step held = { .index = index,
					.number = number,
					.attempt = 1 };

	advance_on(run, &held, outcome, NOW, RANDOM, verdict);
	json_unref(&outcome->output);
	json_unref(&outcome->error);
	return verdict->run_output;
}

static void
test_the_start(void **state)
{
	struct workflow *workflow =
	    workflow_text("name: x\nsteps: [{id: a, action: noop}, "
			  "{id: b, action: noop}]\n");
	struct first_step *first;
	size_t count;

	(void)state;
	first = advance_start(workflow, &count);
	assert_int_equal(count, 1);
	assert_int_equal(first->index, 0);
	assert_int_equal(first->number, 1);
	assert_int_equal(first->needs, 0);
	assert_int_equal(first->parent, 0);
	free(first);
	workflow_free(&workflow);
}

static void
test_a_loop_ends_at_max_steps(void **state)
{
	struct workflow *workflow =
	    workflow_text("name: x\nmaxSteps: 25\nsteps:\n"
			  "- { id: a, action: noop }\n"
			  "- { id: b, action: noop, onSuccess: a }\n");
	struct outcome outcome = { .kind = OUTCOME_SUCCESS };
	struct next_step at = { 0, 1 };
	struct verdict verdict;
	struct run run;
	int steps = 0;

	(void)state;
	run_init(&run, workflow);
	for (;;) {
		advance(&run, at.index, at.number, &outcome, &verdict);
		steps++;
		if (verdict.run_status != RUN_RUNNING)
			break;
		at = verdict.next[0];
		verdict_fini(&verdict);
	}
	assert_int_equal(steps, 25);
	assert_int_equal(verdict.status, STEP_COMPLETED);
	assert_int_equal(verdict.run_status, RUN_FAILED);
	assert_string_equal(code_of(verdict.run_error), "max_steps");
	assert_string_equal(json_str(json_get(verdict.run_error, "message")),
			    "step \"b\" would be number 26 of the run, and maxSteps "
			    "is 25");
	assert_string_equal(json_str(json_get(verdict.run_error, "step")), "a");
	verdict_fini(&verdict);
	run_fini(&run);
	workflow_free(&workflow);
}

static void
test_branches_see_the_step(void **state)
{
	struct workflow *workflow = workflow_text(
	    "name: x\nsteps:\n- id: a\n  action: noop\n  branches:\n"
	    "  - condition: steps.a.status == 'completed' && result.n == 3 && "
	    "steps.a.output.n == 3 && error == null\n    goto: end\n"
	    "  - condition: steps.a.status == 'failed' && error.code == 'broken' && "
	    "steps.a.error.message == error.message && result == null\n    goto: c\n"
	    "- { id: b, action: noop }\n- { id: c, action: noop }\n");
	struct outcome good = { .kind = OUTCOME_SUCCESS,
				.output = json_of("{\"n\":3}") };
	struct outcome bad = { .kind = OUTCOME_FAILURE,
			       .error = step_error("broken", "it broke") };
	struct verdict verdict;
	struct run run;

	(void)state;
	run_init(&run, workflow);
	advance(&run, 0, 1, &good, &verdict);
	assert_int_equal(verdict.run_status, RUN_COMPLETED);
	verdict_fini(&verdict);
	advance(&run, 0, 2, &bad, &verdict);
	assert_int_equal(verdict.next_count, 1);
	assert_int_equal(verdict.next[0].index, 2);
	assert_int_equal(verdict.status, STEP_FAILED);
	verdict_fini(&verdict);
	run_fini(&run);
	workflow_free(&workflow);
}

static void
test_an_error_in_a_branch(void **state)
{
	struct workflow *workflow = workflow_text(
	    "name: x\nsteps:\n- id: a\n  action: noop\n  retry: {}\n  branches:\n"
	    "  - { condition: 1 == 2, goto: end }\n"
	    "  - { condition: result.foo, goto: end }\n");
	struct outcome bad = { .kind = OUTCOME_FAILURE,
			       .final = true,
			       .error = step_error("broken", "it broke") };
	struct outcome good = { .kind = OUTCOME_SUCCESS,
				.output = json_of("{\"foo\":1}") };
	struct json *original;
	struct verdict verdict;
	struct run run;

	(void)state;
	run_init(&run, workflow);
	/* not a bool: and though the step has attempts left, no other is made */
	advance(&run, 0, 1, &good, &verdict);
	assert_int_equal(verdict.status, STEP_FAILED);
	assert_int_equal(verdict.run_status, RUN_FAILED);
	check_code(verdict.error, "expression");
	assert_false(json_has(verdict.error, "branch"));
	assert_ptr_equal(strstr(json_str(json_get(verdict.error, "message")),
				"branches[1].condition: "),
			 json_str(json_get(verdict.error, "message")));
	/* the step's own error does not name it, the run's does */
	assert_false(json_has(verdict.error, "step"));
	assert_string_equal(json_str(json_get(verdict.run_error, "step")), "a");
	assert_int_equal(json_int(json_get(run.visits[0].output, "foo")), 1);
	assert_int_equal(run.visits[0].status, STEP_FAILED);
	verdict_fini(&verdict);
	/* what the step failed of before is kept, and the outcome's error left alone */
	original = json_ref(bad.error);
	advance(&run, 0, 2, &bad, &verdict);
	assert_false(json_has(original, "branch"));
	json_unref(&original);
	check_code(verdict.error, "broken");
	assert_non_null(strstr(json_str(json_get(verdict.error, "branch")),
			       "branches[1].condition: "));
	assert_true(json_equal(verdict.error, run.visits[0].error));
	verdict_fini(&verdict);
	run_fini(&run);
	workflow_free(&workflow);
}

static void
test_output_of_the_run(void **state)
{
	struct workflow *workflow = workflow_text(
	    "name: x\noutput: { a: '{{steps.a.output.n}}', b: '{{steps.b.output.m}}' "
	    "}\n"
	    "steps:\n- { id: a, action: noop }\n- { id: b, action: noop }\n");
	struct outcome one = { .kind = OUTCOME_SUCCESS,
			       .output = json_of("{\"n\":1}") };
	struct outcome two = { .kind = OUTCOME_SUCCESS,
			       .output = json_of("{\"m\":[2]}") };
	struct outcome none = { .kind = OUTCOME_SUCCESS, .output = json_of("{}") };
	struct json *output, *expected = json_of("{\"a\":1,\"b\":[2]}");
	struct verdict verdict;
	struct run run;

	(void)state;
	run_init(&run, workflow);
	assert_null(advance(&run, 0, 1, &one, &verdict));
	verdict_fini(&verdict);
	output = advance(&run, 1, 2, &two, &verdict);
	assert_int_equal(verdict.run_status, RUN_COMPLETED);
	assert_true(json_equal(output, expected));
	verdict_fini(&verdict);
	/* an output that cannot be made fails the run, not the step */
	assert_null(advance(&run, 1, 3, &none, &verdict));
	assert_int_equal(verdict.status, STEP_COMPLETED);
	assert_int_equal(verdict.run_status, RUN_FAILED);
	check_code(verdict.run_error, "expression");
	assert_ptr_equal(
	    strstr(json_str(json_get(verdict.run_error, "message")), "output: "),
	    json_str(json_get(verdict.run_error, "message")));
	verdict_fini(&verdict);
	json_unref(&expected);
	run_fini(&run);
	workflow_free(&workflow);
}

static void
test_a_failure_keeps_its_output_and_details(void **state)
{
	struct workflow *workflow =
	    workflow_text("name: x\nsteps:\n- id: a\n  action: noop\n  branches:\n"
			  "  - { condition: result.stdout == 'half', goto: end }\n");
	struct outcome bad = {
		.kind = OUTCOME_FAILURE,
		.output = json_of("{\"stdout\":\"half\"}"),
		.error = json_of(
		    "{\"code\":\"exit_status\",\"message\":\"m\",\"exitCode\":2}"),
	};
	struct verdict verdict;
	struct run run;

	(void)state;
	run_init(&run, workflow);
	advance(&run, 0, 1, &bad, &verdict);
	assert_int_equal(verdict.run_status, RUN_COMPLETED);
	assert_int_equal(verdict.status, STEP_FAILED);
	assert_int_equal(json_int(json_get(verdict.error, "exitCode")), 2);
	assert_string_equal(json_str(json_get(run.visits[0].output, "stdout")), "half");
	verdict_fini(&verdict);
	run_fini(&run);
	workflow_free(&workflow);
}

/* A failure without a proper error still has one. */
static void
test_a_failure_without_an_error(void **state)
{
	struct workflow *workflow =
	    workflow_text("name: x\nsteps: [{id: a, action: noop}]\n");
	struct outcome bad = { .kind = OUTCOME_FAILURE };
	struct verdict verdict;
	struct run run;

	(void)state;
	run_init(&run, workflow);
	advance(&run, 0, 1, &bad, &verdict);
	check_code(verdict.error, "failed");
	check_code(verdict.run_error, "failed");
	verdict_fini(&verdict);
	bad.error = json_of("\"just text\"");
	advance(&run, 0, 2, &bad, &verdict);
	check_code(verdict.error, "failed");
	verdict_fini(&verdict);
	run_fini(&run);
	workflow_free(&workflow);
}

static void
test_delays_grow_and_jitter(void **state)
{
	struct workflow *workflow =
	    workflow_text("name: x\nsteps: [{id: a, action: noop, "
			  "retry: {maxAttempts: 10, delay: 1s, maxDelay: 1h}}]\n");
	struct verdict verdict;
	struct run run;

	(void)state;
	run_init(&run, workflow);
	for (int failures = 1; failures < 9; failures++) {
		const struct held_step held = { .number = 1,
						.attempt = failures + 3,
						.losses = 3 };
		const struct outcome bad = { .kind = OUTCOME_FAILURE };
		usec_t most = (USEC_SECOND << (failures - 1));

		advance_on(&run, &held, &bad, NOW, RANDOM, &verdict);
		assert_int_equal(verdict.status, STEP_RETRYING);
		assert_in_range(verdict.run_at - NOW, most / 2, most);
		verdict_fini(&verdict);
	}
	run_fini(&run);
	workflow_free(&workflow);
}

static void
test_the_form_of_errors(void **state)
{
	struct json *error = step_error("timeout", "took longer than 5m");
	char *text = json_text(error);

	(void)state;
	assert_string_equal(
	    text, "{\"code\":\"timeout\",\"message\":\"took longer than 5m\"}");
	free(text);
	json_unref(&error);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_combination),
		cmocka_unit_test(test_the_start),
		cmocka_unit_test(test_a_loop_ends_at_max_steps),
		cmocka_unit_test(test_branches_see_the_step),
		cmocka_unit_test(test_an_error_in_a_branch),
		cmocka_unit_test(test_output_of_the_run),
		cmocka_unit_test(test_a_failure_keeps_its_output_and_details),
		cmocka_unit_test(test_a_failure_without_an_error),
		cmocka_unit_test(test_delays_grow_and_jitter),
		cmocka_unit_test(test_the_form_of_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
