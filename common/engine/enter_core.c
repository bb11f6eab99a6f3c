/* From a claimed step to its action, or past it. See enter_core.h. */
#include "engine/enter_core.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "engine/action_fields.h"
#include "engine/graph_core.h"

#define ITEMS_MAX 100000

static const char *const approval_names[APPROVAL_STATUSES] = {
	[APPROVAL_PENDING] = "pending", [APPROVAL_APPROVED] = "approved",
	[APPROVAL_DENIED] = "denied",   [APPROVAL_EXPIRED] = "expired",
	[APPROVAL_VOID] = "void",
};
static const char *const on_timeout_names[ON_TIMEOUTS] = {
	[ON_TIMEOUT_FAIL] = "fail",
	[ON_TIMEOUT_APPROVE] = "approve",
	[ON_TIMEOUT_DENY] = "deny",
};

const char *
approval_status_name(enum approval_status status)
{
	return status < APPROVAL_STATUSES ? approval_names[status] : "unknown";
}

/* There are never more visits than rows: they are counted where it matters. */
static bool
is_near_limit(const struct workflow *workflow, const struct held_step *held)
{
	return !workflow->no_foreach && !held->is_item && held->made == NULL &&
	       held->number >= workflow->max_steps;
}

bool
enter_wants_back(const struct workflow *workflow, const struct step_def *step,
		 const struct held_step *held)
{
	if (workflow->program != NULL && held->index == END_INDEX)
		return false;
	if (held->index == END_INDEX || is_near_limit(workflow, held))
		return true;
	return held->phase == PHASE_CHILDREN || held->phase == PHASE_GATE ||
	       (held->phase == PHASE_ACTION &&
		(step->action == ACTION_APPROVAL || step->action == ACTION_WORKFLOW));
}

/* One that enters, and what is to be said of it. */
struct entering {
	struct run *run;
	const struct held_step *held;
	const struct step_def *step;
	const struct back *back;
	struct outcome *outcome;
	struct json **made;
};

/* ---- outcomes ---- */

static bool
succeed(struct entering *entering, struct json *output)
{
	*entering->made = output;
	*entering->outcome =
	    (struct outcome){ .kind = OUTCOME_SUCCESS, .output = output };
	return true;
}

/* Takes error. */
static bool
fail_with(struct entering *entering, struct json *error)
{
	*entering->made = error;
	*entering->outcome =
	    (struct outcome){ .kind = OUTCOME_FAILURE, .error = error, .final = true };
	return true;
}

static bool
fail(struct entering *entering, const char *code, const char *text)
{
	return fail_with(entering, step_error(code, text));
}

static bool
fail_by(struct entering *entering, const char *key, struct err *err)
{
	err_in(err, "%s", key);
	return fail(entering, "expression", err->text);
}

/* Takes error. */
static bool
skip(struct entering *entering, struct json *error)
{
	*entering->made = error;
	*entering->outcome = (struct outcome){ .kind = OUTCOME_SKIP, .error = error };
	return true;
}

static bool
wait_for_children(struct entering *entering, const struct children *children)
{
	*entering->outcome =
	    (struct outcome){ .kind = OUTCOME_CHILDREN, .children = *children };
	return true;
}

/* ---- expressions ---- */

static int
test(struct entering *entering, const struct cel *cel, bool *out, struct err *err)
{
	struct run_scope scope;
	int result;

	held_scope(&scope, entering->run, entering->held);
	result = cel_test(cel, &scope.scope, out, err);
	run_scope_fini(&scope);
	return result;
}

/* ---- if, and the graph ---- */

static bool
is_in_graph(const struct entering *entering)
{
	return entering->run->workflow->graph && entering->step->owner == NO_STEP;
}

static bool
hindered(struct entering *entering)
{
	const struct step_def *step = entering->step;
	struct err err = { 0 };
	bool wanted = true;
	struct json *why;

	if (is_in_graph(entering)) {
		why = graph_hindrance(entering->run, step, entering->held->chosen);
		if (why != NULL)
			return skip(entering, why);
	}
	if (step->condition_if == NULL)
		return false;
	if (test(entering, step->condition_if, &wanted, &err) < 0)
		return fail_by(entering, "if", &err);
	return wanted ? false : skip(entering, NULL);
}

/* ---- foreach ---- */

static bool
fan_out(struct entering *entering)
{
	const struct step_def *step = entering->step;
	struct run_scope scope;
	struct json *list = NULL;
	struct err err = { 0 };
	int result, count;

	held_scope(&scope, entering->run, entering->held);
	result = cel_eval(step->foreach, &scope.scope, &list, &err);
	run_scope_fini(&scope);
	if (result < 0)
		return fail_by(entering, "foreach", &err);
	*entering->made = list;
	if (json_type(list) != JSON_ARRAY) {
		err_set(&err, ERR_INPUT, "expected a list, got %s",
			json_type_name(json_type(list)));
		json_unref(entering->made);
		return fail_by(entering, "foreach", &err);
	}
	if (json_count(list) > ITEMS_MAX) {
		json_unref(entering->made);
		return fail(entering, "too_many_items",
			    "foreach: more than 100000 items");
	}
	if (json_count(list) == 0) {
		*entering->outcome =
		    (struct outcome){ .kind = OUTCOME_SUCCESS, .output = list };
		return true;
	}
	count = (int)json_count(list);
	return wait_for_children(
	    entering,
	    &(struct children){ .index = step->index,
				.count = count,
				.parallel =
				    step->max_parallel > 0 ? step->max_parallel : count,
				.items = list,
				.has_index = true });
}

