/*
 * Walking a list or the keys of a map. all and exists absorb errors as && and || do:
 * one item that decides is enough.
 */
#include "lang/cel_fold.h"

#include <string.h>

#include "lang/cel_eval.h"

#define ITEM_COST 6 /* reading one takes as long as so many simple steps */

struct fold {
	struct cel_run *run;
	const struct cel_node *node;
	struct cel_iter it;
	struct cel_value wrong;  /* the first error, not decided yet */
	struct cel_value result; /* when a step says so */
	struct cel_value *made;  /* of CEL_TO_LIST and CEL_TO_MAP */
	size_t count, capacity;
};

/* true: result holds the answer, nothing more is to be walked. */
typedef bool step_fn(struct fold *fold);

static bool
stop(struct fold *fold, struct cel_value result)
{
	fold->result = result;
	return true;
}

static struct cel_value
not_bool(struct fold *fold, const struct cel_node *node, const struct cel_value *value)
{
	fold->run->node = node;
	return cel_fail(fold->run, "no such overload: %s is no bool in %s()",
			cel_kind_name(value->kind), fold->node->name);
}

static bool
until(struct fold *fold, bool decides)
{
	const struct cel_node *body = fold->node->kids[2];
	struct cel_value value = cel_eval_node(fold->run, body);

	if (value.kind == CEL_BOOL)
		return value.truth == decides ? stop(fold, value) : false;
	if (fold->wrong.kind != CEL_ERROR)
		fold->wrong =
		    value.kind == CEL_ERROR ? value : not_bool(fold, body, &value);
	return false;
}

static bool
step_all(struct fold *fold)
{
	return until(fold, false);
}

static bool
step_exists(struct fold *fold)
{
	return until(fold, true);
}

static bool
step_exists_one(struct fold *fold)
{
	const struct cel_node *body = fold->node->kids[2];
	struct cel_value value = cel_eval_node(fold->run, body);

	if (value.kind == CEL_ERROR)
		return stop(fold, value);
	if (value.kind != CEL_BOOL)
		return stop(fold, not_bool(fold, body, &value));
	fold->count += value.truth;
	return false;
}

/* Room for two more values. */
static bool
grow(struct fold *fold)
{
	struct cel_value *bigger;

	if (fold->count + 2 <= fold->capacity)
		return true;
	fold->capacity = fold->capacity * 2 + 8;
	bigger = cel_alloc_values(fold->run, fold->capacity);
	if (bigger == NULL)
		return false;
	if (fold->count > 0)
		memcpy(bigger, fold->made, fold->count * sizeof *bigger);
	fold->made = bigger;
	return true;
}

static bool
step_make(struct fold *fold)
{
	const struct cel_node *body = fold->node->kids[2];
	struct cel_value value = fold->run->locals[fold->node->value_slot];

	if (body != NULL)
		value = cel_eval_node(fold->run, body);
	if (value.kind == CEL_ERROR)
		return stop(fold, value);
	if (!grow(fold))
		return stop(fold, cel_spent(fold->run));
	if (fold->node->fold == CEL_TO_MAP)
		fold->made[fold->count++] = fold->it.key;
	fold->made[fold->count++] = value;
	return false;
}

static void
set_variables(struct fold *fold)
{
	const struct cel_node *node = fold->node;
	bool keys = node->slot < 0 && fold->it.holder->kind == CEL_MAP;

	if (node->slot >= 0)
		fold->run->locals[node->slot] = fold->it.key;
	fold->run->locals[node->value_slot] = keys ? fold->it.key : fold->it.value;
}

/* Whether the item is wanted; *stopped when that cannot be known. */
static bool
wanted(struct fold *fold, bool *stopped)
{
	const struct cel_node *filter = fold->node->kids[1];
	struct cel_value value;

	*stopped = false;
	if (filter == NULL)
		return true;
	value = cel_eval_node(fold->run, filter);
	if (value.kind == CEL_BOOL)
		return value.truth;
	*stopped = stop(fold, value.kind == CEL_ERROR ? value
						      : not_bool(fold, filter, &value));
	return false;
}

static struct cel_value
finish(struct fold *fold)
{
	if (fold->wrong.kind == CEL_ERROR)
		return fold->wrong;
	switch (fold->node->fold) {
	case CEL_ALL:
		return cel_bool(true);
	case CEL_EXISTS:
		return cel_bool(false);
	case CEL_EXISTS_ONE:
		return cel_bool(fold->count == 1);
	case CEL_TO_MAP:
		return cel_items(CEL_MAP, fold->made, fold->count / 2);
	default:
		return cel_items(CEL_LIST, fold->made, fold->count);
	}
}

struct cel_value
cel_fold(struct cel_run *run, const struct cel_node *node)
{
	static step_fn *const steps[CEL_FOLDS] = {
		[CEL_ALL] = step_all,
		[CEL_EXISTS] = step_exists,
		[CEL_EXISTS_ONE] = step_exists_one,
		[CEL_TO_LIST] = step_make,
		[CEL_TO_MAP] = step_make,
	};
	struct fold fold = { .run = run, .node = node, .wrong = { .kind = CEL_NULL } };
	struct cel_value range = cel_eval_node(run, node->kids[0]);
	bool stopped;

	if (range.kind == CEL_ERROR)
		return range;
	run->node = node;
	if (range.kind != CEL_LIST && range.kind != CEL_MAP)
		return cel_fail(run,
				"no such overload: %s.%s(): it walks a list or a map",
				cel_kind_name(range.kind), node->name);
	fold.it = cel_iter(&range);
	while (cel_next(&fold.it)) {
		if (!cel_spend(run, ITEM_COST))
			return cel_spent(run);
		set_variables(&fold);
		if ((wanted(&fold, &stopped) && steps[node->fold](&fold)) || stopped)
			return fold.result;
	}
	return finish(&fold);
}
