/*
 * What happens next in a run. First the attempt is judged: is it over, and how. Then
 * the order (sequence_core.c) says where the step leads, and the run goes on or ends.
 */
#include "engine/advance_core.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "engine/sequence_core.h"
#include "engine/step_core.h"

struct json *
step_error(const char *code, const char *message)
{
	struct json *error = json_new_object();

	json_set(error, "code", json_new_str(code));
	json_set(error, "message", json_new_str(message));
	return error;
}

void
verdict_fini(struct verdict *verdict)
{
	json_unref(&verdict->error);
	json_unref(&verdict->run_output);
	json_unref(&verdict->run_error);
	free(verdict->next);
	*verdict = (struct verdict){ 0 };
}

/* What one decision is made from, and the verdict it becomes. */
struct advance {
	struct run *run;
	const struct held_step *held;
	const struct step_def *step;
	const struct outcome *outcome;
	struct verdict *verdict;
};

static enum step_status
step_after(enum step_event event)
{
	int status = step_on(STEP_RUNNING, event);

	if (status < 0)
		bug("a running step cannot meet \"%s\"", step_event_name(event));
	return (enum step_status)status;
}

static enum run_status
run_after(enum run_event event)
{
	int status = run_on(RUN_RUNNING, event);

	if (status < 0)
		bug("a running run cannot meet \"%s\"", run_event_name(event));
	return (enum run_status)status;
}

/* ---- the run goes on, or ends ---- */

static void
ready(struct verdict *verdict, int index, int number)
{
	verdict->next = xcalloc(1, sizeof *verdict->next);
	verdict->next[0] = (struct next_step){ index, number };
	verdict->next_count = 1;
}

/* Takes error; the run's error tells which step it comes from. */
static void
fail_run(struct advance *advance, struct json *error)
{
	json_set(error, "step", json_new_str(advance->step->id));
	advance->verdict->run_status = run_after(RUN_EV_FAILED);
	advance->verdict->run_error = error;
}

static void
complete_run(struct advance *advance)
{
	const struct workflow *workflow = advance->run->workflow;
	struct verdict *verdict = advance->verdict;
	struct run_scope scope;
	struct err err = { 0 };

	verdict->run_status = run_after(RUN_EV_COMPLETED);
	if (workflow->output == NULL) {
		verdict->run_output = json_ref(advance->outcome->output);
		return;
	}
	run_scope_init(&scope, advance->run);
	if (template_resolve(workflow->output, &scope.scope, &verdict->run_output,
			     &err) < 0) {
		err_in(&err, "output");
		fail_run(advance, step_error("expression", err.text));
	}
}

static void
go_to(struct advance *advance, int target)
{
	const struct workflow *workflow = advance->run->workflow;
	int number = advance->held->number + 1;
	char *message;

	if (target == TARGET_END) {
		complete_run(advance);
	} else if (number > workflow->max_steps) {
		message =
		    xprintf("step \"%s\" would be number %d of the run, and "
			    "maxSteps is %d",
			    workflow->steps[target].id, number, workflow->max_steps);
		fail_run(advance, step_error("max_steps", message));
		free(message);
	} else {
		ready(advance->verdict, target, number);
	}
}

/* ---- the step ended ---- */

/* Notes how it ended. Takes error. */
static void
end_step(struct advance *advance, enum step_event event, struct json *error)
{
	struct verdict *verdict = advance->verdict;

	verdict->status = step_after(event);
	verdict->error = error;
	run_set_visit(advance->run, advance->held->index, advance->held->number,
		      verdict->status, json_ref(advance->outcome->output),
		      json_ref(error));
}

/* The step fails because of a branch. One that had failed already keeps its own error,
 * which people look for: conditions on results often cannot be evaluated without one.
 */