/* ---- blocks ---- */

static bool
begin_block(struct entering *entering, int first, bool has_index, int index,
	    int iteration)
{
	return wait_for_children(entering,
				 &(struct children){ .index = first,
						     .count = 1,
						     .parallel = 1,
						     .has_index = has_index,
						     .item_index = index,
						     .iteration = iteration });
}

enum taken { TAKEN_NONE, TAKEN_THEN, TAKEN_ELSE };

static struct json *
taken_value(enum taken taken)
{
	struct json *value = json_new_object();

	json_set(value, "taken", json_new_str(taken == TAKEN_THEN ? "then" : "else"));
	return value;
}

/* The block of a loop around it keeps its index. */
static bool
choose_block(struct entering *entering)
{
	const struct step_def *step = entering->step;
	const struct held_step *held = entering->held;
	struct err err = { 0 };
	bool is_true = false;
	int first;

	if (test(entering, step->condition, &is_true, &err) < 0)
		return fail_by(entering, "condition", &err);
	first = is_true ? step->block : step->other_block;
	if (first == NO_STEP)
		return succeed(entering,
			       taken_value(is_true ? TAKEN_THEN : TAKEN_ELSE));
	return begin_block(entering, first, held->has_index, held->item_index,
			   is_true ? TAKEN_THEN : TAKEN_ELSE);
}

static struct json *
iterations_value(int iterations)
{
	struct json *value = json_new_object();

	json_set(value, "iterations", json_new_int(iterations));
	return value;
}

/* done: iterations so far. The condition sees it as index. */
static bool
iterate(struct entering *entering, int done)
{
	const struct step_def *step = entering->step;
	struct held_step held = *entering->held;
	struct entering inner = *entering;
	struct err err = { 0 };
	bool again = true;

	held.has_index = true;
	held.item_index = done;
	inner.held = &held;
	if (step->max_iterations > 0 && done >= step->max_iterations)
		again = false;
	else if (step->condition != NULL &&
		 test(&inner, step->condition, &again, &err) < 0)
		return fail_by(entering, "condition", &err);
	if (!again)
		return succeed(entering, iterations_value(done));
	return begin_block(entering, step->block, true, done, done + 1);
}

/* ---- coming back ---- */

static bool
join(struct entering *entering)
{
	const struct step_def *step = entering->step;
	const struct back *back = entering->back;

	if (back->error != NULL) {
		fail_with(entering, json_copy(back->error));
		entering->outcome->output = back->outputs;
		return true;
	}
	if (step->foreach != NULL)
		return succeed(entering, json_ref(back->outputs));
	if (step->action == ACTION_LOOP)
		return iterate(entering, entering->held->iteration);
	return succeed(entering, taken_value((enum taken)entering->held->iteration));
}

static bool
end_graph(struct entering *entering)
{
	if (entering->back->error != NULL)
		return fail_with(entering, json_copy(entering->back->error));
	return succeed(entering, graph_output(entering->run));
}

/* ---- approval ---- */

static enum on_timeout
on_timeout_of(const struct json *fields)
{
	const char *text = json_str(json_get(fields, "onTimeout"));

	for (int i = 0; i < ON_TIMEOUTS && text != NULL; i++)
		if (strcmp(on_timeout_names[i], text) == 0)
			return (enum on_timeout)i;
	return ON_TIMEOUT_FAIL;
}

static bool
ask(struct entering *entering, struct json *prompt, struct json *args, enum phase phase)
{
	*entering->outcome = (struct outcome){
		.kind = OUTCOME_APPROVAL,
		.ask = { .prompt = prompt, .args = args, .phase = phase },
	};
	return true;
}

static bool
ask_at_gate(struct entering *entering, struct json *args)
{
	char *text = xprintf("May step \"%s\" run?", entering->step->name);

	*entering->made = json_new_str(text);
	free(text);
	return ask(entering, *entering->made, args, PHASE_GATE);
}

static const char *
denial(const struct back *back, char *text, size_t size)
{
	const char *by = json_str(back->by), *comment = json_str(back->comment);

	snprintf(text, size, "denied%s%.200s%s%.400s", by != NULL ? " by " : "",
		 by != NULL ? by : "", comment != NULL ? ": " : "",
		 comment != NULL ? comment : "");
	return text;
}

static bool
is_approved(const struct back *back)
{
	return back->decided && back->approval == APPROVAL_APPROVED;
}

