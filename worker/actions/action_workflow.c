/*
 * workflow: starts a run of another workflow, and waits for its end without a slot. The
 * run is stored in the transaction in which the step begins to wait: there is no moment
 * in which one is there without the other. How it ended is found when the step comes
 * back.
 */
#include <stdlib.h>
#include <string.h>

#include "actions/actions.h"
#include "actions/answer.h"
#include "base/xalloc.h"
#include "child_run.h"
#include "definitions.h"
#include "engine/action_fields.h"
#include "store/claims.h"

#define DEPTH_MAX 8
#define ASK_AGAIN (200 * USEC_MS)

struct starting {
	struct attempt *attempt;
	struct timer *timer; /* for what is known already: said on a later turn */
	struct timer *again; /* for a question that PostgreSQL could not answer */
	bool answered;
};

static void
starting_free(void *state)
{
	struct starting *starting = state;

	pg_forget(starting->attempt->services->pg, starting);
	definitions_forget(starting->attempt->services->definitions, starting);
	timer_free(&starting->timer);
	timer_free(&starting->again);
	free(starting);
}

/* Nothing has begun yet: what comes later is forgotten. */
static void
starting_stop(void *state, enum stop how)
{
	struct starting *starting = state;

	(void)how;
	if (starting->answered || starting->timer != NULL)
		return;
	pg_forget(starting->attempt->services->pg, starting);
	definitions_forget(starting->attempt->services->definitions, starting);
	timer_free(&starting->again);
	starting->answered = true;
	attempt_fail(starting->attempt, "stopped", false,
		     "stopped before the run was started");
}

/* ---- the run that is to be started ---- */

static void
drop_definition(void *context, void *value)
{
	struct definition *definition = value;

	definitions_drop(context, &definition);
}

static struct child_run *
child_new(const struct attempt *attempt, struct definition *definition, char *key)
{
	const struct workflow *workflow = definition->workflow;
	struct child_run *child = xcalloc(1, sizeof *child);

	child->project = attempt->project;
	child->steps = new_steps_of(workflow, &child->run.steps_count);
	child->texts[0] = key;
	child->texts[1] = xstrdup(attempt->trace_id);
	child->input = json_ref(json_get(attempt->fields, "input"));
	child->drop = drop_definition;
	child->context = attempt->services->definitions;
	child->definition = definition;
	child->run.id = uuid7_new(loop_now(attempt->services->loop));
	child->run.definition = definition->id;
	child->run.workflow_name = workflow->name;
	child->run.project = &child->project;
	child->run.input = child->input;
	child->run.priority = workflow->priority;
	child->run.triggered_by = "workflow";
	child->run.trace_id = child->texts[1];
	child->run.timeout = workflow->timeout;
	child->run.concurrency_key = key;
	child->run.concurrency_limit = (int)workflow->concurrency;
	child->run.crash_on_interrupt = workflow->crash_on_interrupt;
	child->run.steps = child->steps;
	return child;
}

static struct json *
execution_value(const struct uuid *id)
{
	struct json *value = json_new_object();
	char text[UUID_TEXT];

	json_set(value, "executionId", json_new_str(uuid_format(id, text)));
	return value;
}

static void
start_run(struct starting *starting, struct definition *definition, char *key)
{
	struct attempt *attempt = starting->attempt;
	struct child_run *child = child_new(attempt, definition, key);
	usec_t timeout = attempt->def->timeout;
	bool wait = field_flag(attempt, "wait", true);

	starting->answered = true;
	attempt_start_run(attempt, child, wait,
			  timeout > 0 ? loop_now(attempt->services->loop) + timeout : 0,
			  wait ? NULL : execution_value(&child->run.id));
}

static bool
input_fits(struct starting *starting, const struct workflow *workflow)
{
	struct problems problems = { 0 };
	char *text;
	bool fits = workflow_check_input(
	    workflow, json_get(starting->attempt->fields, "input"), &problems);

	if (!fits) {
		text = problem_text(&problems, 0);
		starting->answered = true;
		attempt_fail(starting->attempt, "input", true,
			     "the input does not fit the workflow \"%s\": %s",
			     workflow->name, text);
		free(text);
	}
	problems_fini(&problems);
	return fits;
}

static void find(void *context);