static void
end_by_branch(struct advance *advance, size_t index, const struct err *why)
{
	struct json *own = advance->verdict->error, *error;
	char *message = xprintf("branches[%zu].condition: %s", index, why->text);

	if (own != NULL) {
		error = json_copy(own);
		json_set(error, "branch", json_new_str(message));
	} else {
		error = step_error("expression", message);
	}
	free(message);
	json_unref(&own);
	end_step(advance, STEP_EV_FAILED, error);
}

/* The target of the first branch that is true, else TARGET_NONE. */
static int
take_branch(struct advance *advance)
{
	const struct step_def *step = advance->step;
	struct run_scope scope;
	struct err err = { 0 };
	bool taken = false;

	run_scope_init(&scope, advance->run);
	scope.result = advance->outcome->output;
	scope.has_result = true;
	scope.error = advance->verdict->error;
	for (size_t i = 0; i < step->branches_count; i++) {
		if (cel_test(step->branches[i].condition, &scope.scope, &taken, &err) <
		    0) {
			end_by_branch(advance, i, &err);
			return TARGET_NONE;
		}
		if (taken)
			return step->branches[i].target;
	}
	return TARGET_NONE;
}

/* Where the step leads, whichever way it ended. */
static void
leave_step(struct advance *advance)
{
	const struct workflow *workflow = advance->run->workflow;
	int target = take_branch(advance);

	if (target == TARGET_NONE)
		target = advance->verdict->status == STEP_COMPLETED
			     ? sequence_after_success(workflow, advance->step)
			     : sequence_after_failure(workflow, advance->step);
	if (target == TARGET_NONE)
		fail_run(advance, json_copy(advance->verdict->error));
	else
		go_to(advance, target);
}

/* ---- the attempt ended ---- */

static struct json *
error_of(const struct outcome *outcome)
{
	if (json_type(outcome->error) == JSON_OBJECT)
		return json_ref(outcome->error);
	return step_error("failed", "the step failed");
}

static void
on_success(struct advance *advance, usec_t now, uint64_t random)
{
	(void)now;
	(void)random;
	end_step(advance, STEP_EV_SUCCEEDED, NULL);
	leave_step(advance);
}

static void
on_failure(struct advance *advance, usec_t now, uint64_t random)
{
	const struct held_step *held = advance->held;
	const struct retry *retry = &advance->step->retry;

	if (!advance->outcome->final &&
	    retry_again(retry, held->attempt, held->losses)) {
		advance->verdict->run_at =
		    now + retry_delay(retry, held->attempt - held->losses, random);
		end_step(advance, STEP_EV_AGAIN, error_of(advance->outcome));
		return;
	}
	end_step(advance, STEP_EV_FAILED, error_of(advance->outcome));
	leave_step(advance);
}

static void
on_wait(struct advance *advance, usec_t now, uint64_t random)
{
	(void)now;
	(void)random;
	end_step(advance, STEP_EV_WAITS, NULL);
	advance->verdict->run_at = advance->outcome->run_at;
	advance->verdict->only_waits = true;
}

typedef void judge_fn(struct advance *advance, usec_t now, uint64_t random);

static judge_fn *const judges[OUTCOME_KINDS] = {
	[OUTCOME_SUCCESS] = on_success,
	[OUTCOME_FAILURE] = on_failure,
	[OUTCOME_WAIT] = on_wait,
};

void
advance_start(const struct workflow *workflow, struct verdict *verdict)
{
	(void)workflow; /* sequence style: always the first step */
	*verdict =
	    (struct verdict){ .status = STEP_PENDING, .run_status = RUN_RUNNING };
	ready(verdict, 0, 1);
}

void
advance_on(struct run *run, const struct held_step *held, const struct outcome *outcome,
	   usec_t now, uint64_t random, struct verdict *verdict)
{
	struct advance advance = {
		.run = run,
		.held = held,
		.step = &run->workflow->steps[held->index],
		.outcome = outcome,
		.verdict = verdict,
	};

	*verdict = (struct verdict){ .run_status = RUN_RUNNING };
	judges[outcome->kind](&advance, now, random);
}