/* Nobody decided in time: onTimeout has made approved or denied of it, or this. */
static bool
refuse(struct entering *entering, struct json *output)
{
	char text[700];
	bool expired = entering->back->approval == APPROVAL_EXPIRED;
	struct json *error =
	    step_error(expired ? "timeout" : "denied",
		       expired ? "nobody decided in time"
			       : denial(entering->back, text, sizeof text));

	fail_with(entering, error);
	entering->outcome->output = output;
	return true;
}

/* Nobody was asked, nobody answered yet, or the question was taken back. */
static bool
is_undecided(const struct back *back)
{
	return !back->decided || back->approval == APPROVAL_PENDING ||
	       back->approval == APPROVAL_VOID;
}

/* What is approved is exactly what was shown: other arguments are asked for anew. */
static bool
pass_gate(struct entering *entering, struct json *args, bool *passed)
{
	const struct back *back = entering->back;

	*passed = false;
	if (is_undecided(back) || !json_equal(args, back->approved_args))
		return ask_at_gate(entering, args);
	if (!is_approved(back))
		return refuse(entering, NULL);
	*passed = true;
	return false;
}

static bool
needs_gate(const struct entering *entering)
{
	return entering->step->approval_required && !entering->held->is_item;
}

static struct json *
decision_value(const struct back *back)
{
	struct json *value = json_new_object();

	json_set(value, "approved", json_new_bool(is_approved(back)));
	json_set(value, "by", json_ref(back->by));
	json_set(value, "comment", json_ref(back->comment));
	json_set(value, "at", json_ref(back->at));
	return value;
}

static bool
ask_for_decision(struct entering *entering, struct json *fields, usec_t now)
{
	const struct step_def *step = entering->step;

	ask(entering, json_get(fields, "prompt"), NULL, PHASE_ACTION);
	entering->outcome->ask.on_timeout = on_timeout_of(fields);
	if (step->timeout > 0)
		entering->outcome->run_at = now + step->timeout;
	return true;
}

static bool
take_decision(struct entering *entering)
{
	const struct back *back = entering->back;
	struct json *value = decision_value(back);

	if (is_approved(back))
		return succeed(entering, value);
	refuse(entering, value);
	/* Both are made here: one of them is kept inside the other's owner. */
	*entering->made = json_new_array();
	json_append(*entering->made, entering->outcome->error);
	json_append(*entering->made, value);
	return true;
}

/* ---- both doors ---- */

static struct entering
entering_of(struct run *run, const struct held_step *held, const struct back *back,
	    struct outcome *outcome, struct json **made)
{
	const struct step_def *step = held->made;

	*made = NULL;
	if (step == NULL)
		step = held->index == END_INDEX ? &run->workflow->end
						: &run->workflow->steps[held->index];
	return (struct entering){
		.run = run,
		.held = held,
		.step = step,
		.back = back,
		.outcome = outcome,
		.made = made,
	};
}

/* Steps whose fields are the items' or the engine's: what is approved has no arguments.
 */
static bool
acts_without_fields(const struct entering *entering)
{
	return (entering->step->foreach != NULL && !entering->held->is_item) ||
	       action_fields[entering->step->action].flow;
}

static bool
act_without_fields(struct entering *entering)
{
	bool passed = true;

	if (needs_gate(entering)) {
		bool asked = entering->held->phase == PHASE_GATE
				 ? pass_gate(entering, NULL, &passed)
				 : ask_at_gate(entering, NULL);

		if (asked)
			return true;
	}
	if (entering->step->foreach != NULL)
		return fan_out(entering);
	if (entering->step->action == ACTION_LOOP)
		return iterate(entering, 0);
	return choose_block(entering);
}

bool
enter_step(struct run *run, const struct held_step *held, const struct back *back,
	   struct outcome *outcome, struct json **made)
{
	struct entering entering = entering_of(run, held, back, outcome, made);

	if (run->workflow->program != NULL && held->index == END_INDEX)
		return false;
	if (held->index == END_INDEX)
		return end_graph(&entering);
	if (held->phase == PHASE_CHILDREN)
		return join(&entering);
	if (held->phase == PHASE_FRESH && !held->is_item && held->iteration == 0 &&
	    hindered(&entering))
		return true;
	return acts_without_fields(&entering) && act_without_fields(&entering);
}

bool
enter_with_fields(const struct run *run, const struct held_step *held,
		  const struct back *back, struct json *fields, usec_t now,
		  struct outcome *outcome, struct json **made)
{
	struct entering entering =
	    entering_of((struct run *)(uintptr_t)run, held, back, outcome, made);
	bool passed;

	if (needs_gate(&entering) && held->phase == PHASE_FRESH && held->iteration == 0)
		return ask_at_gate(&entering, fields);
	if (needs_gate(&entering) && held->phase == PHASE_GATE &&
	    pass_gate(&entering, fields, &passed))
		return true;
	if (entering.step->action != ACTION_APPROVAL)
		return false;
	if (held->phase == PHASE_ACTION && !is_undecided(back))
		return take_decision(&entering);
	return ask_for_decision(&entering, fields, now);
}
