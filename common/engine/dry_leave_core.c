/* After the step. See dry_leave_core.h. */
#include "engine/dry_leave_core.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "engine/action_fields.h"

/* ---- after ---- */

/* Is its output the one that a real run would have? */
static bool
knows_own_output(const struct dry_turn *turn, const struct outcome *outcome)
{
	const struct step_def *def = turn->def;

	if (outcome->kind != OUTCOME_SUCCESS || dry_turn_is_given(turn))
		return true;
	if (def->foreach != NULL && !turn->held.is_item)
		return turn->held.phase != PHASE_CHILDREN &&
		       turn->step->foreach != NULL;
	if (action_fields[def->action].flow)
		return !json_has(turn->entry, "condition");
	return def->action == ACTION_NOOP ||
	       (def->action == ACTION_WAIT && !json_has(turn->fields, "event"));
}

enum knowledge
dry_leave_knowledge(const struct dry_turn *turn, const struct outcome *outcome)
{
	if (turn->row->assumed || turn->may_skip || json_has(turn->entry, "if"))
		return UNKNOWN_STEP;
	return knows_own_output(turn, outcome) ? KNOWN : UNKNOWN_OUTPUT;
}

/* How many of the branches can be decided, from the first on; *taken: one of these is
 * true, or fails the step. */
static size_t
known_branches(struct dry_turn *turn, bool *taken)
{
	const struct step_def *def = turn->def;
	size_t known = 0;

	*taken = false;
	for (; known < def->branches_count && !*taken; known++) {
		struct json *unresolved = json_new_array();
		struct err err = { 0 };
		bool yes =
		    dry_knows(&turn->known, def->branches[known].condition, unresolved);

		json_unref(&unresolved);
		if (!yes)
			break;
		*taken = cel_test(def->branches[known].condition, &turn->scope.scope,
				  taken, &err) < 0 ||
			 *taken;
	}
	return known;
}

static void
put_choices(struct dry_turn *turn, size_t from)
{
	const struct workflow *workflow = turn->dry->workflow;
	struct json *choices = json_new_array();

	for (size_t i = from; i < turn->def->branches_count; i++) {
		const struct branch *branch = &turn->def->branches[i];
		struct json *choice = json_new_object();
		struct json *unresolved = json_new_array();

		dry_knows(&turn->known, branch->condition, unresolved);
		json_set(choice, "condition",
			 json_new_str(cel_source(branch->condition)));
		json_set(choice, "unresolved", unresolved);
		json_set(choice, "goto",
			 json_new_str(branch->target >= 0
					  ? workflow->steps[branch->target].id
					  : "end"));
		json_append(choices, choice);
	}
	dry_turn_put(turn, "mayGoTo", choices);
	turn->dry->certain = false;
}

/* The result is there now, or it is known that there is one. */
void
dry_leave_prepare(struct dry_turn *turn, const struct outcome *outcome)
{
	struct step_def *step = turn->step;
	bool taken;

	if (outcome->kind != OUTCOME_SUCCESS && outcome->kind != OUTCOME_FAILURE)
		return;
	turn->scope.result = outcome->output;
	turn->scope.has_result = true;
	turn->scope.error = outcome->error;
	turn->known.result_is_known = knows_own_output(turn, outcome);
	turn->known.result_member =
	    turn->def->action == ACTION_APPROVAL ? "approved" : NULL;
	if (!turn->known.result_is_known)
		step->output_rules = NULL;
	if (step->repeat_until != NULL &&
	    !dry_turn_knows(turn, "repeatUntil", step->repeat_until))
		step->repeat_until = NULL;
	if (turn->held.is_item)
		return;
	step->branches_count = known_branches(turn, &taken);
	turn->may_leave = !taken && step->branches_count < turn->def->branches_count;
	if (turn->may_leave)
		put_choices(turn, step->branches_count);
}

static void
put_next(struct dry_turn *turn, const struct verdict *verdict)
{
	const struct workflow *workflow = turn->dry->workflow;
	int index = NO_STEP;

	if (verdict->next_count > 0)
		index = verdict->next[0].index;
	else if (verdict->spawn.count > 0 && !verdict->expects)
		index = verdict->spawn.index;
	else if (verdict->chosen > 0)
		index = verdict->chosen - 1;
	if (index >= 0)
		dry_turn_put_text(turn, "next", workflow->steps[index].id);
}

static void
put_fan_out(struct dry_turn *turn, const struct outcome *outcome)
{
	struct json *value;

	if (outcome->kind != OUTCOME_CHILDREN || outcome->children.items == NULL)
		return;
	value = json_new_object();
	json_set(value, "count", json_new_int(outcome->children.count));
	json_set(value, "parallel", json_new_int(outcome->children.parallel));
	dry_turn_put(turn, "foreach", value);
}

void
dry_leave_tell(struct dry_turn *turn, const struct outcome *outcome,
	       const struct verdict *verdict)
{
	static const char *const words[STEP_STATUSES] = {
		[STEP_FAILED] = "fail",
		[STEP_SKIPPED] = "skip",
	};
	const char *word = words[verdict->status];
	const struct json *taken = json_get(outcome->output, "taken");

	dry_turn_put_text(turn, "would", word != NULL ? word : "run");
	dry_turn_put(
	    turn, "certain",
	    json_new_bool(!turn->row->assumed && !json_has(turn->entry, "if")));
	put_fan_out(turn, outcome);
	if (turn->def->action == ACTION_CONDITIONAL && taken != NULL &&
	    !json_has(turn->entry, "condition"))
		dry_turn_put_text(turn, "branch", json_str(taken));
	if (turn->def->action == ACTION_LOOP &&
	    json_has(outcome->output, "iterations") &&
	    !json_has(turn->entry, "condition"))
		dry_turn_put(turn, "iterations",
			     json_ref(json_get(outcome->output, "iterations")));
	if (verdict->status == STEP_SKIPPED)
		dry_turn_put_text(turn, "reason",
				  verdict->error != NULL
				      ? json_str(json_get(verdict->error, "message"))
				      : "its condition is false");
	else if (verdict->error != NULL)
		dry_turn_put(turn, "error", json_ref(verdict->error));
	put_next(turn, verdict);
}

/* What branches of a graph may lead to is walked, too. */
static void
choose_all(struct dry_turn *turn)
{
	if (!turn->may_leave || !turn->dry->workflow->graph ||
	    turn->def->owner != NO_STEP)
		return;
	for (size_t i = turn->step->branches_count; i < turn->def->branches_count; i++)
		if (turn->def->branches[i].target >= 0)
			dry_rows_choose(&turn->dry->rows,
					turn->def->branches[i].target + 1);
}

void
dry_leave(struct dry_turn *turn, const struct outcome *outcome,
	  const struct verdict *verdict)
{
	struct dry *dry = turn->dry;
	bool inside = outcome->kind == OUTCOME_CHILDREN;
	bool assumed = turn->row->assumed || turn->may_leave ||
		       (inside && (json_has(turn->entry, "condition") ||
				   json_has(turn->entry, "if")));

	choose_all(turn);
	dry_rows_carry_out(&dry->rows, turn->row, verdict, assumed);
	if (inside && turn->both && turn->def->block != NO_STEP &&
	    turn->def->other_block != NO_STEP)
		dry_rows_add_child(&dry->rows, turn->row, turn->def->other_block);
}
