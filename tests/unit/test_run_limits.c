/*
 * How a graph comes to its end: what fails it and what does not, and the limit of
 * maxSteps where rows come back or items are among them. Whole runs are simulated, see
 * tests/sim.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/advance_core.h"
#include "engine/enter_core.h"
#include "workflow_text.h"

#define NOW ((usec_t)1000000000)

static const char *
code_of(const struct json *error)
{
	return json_str(json_get(error, "code"));
}

static void
decide(struct workflow *workflow, const struct held_step *held,
       const struct outcome *outcome, struct verdict *verdict)
{
	struct run run;

	run_init(&run, workflow);
	advance_on(&run, held, outcome, NOW, 0, verdict);
	run_fini(&run);
}

/* ---- maxSteps ---- */

static struct workflow *
repeating(bool graph)
{
	return workflow_text(graph
				 ? "name: x\nmaxSteps: 4\nsteps:\n"
				   "- { id: a, action: noop, repeatUntil: 'false' }\n"
				   "- { id: b, action: noop, needs: [a] }\n"
				 : "name: x\nmaxSteps: 4\nsteps:\n"
				   "- { id: a, action: noop, repeatUntil: 'false' }\n");
}

static void
test_too_many_steps_fail_a_graph(void **state)
{
	struct workflow *workflow = repeating(true);
	const struct held_step held = { .index = 0,
					.number = 4,
					.attempt = 1,
					.parent = END_NUMBER,
					.iteration = 2 };
	const struct outcome outcome = { .kind = OUTCOME_SUCCESS };
	struct verdict verdict;

	(void)state;
	decide(workflow, &held, &outcome, &verdict);
	assert_int_equal(verdict.closing, CLOSING_FAILED); /* or b waits for ever */
	assert_int_equal(verdict.joins, END_NUMBER);
	assert_string_equal(code_of(verdict.run_error), "max_steps");
	assert_null(verdict.join_error);
	assert_int_equal(verdict.spawn.count, 0);
	verdict_fini(&verdict);
	workflow_free(&workflow);
}

static void
test_too_many_steps_fail_a_sequence(void **state)
{
	struct workflow *workflow = repeating(false);
	const struct held_step held = { .index = 0, .number = 4, .attempt = 1 };
	const struct outcome outcome = { .kind = OUTCOME_SUCCESS };
	struct verdict verdict;

	(void)state;
	decide(workflow, &held, &outcome, &verdict);
	assert_int_equal(verdict.run_status, RUN_FAILED);
	assert_string_equal(code_of(verdict.run_error), "max_steps");
	verdict_fini(&verdict);
	workflow_free(&workflow);
}

/* A row that comes back from its block has an old number: what counts is how many rows
 * there are. */
static void
test_too_many_steps_after_a_block(void **state)
{
	struct workflow *workflow = workflow_text(
	    "name: x\nmaxSteps: 4\nsteps:\n"
	    "- { id: a, action: loop, maxIterations: 9, body: [b], onFailure: a }\n"
	    "- { id: b, action: noop }\n");
	struct held_step held = { .index = 0,
				  .number = 1,
				  .attempt = 1,
				  .phase = PHASE_CHILDREN,
				  .iteration = 3,
				  .visits = 4 };
	struct outcome outcome = { .kind = OUTCOME_FAILURE, .final = true };
	struct verdict verdict;

	(void)state;
	decide(workflow, &held, &outcome, &verdict);
	assert_int_equal(verdict.run_status, RUN_FAILED);
	assert_string_equal(code_of(verdict.run_error), "max_steps");
	verdict_fini(&verdict);
	held.visits = 3;
	decide(workflow, &held, &outcome, &verdict);
	assert_int_equal(verdict.run_status, RUN_RUNNING);
	assert_int_equal(verdict.spawn.count, 1);
	verdict_fini(&verdict);
	workflow_free(&workflow);
}

/* With items among the rows the number says only that there may be too many. */
static void
test_rows_are_counted_where_items_are_among_them(void **state)
{
	struct workflow *workflow =
	    workflow_text("name: x\nmaxSteps: 4\nsteps:\n"
			  "- { id: a, action: noop, foreach: '[1, 2]' }\n"
			  "- { id: b, action: noop, onSuccess: a }\n");
	struct workflow *plain = repeating(false);
	struct held_step held = { .index = 1, .number = 4, .attempt = 1 };
	struct outcome outcome = { .kind = OUTCOME_SUCCESS };
	struct verdict verdict;

	(void)state;
	assert_true(enter_wants_back(workflow, &workflow->steps[1], &held));
	assert_false(enter_wants_back(plain, &plain->steps[0], &held));
	held.is_item = true;
	assert_false(enter_wants_back(workflow, &workflow->steps[1], &held));
	held.is_item = false;
	held.visits = 4;
	decide(workflow, &held, &outcome, &verdict);
	assert_string_equal(code_of(verdict.run_error), "max_steps");
	verdict_fini(&verdict);
	held.visits = 2;
	decide(workflow, &held, &outcome, &verdict);
	assert_int_equal(verdict.run_status, RUN_RUNNING);
	verdict_fini(&verdict);
	held.number = 3;
	held.visits = 0;
	assert_false(enter_wants_back(workflow, &workflow->steps[1], &held));
	workflow_free(&workflow);
	workflow_free(&plain);
}

/* ---- closing ---- */

static struct workflow *
with_a_block(void)
{
	return workflow_text(
	    "name: x\nsteps:\n"
	    "- { id: a, action: conditional, condition: 'true', then: [b] }\n"
	    "- { id: b, action: noop }\n"
	    "- { id: c, action: noop, needs: [a] }\n");
}

static enum closing
closing_of(const char *code, enum phase phase)
{
	struct workflow *workflow = with_a_block();
	const struct held_step held = { .index = 0,
					.number = 1,
					.attempt = 1,
					.parent = END_NUMBER,
					.phase = phase };
	struct outcome outcome = { .kind = OUTCOME_FAILURE,
				   .final = true,
				   .error = step_error(code, "why") };
	struct verdict verdict;
	enum closing closing;

	decide(workflow, &held, &outcome, &verdict);
	assert_int_equal(verdict.status, STEP_FAILED);
	assert_int_equal(verdict.joins, END_NUMBER);
	closing = verdict.closing;
	assert_int_equal(closing == CLOSING_FAILED, verdict.run_error != NULL);
	verdict_fini(&verdict);
	json_unref(&outcome.error);
	workflow_free(&workflow);
	return closing;
}

/* Else a run that a step led to the end would fail of what that cut short. */
static void
test_what_was_cut_short_closes_nothing(void **state)
{
	(void)state;
	assert_int_equal(closing_of("cancelled", PHASE_CHILDREN), CLOSING_NONE);
	assert_int_equal(closing_of("failed", PHASE_CHILDREN), CLOSING_FAILED);
	assert_int_equal(closing_of("cancelled", PHASE_FRESH), CLOSING_FAILED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_too_many_steps_fail_a_graph),
		cmocka_unit_test(test_too_many_steps_fail_a_sequence),
		cmocka_unit_test(test_too_many_steps_after_a_block),
		cmocka_unit_test(test_rows_are_counted_where_items_are_among_them),
		cmocka_unit_test(test_what_was_cut_short_closes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
