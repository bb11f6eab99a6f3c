/* One step, from its beginning to what follows. See dry_step_core.h. */
#include "engine/dry_step_core.h"

#include "engine/dry_enter_core.h"
#include "engine/dry_leave_core.h"
#include "engine/enter_core.h"

void
dry_run_scope(struct dry *dry, struct run_scope *scope, struct dry_scope *known)
{
	run_scope_init(scope, &dry->run);
	*known = (struct dry_scope){ .scope = scope,
				     .steps = dry->known,
				     .left = &dry->left };
}

bool
dry_knows_output(struct dry *dry, struct json *unresolved)
{
	struct run_scope scope;
	struct dry_scope known;
	bool yes;

	dry_run_scope(dry, &scope, &known);
	yes = dry_knows_template(&known, dry->workflow->output, unresolved);
	run_scope_fini(&scope);
	return yes;
}

/* The engine resolves the run's output where it can. */
static void
set_output(struct dry *dry)
{
	struct json *unresolved = json_new_array();

	dry->view.output = dry->workflow->output;
	if (dry->view.output != NULL && !dry_knows_output(dry, unresolved))
		dry->view.output = NULL;
	json_unref(&unresolved);
}

/* The end of a graph. */
static void
end(struct dry *dry, struct dry_row *row, struct verdict *verdict)
{
	struct held_step held = { .index = END_INDEX,
				  .number = END_NUMBER,
				  .attempt = 1 };
	struct back back = { .error = row->error };
	struct outcome outcome;
	struct json *made;

	enter_step(&dry->run, &held, &back, &outcome, &made);
	set_output(dry);
	advance_on(&dry->run, &held, &outcome, 0, 0, verdict);
	row->status = verdict->status;
	json_unref(&made);
}

int
dry_step(struct dry *dry, struct dry_row *row, struct verdict *verdict)
{
	struct outcome outcome = { 0 };
	struct json *made = NULL;
	struct dry_turn turn;
	int result;

	*verdict = (struct verdict){ .run_status = RUN_RUNNING };
	if (row->index == END_INDEX) {
		end(dry, row, verdict);
		return 0;
	}
	dry_turn_begin(&turn, dry, row);
	dry_enter_prepare(&turn);
	result = dry_enter(&turn, &outcome, &made);
	if (result == 0) {
		dry_leave_prepare(&turn, &outcome);
		if (!row->is_item)
			dry->known[row->index] = dry_leave_knowledge(&turn, &outcome);
		set_output(dry);
		advance_on(&dry->run, &turn.held, &outcome, 0, 0, verdict);
		dry_leave_tell(&turn, &outcome, verdict);
		dry_leave(&turn, &outcome, verdict);
	}
	json_unref(&made);
	dry_turn_fini(&turn);
	return result;
}
