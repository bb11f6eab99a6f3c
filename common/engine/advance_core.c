/*
 * What happens next in a run. First the attempt is judged: is it over, and how. Then
 * the order says where the step leads: sequence_core.c from step to step, graph_core.c
 * to all that waited for it. And the run goes on or ends.
 */
#include "engine/advance_core.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "engine/action_fields.h"
#include "engine/advance_priv.h"
#include "engine/graph_core.h"
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
	json_unref(&verdict->join_error);
	json_unref(&verdict->spawn.items);
	free(verdict->next);
	free(verdict->met);
	*verdict = (struct verdict){ 0 };
}

void
held_scope(struct run_scope *scope, struct run *run, const struct held_step *held)
{
	run_scope_init(scope, run);
	scope->item = held->item;
	if (held->has_index)
		scope->index = held->item_index;
	else if (held->index >= 0 &&
		 run->workflow->steps[held->index].repeat_until != NULL)
		scope->index = held->iteration;
}

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

/* Takes error; the run's error tells which step it comes from. */
static struct json *
error_of_run(const struct advance *advance, struct json *error)
{
	if (!json_has(error, "step") && advance->step->id[0] != '\0')
		json_set(error, "step", json_new_str(advance->step->id));
	return error;
}

static void
fail_run(struct advance *advance, struct json *error)
{
	advance->verdict->run_status = run_after(RUN_EV_FAILED);
	advance->verdict->run_error = error_of_run(advance, error);
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

/* A row of a step that follows this one, in its block or beside it. */
static void
spawn_one(struct advance *advance, int index, int iteration)
{
	const struct held_step *held = advance->held;

	advance->verdict->spawn = (struct fan_out){
		.index = index,
		.count = 1,
		.parallel = 1,
		.parent = held->parent,
		.has_index = held->has_index,
		.item_index = held->item_index,
		.iteration = iteration,
	};
}

/* How many visits there were, as far as it is known; else 0. The number tells it of the
 * newest row only: one that comes back from its block has an old one. */
static int
visits(const struct advance *advance)
{
	const struct held_step *held = advance->held;

	if (held->visits > 0 || !advance->run->workflow->no_foreach)
		return held->visits;
	return held->number;
}

/* What cannot go on fails what it is part of: its block, its graph, or the run. Takes
 * error. */
static void
fail_whole(struct advance *advance, struct json *error)
{
	struct verdict *verdict = advance->verdict;

	verdict->joins = advance->held->parent;
	if (verdict->joins == 0) {
		fail_run(advance, error);
	} else if (verdict->joins == END_NUMBER) {
		verdict->closing = CLOSING_FAILED;
		verdict->run_error = error_of_run(advance, error);
	} else {
		verdict->join_error = error_of_run(advance, error);
	}
}

/* False, and what becomes of the step or run: there were too many steps. */
static bool
may_visit(struct advance *advance, int target)
{
	const struct workflow *workflow = advance->run->workflow;
	int count = visits(advance) + 1;
	struct json *error;
	char *message;

	if (count <= workflow->max_steps)
		return true;
	message = xprintf("step \"%s\" would be number %d of the run, and maxSteps is "
			  "%d",
			  workflow->steps[target].id, count, workflow->max_steps);
	error = step_error("max_steps", message);
	free(message);
	fail_whole(advance, error);
	return false;
}

static void
ready(struct verdict *verdict, int index, int number)
{
	verdict->next = xcalloc(1, sizeof *verdict->next);
	verdict->next[0] = (struct next_step){ index, number };
	verdict->next_count = 1;
}

/* Rows of its own may stand behind it, of this attempt or of one before. */
static bool
may_have_children(const struct advance *advance)
{
	return advance->held->phase == PHASE_CHILDREN ||
	       action_fields[advance->step->action].flow;
}

/* Only where nothing else makes rows is the next number known beforehand. */
static void
go_on(struct advance *advance, int target)
{
	const struct held_step *held = advance->held;

	if (!may_visit(advance, target))
		return;
	if (held->parent == 0 && !may_have_children(advance))
		ready(advance->verdict, target, held->number + 1);
	else
		spawn_one(advance, target, 0);
}

/* Takes error: NULL when the block's last step went well. */
static void
join_parent(struct advance *advance, struct json *error)
{
	advance->verdict->joins = advance->held->parent;
	if (error != NULL)
		advance->verdict->join_error = error_of_run(advance, error);
}

static void
end_run(struct advance *advance)
{
	if (advance->run->workflow->graph) {
		advance->verdict->closing = CLOSING_END;
		join_parent(advance, NULL);
		return;
	}
	advance->verdict->close_open = advance->held->parent != 0;
	complete_run(advance);
}

static void
go_to(struct advance *advance, int target)
{
	if (target == TARGET_END)
		end_run(advance);
	else if (target == TARGET_BLOCK_END)
		join_parent(advance, NULL);
	else
		go_on(advance, target);
}

/* ---- the step ended ---- */

/* Notes how it ended. Takes error. */
static void
end_step(struct advance *advance, enum step_event event, struct json *error)
{
	struct verdict *verdict = advance->verdict;

	verdict->status = step_after(event);
	verdict->error = error;
	if (advance->held->is_item || advance->held->index < 0)
		return; /* no visit of its own */
	run_set_visit(advance->run, advance->held->index, advance->held->number,
		      verdict->status, json_ref(advance->outcome->output),
		      json_ref(error));
}

/* The step fails because of an expression. One that had failed already keeps its own
 * error, which people look for: conditions on results often cannot be evaluated without
 * one. Takes where. */
static void
fail_by_expression(struct advance *advance, char *where, const struct err *why)
{
	struct json *own = advance->verdict->error, *error;
	char *message = xprintf("%s: %s", where, why->text);

	if (own != NULL) {
		error = json_copy(own);
		json_set(error, "branch", json_new_str(message));
	} else {
		error = step_error("expression", message);
	}
	free(message);
	free(where);
	json_unref(&own);
	end_step(advance, STEP_EV_FAILED, error);
}

static void
result_scope(struct run_scope *scope, struct advance *advance)
{
	held_scope(scope, advance->run, advance->held);
	scope->result = advance->outcome->output;
	scope->has_result = true;
	scope->error = advance->verdict->error;
}

/* The target of the first branch that is true, else TARGET_NONE. */
static int
take_branch(struct advance *advance)
{
	const struct step_def *step = advance->step;
	struct run_scope scope;
	struct err err = { 0 };
	bool taken = false;
	int target = TARGET_NONE;

	result_scope(&scope, advance);
	for (size_t i = 0; i < step->branches_count && !taken; i++) {
		if (cel_test(step->branches[i].condition, &scope.scope, &taken, &err) <
		    0) {
			fail_by_expression(advance,
					   xprintf("branches[%zu].condition", i), &err);
			break;
		}
		if (taken)
			target = step->branches[i].target;
	}
	run_scope_fini(&scope);
	return target;
}

/* From step to step: at the top of a sequence, or in a block. */
static void
leave_in_order(struct advance *advance, int target)
{
	const struct workflow *workflow = advance->run->workflow;

	if (target == TARGET_NONE)
		target = advance->verdict->status == STEP_COMPLETED
			     ? sequence_after_success(workflow, advance->step)
			     : sequence_after_failure(workflow, advance->step);
	if (target != TARGET_NONE)
		go_to(advance, target);
	else if (advance->step->owner != NO_STEP)
		join_parent(advance, json_copy(advance->verdict->error));
	else
		fail_run(advance, json_copy(advance->verdict->error));
}

/* One item of a foreach: the step itself goes on when all have ended. */
static void
leave_item(struct advance *advance)
{
	struct verdict *verdict = advance->verdict;

	verdict->release = advance->step->max_parallel > 0;
	if (verdict->status == STEP_COMPLETED) {
		join_parent(advance, NULL);
		return;
	}
	join_parent(advance, json_copy(verdict->error));
	json_set(verdict->join_error, "index", json_new_int(advance->held->item_index));
	verdict->cancel_siblings = !advance->step->continue_on_error;
}

static bool
is_in_graph(const struct advance *advance)
{
	return advance->run->workflow->graph && advance->step->owner == NO_STEP;
}

/* Where the step leads, whichever way it ended. */
static void
leave_step(struct advance *advance)
{
	int target;

	if (advance->held->is_item) {
		leave_item(advance);
		return;
	}
	if (advance->held->made != NULL) {
		advance->verdict->joins = END_NUMBER; /* its program looks */
		return;
	}
	target = take_branch(advance);
	if (is_in_graph(advance))
		graph_leave(advance, target);
	else
		leave_in_order(advance, target);
	if (advance->verdict->closing == CLOSING_FAILED)
		advance->verdict->run_error =
		    error_of_run(advance, json_copy(advance->verdict->error));
}

/* ---- the attempt ended ---- */

static struct json *
error_of(const struct outcome *outcome)
{
	if (json_type(outcome->error) == JSON_OBJECT)
		return json_ref(outcome->error);
	return step_error("failed", "the step failed");
}

/* Takes error. */
static void
judge_failure(struct advance *advance, struct json *error, usec_t now, uint64_t random)
{
	const struct held_step *held = advance->held;
	const struct retry *retry = &advance->step->retry;
	struct verdict *verdict = advance->verdict;

	if (!advance->outcome->final &&
	    retry_again(retry, held->attempt, held->losses)) {
		verdict->run_at =
		    now + retry_delay(retry, held->attempt - held->losses, random);
		if (verdict->run_at < advance->outcome->run_at)
			verdict->run_at = advance->outcome->run_at;
		verdict->phase = advance->step->approval_required && !held->is_item &&
					 held->phase != PHASE_FRESH
				     ? PHASE_GATE
				     : PHASE_FRESH;
		end_step(advance, STEP_EV_AGAIN, error);
		return;
	}
	end_step(advance, STEP_EV_FAILED, error);
	leave_step(advance);
}

static void
on_failure(struct advance *advance, usec_t now, uint64_t random)
{
	if (advance->held->index == END_INDEX) {
		end_step(advance, STEP_EV_SUCCEEDED, NULL);
		advance->verdict->close_open = true;
		fail_run(advance, json_copy(advance->outcome->error));
		return;
	}
	judge_failure(advance, error_of(advance->outcome), now, random);
}

/* NULL, or the error of an output that is not what outputSchema says. */
static struct json *
check_output(const struct advance *advance)
{
	const struct step_def *step = advance->step;
	struct problems problems = { 0 };
	struct json *error = NULL;
	char *text;

	if (step->output_rules == NULL ||
	    (step->foreach != NULL && !advance->held->is_item) ||
	    schema_check(step->output_rules, advance->outcome->output, "output",
			 &problems)) {
		problems_fini(&problems);
		return NULL;
	}
	text = problem_text(&problems, 0);
	error = step_error("output_schema", text);
	free(text);
	problems_fini(&problems);
	return error;
}

/* False: it repeats, or fails of it. */
static bool
is_repeated_enough(struct advance *advance)
{
	const struct step_def *step = advance->step;
	int iteration = advance->held->iteration + 1;
	struct run_scope scope;
	struct err err = { 0 };
	bool enough = false;
	int tested;

	if (step->repeat_until == NULL)
		return true;
	result_scope(&scope, advance);
	tested = cel_test(step->repeat_until, &scope.scope, &enough, &err);
	run_scope_fini(&scope);
	if (tested < 0) {
		fail_by_expression(advance, xstrdup("repeatUntil"), &err);
		leave_step(advance);
	} else if (!enough && step->max_iterations > 0 &&
		   iteration >= step->max_iterations) {
		end_step(advance, STEP_EV_FAILED,
			 step_error("max_iterations", "repeatUntil was not true after "
						      "maxIterations"));
		leave_step(advance);
	} else if (!enough && may_visit(advance, step->index)) {
		spawn_one(advance, step->index, iteration);
	}
	return enough;
}

static void
on_success(struct advance *advance, usec_t now, uint64_t random)
{
	struct json *error;

	if (advance->held->index == END_INDEX) {
		end_step(advance, STEP_EV_SUCCEEDED, NULL);
		advance->verdict->close_open = true;
		complete_run(advance);
		return;
	}
	error = check_output(advance);
	if (error != NULL) {
		judge_failure(advance, error, now, random);
		return;
	}
	end_step(advance, STEP_EV_SUCCEEDED, NULL);
	if (is_repeated_enough(advance))
		leave_step(advance);
}

static void
on_skip(struct advance *advance, usec_t now, uint64_t random)
{
	(void)now;
	(void)random;
	end_step(advance, STEP_EV_SKIPPED, json_ref(advance->outcome->error));
	if (is_in_graph(advance))
		graph_skip(advance);
	else
		go_to(advance,
		      sequence_after_skip(advance->run->workflow, advance->step));
}

static void
on_wait(struct advance *advance, usec_t now, uint64_t random)
{
	(void)now;
	(void)random;
	end_step(advance, STEP_EV_WAITS, NULL);
	advance->verdict->run_at = advance->outcome->run_at;
	advance->verdict->phase = PHASE_ACTION;
	advance->verdict->only_waits = true;
}

static void
on_children(struct advance *advance, usec_t now, uint64_t random)
{
	const struct children *children = &advance->outcome->children;
	struct verdict *verdict = advance->verdict;

	(void)now;
	(void)random;
	if (children->items == NULL && !may_visit(advance, children->index)) {
		struct json *error =
		    verdict->join_error ? verdict->join_error : verdict->run_error;

		end_step(advance, STEP_EV_FAILED, json_ref(error));
		return;
	}
	end_step(advance, STEP_EV_WAITS, NULL);
	verdict->phase = PHASE_CHILDREN;
	verdict->expects = true;
	verdict->own_iteration = children->iteration;
	verdict->spawn = (struct fan_out){
		.index = children->index,
		.count = children->count,
		.parallel = children->parallel,
		.parent = advance->held->number,
		.has_index = children->has_index,
		.item_index = children->item_index,
		.items = json_ref(children->items),
	};
}

static void
on_approval(struct advance *advance, usec_t now, uint64_t random)
{
	(void)now;
	(void)random;
	end_step(advance, STEP_EV_ASKS, NULL);
	advance->verdict->run_at = advance->outcome->run_at;
	advance->verdict->phase = advance->outcome->ask.phase;
	advance->verdict->only_waits = true;
}

static void
on_rest(struct advance *advance, usec_t now, uint64_t random)
{
	(void)now;
	(void)random;
	end_step(advance, STEP_EV_WAITS, NULL);
	advance->verdict->phase = PHASE_CHILDREN;
	advance->verdict->only_waits = true;
}

typedef void judge_fn(struct advance *advance, usec_t now, uint64_t random);

static judge_fn *const judges[OUTCOME_KINDS] = {
	[OUTCOME_SUCCESS] = on_success,   [OUTCOME_FAILURE] = on_failure,
	[OUTCOME_WAIT] = on_wait,         [OUTCOME_SKIP] = on_skip,
	[OUTCOME_CHILDREN] = on_children, [OUTCOME_APPROVAL] = on_approval,
	[OUTCOME_REST] = on_rest,
};

static const struct step_def *
step_of(const struct run *run, const struct held_step *held)
{
	if (held->made != NULL)
		return held->made;
	return held->index == END_INDEX ? &run->workflow->end
					: &run->workflow->steps[held->index];
}

struct first_step *
advance_start(const struct workflow *workflow, size_t *count)
{
	struct first_step *first;

	if (workflow->graph)
		return graph_start(workflow, count);
	first = xcalloc(1, sizeof *first);
	*count = 1;
	if (workflow->program != NULL)
		*first =
		    (struct first_step){ .index = END_INDEX, .number = END_NUMBER };
	else
		*first = (struct first_step){ .index = sequence_first(workflow),
					      .number = 1 };
	return first;
}

void
advance_on(struct run *run, const struct held_step *held, const struct outcome *outcome,
	   usec_t now, uint64_t random, struct verdict *verdict)
{
	struct advance advance = {
		.run = run,
		.held = held,
		.step = step_of(run, held),
		.outcome = outcome,
		.verdict = verdict,
	};

	*verdict = (struct verdict){ .run_status = RUN_RUNNING };
	judges[outcome->kind](&advance, now, random);
}
