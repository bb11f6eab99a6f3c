/* Before the step, and its action. See dry_enter_core.h. */
#include "engine/dry_enter_core.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "engine/action_fields.h"
#include "engine/enter_core.h"

/* ---- before ---- */

/* Both blocks are walked, as if it were true; a loop is walked once. */
static void
take_out_condition(struct dry_turn *turn)
{
	bool coming_back = turn->held.phase == PHASE_CHILDREN;
	struct dry *dry = turn->dry;

	if (turn->step->condition == NULL ||
	    (turn->step->action == ACTION_CONDITIONAL && coming_back))
		return;
	if (turn->step->action == ACTION_LOOP) {
		turn->scope.index = coming_back ? turn->held.iteration : 0;
		if (!json_has(turn->entry, "condition") &&
		    dry_turn_knows(turn, "condition", turn->step->condition))
			return;
		turn->step->condition = coming_back ? dry->no : dry->yes;
	} else if (!dry_turn_knows(turn, "condition", turn->step->condition)) {
		turn->both = true;
		turn->step->condition =
		    turn->step->block != NO_STEP ? dry->yes : dry->no;
	}
}

void
dry_enter_prepare(struct dry_turn *turn)
{
	struct step_def *step = turn->step;

	if (dry_turn_is_fresh(turn) && step->condition_if != NULL &&
	    !dry_turn_knows(turn, "if", step->condition_if)) {
		step->condition_if = NULL;
		turn->may_skip = true;
	}
	if (step->foreach != NULL && dry_turn_is_fresh(turn) &&
	    !dry_turn_knows(turn, "foreach", step->foreach))
		step->foreach = NULL;
	take_out_condition(turn);
}

static struct json *
raw_fields(const struct dry_turn *turn)
{
	const struct field *field = action_fields[turn->def->action].fields;
	const struct json *written = json_at(
	    json_get(turn->dry->workflow->config, "steps"), (size_t)turn->def->index);
	struct json *value = json_new_object();

	for (; field->name != NULL; field++)
		if (!field_is_flow(field) && json_has(written, field->name))
			json_set(value, field->name,
				 json_ref(json_get(written, field->name)));
	return value;
}

/* -1: it fails of them, or (ERR_LIMIT) that is all. */
static int
resolve_fields(struct dry_turn *turn, struct err *err)
{
	struct json *raw, *unresolved;
	int result;

	if (turn->fields != NULL)
		return 0;
	raw = raw_fields(turn);
	unresolved = json_new_array();
	result = dry_resolve(&turn->known, raw, &turn->fields, unresolved, err);
	json_unref(&raw);
	if (result == 0)
		dry_turn_put(turn, "fields", json_ref(turn->fields));
	if (json_count(unresolved) > 0)
		dry_turn_put(turn, "unresolved", json_ref(unresolved));
	json_unref(&unresolved);
	return result;
}

/* ---- somebody decides: with what was given, else it is approved ---- */

static void
decide(struct dry_turn *turn, const struct outcome *outcome, struct back *back)
{
	const struct json *answer =
	    turn->def->action == ACTION_APPROVAL ? dry_turn_given(turn) : NULL;
	struct json *approval = json_new_object();

	json_set(approval, "prompt", json_ref(outcome->ask.prompt));
	if (outcome->ask.args != NULL)
		json_set(approval, "args", json_ref(outcome->ask.args));
	if (turn->def->action == ACTION_APPROVAL && turn->def->timeout > 0)
		json_set(approval, "timeoutMs",
			 json_new_int(turn->def->timeout / USEC_MS));
	dry_turn_put(turn, "approval", approval);
	dry_turn_put_text(turn, "waitsFor", "approval");
	turn->held.phase = outcome->ask.phase;
	*back = (struct back){ .decided = true,
			       .approval = APPROVAL_APPROVED,
			       .approved_args = outcome->ask.args,
			       .by = json_get(answer, "by"),
			       .comment = json_get(answer, "comment"),
			       .at = json_get(answer, "at") };
	if (json_has(answer, "approved") && !json_bool(json_get(answer, "approved")))
		back->approval = APPROVAL_DENIED;
}

/* True: *outcome says what becomes of it; false: its action runs. -1: too long. */
static int
enter(struct dry_turn *turn, const struct back *back, struct outcome *outcome,
      struct json **made)
{
	struct err err = { 0 };

	if (enter_step(&turn->dry->run, &turn->held, back, outcome, made))
		return true;
	if (resolve_fields(turn, &err) == 0)
		return enter_with_fields(&turn->dry->run, &turn->held, back,
					 turn->fields, 0, outcome, made);
	if (err.kind == ERR_LIMIT)
		return -1;
	*made = step_error("expression", err.text);
	*outcome =
	    (struct outcome){ .kind = OUTCOME_FAILURE, .error = *made, .final = true };
	return true;
}

static void
put_wait(struct dry_turn *turn)
{
	const struct json *wait = json_get(turn->fields, "wait");

	if (turn->def->action == ACTION_WAIT)
		dry_turn_put_text(turn, "waitsFor",
				  json_has(turn->fields, "event") ? "event" : "time");
	else if (turn->def->action == ACTION_WORKFLOW &&
		 (json_type(wait) != JSON_BOOL || json_bool(wait)))
		dry_turn_put_text(turn, "waitsFor", "run");
}

/* The action has run: with the output that was given, or with one that nobody knows. */
static void
act(struct dry_turn *turn, struct outcome *outcome)
{
	struct json *output = json_get(turn->dry->outputs, turn->def->id);

	if (turn->held.is_item)
		output = json_at(output, (size_t)turn->held.item_index);
	put_wait(turn);
	*outcome = (struct outcome){ .kind = OUTCOME_SUCCESS, .output = output };
}

int
dry_enter(struct dry_turn *turn, struct outcome *outcome, struct json **made)
{
	struct back back = {
		.outputs = dry_turn_given(turn),
		.error = turn->row->error,
	};
	struct json *asked = NULL;
	int entered = enter(turn, &back, outcome, made);

	while (entered > 0 && outcome->kind == OUTCOME_APPROVAL) {
		decide(turn, outcome, &back);
		json_unref(&asked);
		asked = *made;
		*made = NULL;
		entered = enter(turn, &back, outcome, made);
	}
	json_unref(&asked);
	if (entered == 0)
		act(turn, outcome);
	return entered < 0 ? -1 : 0;
}