/* Nothing has begun yet, so a lost connection is no failure of the step: what it wants
 * to know is asked again, as long as the worker lives. */
static bool
ask_again(struct starting *starting, const struct err *err)
{
	if (err->kind != ERR_RETRY && err->kind != ERR_LOST)
		return false;
	if (starting->again == NULL)
		starting->again =
		    timer_new(starting->attempt->services->loop, find, starting);
	timer_set(starting->again, ASK_AGAIN);
	return true;
}

static void
on_definition(void *context, struct definition *definition, const struct err *err)
{
	struct starting *starting = context;
	struct attempt *attempt = starting->attempt;
	struct err why = { 0 };
	char *key;

	if (definition == NULL) {
		if (ask_again(starting, err))
			return;
		starting->answered = true;
		answer_error(attempt, NULL, err);
		return;
	}
	if (!input_fits(starting, definition->workflow)) {
		definitions_drop(attempt->services->definitions, &definition);
		return;
	}
	key = workflow_concurrency_key(definition->workflow,
				       json_get(attempt->fields, "input"), NULL, &why);
	if (why.kind != ERR_NONE) {
		definitions_drop(attempt->services->definitions, &definition);
		starting->answered = true;
		answer_error(attempt, NULL, &why);
		return;
	}
	start_run(starting, definition, key);
}

static void
on_found(void *context, const struct uuid *id, int depth, const struct err *err)
{
	struct starting *starting = context;
	struct attempt *attempt = starting->attempt;
	struct definitions *definitions = attempt->services->definitions;
	struct definition *definition;

	if (ask_again(starting, err))
		return;
	if (id == NULL || depth >= DEPTH_MAX) {
		starting->answered = true;
		if (err->kind != ERR_NONE)
			answer_error(attempt, NULL, err);
		else if (id == NULL)
			attempt_fail(attempt, "no_workflow", true,
				     "there is no active workflow \"%s\"",
				     field_text(attempt, "workflow", ""));
		else
			attempt_fail(attempt, "too_deep", true,
				     "runs are nested at most %d deep", DEPTH_MAX);
		return;
	}
	definition = definitions_get(definitions, id);
	if (definition != NULL)
		on_definition(starting, definition, err);
	else
		definitions_load(definitions, id, on_definition, starting);
}

static void
find(void *context)
{
	struct starting *starting = context;
	struct attempt *attempt = starting->attempt;

	to_start_find(attempt->services->pg, &attempt->run,
		      field_text(attempt, "workflow", ""), on_found, starting);
}

/* ---- coming back ---- */

static const char *
how_it_ended(int status)
{
	switch (status) {
	case RUN_FAILED:
		return "failed";
	case RUN_CANCELLED:
		return "was cancelled";
	case RUN_TIMED_OUT:
		return "took too long";
	case RUN_CRASHED:
		return "crashed";
	default:
		return "has not ended in time";
	}
}

/* On the next turn, as every answer. */
static void
come_back(void *context)
{
	struct starting *starting = context;
	struct attempt *attempt = starting->attempt;
	const struct back_row *back = attempt->back;
	struct json *details = execution_value(&back->child_id);

	starting->answered = true;
	if (back->child == RUN_COMPLETED) {
		json_unref(&details);
		attempt_succeed(attempt, json_ref(back->child_output));
		return;
	}
	json_set(details, "error", json_ref(back->child_error));
	attempt_fail_with(
	    attempt,
	    run_is_over((enum run_status)back->child) ? "run_failed" : "timeout", false,
	    details, NULL, "the run of \"%s\" %s", field_text(attempt, "workflow", ""),
	    how_it_ended(back->child));
}

static void *
workflow_start(struct attempt *attempt)
{
	struct starting *starting;

	if (!answer_checked(attempt, NULL, action_fields[ACTION_WORKFLOW].fields))
		return NULL;
	starting = xcalloc(1, sizeof *starting);
	starting->attempt = attempt;
	if (attempt->woke && attempt->back != NULL && attempt->back->child >= 0) {
		starting->timer =
		    timer_new(attempt->services->loop, come_back, starting);
		timer_set(starting->timer, 0);
	} else {
		find(starting);
	}
	return starting;
}

const struct action action_workflow = {
	.name = "workflow",
	.start = workflow_start,
	.stop = starting_stop,
	.free = starting_free,
};
