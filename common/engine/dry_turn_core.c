/* What is told of a visit, and its beginning. See dry_turn_core.h. */
#include "engine/dry_turn_core.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* ---- what is told of it ---- */

void
dry_turn_put(struct dry_turn *turn, const char *key, struct json *value)
{
	json_set(turn->entry, key, value);
}

void
dry_turn_put_text(struct dry_turn *turn, const char *key, const char *text)
{
	dry_turn_put(turn, key, json_new_str(text));
}

static struct json *
ids_of(const struct workflow *workflow, const int *list, size_t count)
{
	struct json *ids = json_new_array();

	for (size_t i = 0; i < count; i++)
		json_append(ids, json_new_str(workflow->steps[list[i]].id));
	return ids;
}

static void
begin_entry(struct dry_turn *turn)
{
	const struct step_def *def = turn->def;

	turn->entry = turn->row->entry = json_new_object();
	json_append(turn->dry->steps, turn->entry);
	dry_turn_put_text(turn, "stepKey", def->id);
	dry_turn_put_text(turn, "name", def->name);
	dry_turn_put_text(turn, "action", action_name(def->action));
	dry_turn_put_text(turn, "queue", def->queue);
	if (turn->held.is_item)
		dry_turn_put(turn, "itemIndex", json_new_int(turn->held.item_index));
	if (def->needs_count > 0 && !turn->held.is_item)
		dry_turn_put(turn, "needs",
			     ids_of(turn->dry->workflow, def->needs, def->needs_count));
}

/* An expression that cannot be decided yet. Takes unresolved. */
static void
put_unknown(struct dry_turn *turn, const char *key, const struct cel *cel,
	    struct json *unresolved)
{
	struct json *value = json_new_object();

	json_set(value, "expression", json_new_str(cel_source(cel)));
	json_set(value, "unresolved", unresolved);
	dry_turn_put(turn, key, value);
	turn->dry->certain = false;
}

/* False, and that was told. */
bool
dry_turn_knows(struct dry_turn *turn, const char *key, const struct cel *cel)
{
	struct json *unresolved = json_new_array();
	bool known = dry_knows(&turn->known, cel, unresolved);

	if (known)
		json_unref(&unresolved);
	else
		put_unknown(turn, key, cel, unresolved);
	return known;
}

struct json *
dry_turn_given(const struct dry_turn *turn)
{
	return json_get(turn->dry->outputs, turn->def->id);
}

bool
dry_turn_is_given(const struct dry_turn *turn)
{
	return json_has(turn->dry->outputs, turn->def->id);
}

void
dry_turn_begin(struct dry_turn *turn, struct dry *dry, struct dry_row *row)
{
	*turn = (struct dry_turn){
		.dry = dry,
		.row = row,
		.def = &dry->workflow->steps[row->index],
		.step = &dry->view.steps[row->index],
		.entry = row->entry,
		.held = { .index = row->index,
			  .number = row->number,
			  .attempt = 1,
			  .phase = row->phase,
			  .parent = row->parent,
			  .has_index = row->has_index,
			  .item_index = row->item_index,
			  .iteration = row->iteration,
			  .item = row->item,
			  .is_item = row->is_item,
			  .chosen = row->needs < 0,
			  .visits = dry->rows.visits },
	};
	*turn->step = *turn->def;
	turn->step->retry.max_attempts = 1;
	held_scope(&turn->scope, &dry->run, &turn->held);
	turn->known = (struct dry_scope){ .scope = &turn->scope,
					  .steps = dry->known,
					  .has_item = row->is_item,
					  .left = &dry->left };
	if (turn->entry == NULL)
		begin_entry(turn);
}

bool
dry_turn_is_fresh(const struct dry_turn *turn)
{
	return turn->held.phase == PHASE_FRESH && !turn->held.is_item &&
	       turn->held.iteration == 0;
}

void
dry_turn_fini(struct dry_turn *turn)
{
	json_unref(&turn->fields);
	run_scope_fini(&turn->scope);
}
