/*
 * Walking the tree: one small function per kind of node, in a table. The tree's depth
 * is bounded, loops are over what is there, each step is counted.
 */
#include "lang/cel_eval.h"

#include <string.h>

#include "lang/cel_arith.h"
#include "lang/cel_compare.h"
#include "lang/cel_fold.h"
#include "lang/cel_function.h"

#define FEW_ARGS 4

typedef struct cel_value eval_fn(struct cel_run *run, const struct cel_node *node);

static struct cel_value
eval_const(struct cel_run *run, const struct cel_node *node)
{
	(void)run;
	return node->value;
}

static struct cel_value
eval_local(struct cel_run *run, const struct cel_node *node)
{
	return run->locals[node->slot];
}

static struct cel_value
eval_name(struct cel_run *run, const struct cel_node *node)
{
	struct cel_value value;

	cel_spend(run, 2);
	if (run->env->lookup(run->env->context, node->name, &value))
		return value;
	run->node = node;
	return cel_fail(run, "no such variable: \"%.60s\"", node->name);
}

static struct cel_value
no_members(struct cel_run *run, const struct cel_value *of, const char *name)
{
	if (of->kind == CEL_NULL)
		return cel_fail(
		    run, "no such key: \"%.60s\": what stands before it is null", name);
	return cel_fail(run, "no such overload: %s has no member \"%.60s\"",
			cel_kind_name(of->kind), name);
}

static struct cel_value
eval_select(struct cel_run *run, const struct cel_node *node)
{
	struct cel_value of, value, key;

	if (run->env->dotted && node->path != NULL &&
	    run->env->lookup(run->env->context, node->path, &value))
		return value;
	of = cel_eval_node(run, node->kids[0]);
	if (of.kind == CEL_ERROR)
		return of;
	run->node = node;
	if (of.kind != CEL_MAP)
		return no_members(run, &of, node->name);
	if (!cel_spend(run, of.json == NULL ? of.items.count / 8 + 1 : 1))
		return cel_spent(run);
	if (cel_map_member(&of, node->name, node->name_len, &value))
		return value;
	key = cel_text(CEL_STRING, node->name, node->name_len);
	return cel_no_key(run, &of, &key);
}

static struct cel_value
eval_has(struct cel_run *run, const struct cel_node *node)
{
	struct cel_value of = cel_eval_node(run, node->kids[0]), value;

	if (of.kind == CEL_ERROR)
		return of;
	run->node = node;
	if (of.kind != CEL_MAP)
		return no_members(run, &of, node->name);
	if (!cel_spend(run, of.json == NULL ? of.items.count / 8 + 1 : 1))
		return cel_spent(run);
	return cel_bool(cel_map_member(&of, node->name, node->name_len, &value));
}

/* Both operands, in order. false: *error holds what went wrong. */
static inline bool
eval_both(struct cel_run *run, const struct cel_node *node, struct cel_value values[2],
	  struct cel_value *error)
{
	for (int i = 0; i < 2; i++) {
		values[i] = cel_eval_node(run, node->kids[i]);
		if (values[i].kind == CEL_ERROR) {
			*error = values[i];
			return false;
		}
	}
	run->node = node;
	return true;
}

/* The place in a list that a number means; false when it is no whole number in range.
 */
static bool
list_index(const struct cel_value *index, size_t count, size_t *out)
{
	if (index->kind == CEL_INT)
		*out = index->integer < 0 ? count : (size_t)index->integer;
	else if (index->kind == CEL_UINT)
		*out = (size_t)index->natural;
	else if (index->real >= 0 && index->real < (double)count)
		*out = (size_t)index->real;
	else
		*out = count;
	return *out < count &&
	       (index->kind != CEL_DOUBLE || (double)*out == index->real);
}

static struct cel_value
index_list(struct cel_run *run, const struct cel_value *list,
	   const struct cel_value *index)
{
	size_t count = cel_count(list), at;
	char shown[40];

	if (!cel_is_number(index))
		return cel_fail(run, "no such overload: list[%s]: an index is a number",
				cel_kind_name(index->kind));
	if (!list_index(index, count, &at))
		return cel_fail(run, "index %s is outside of a list of %zu",
				cel_show(index, shown, sizeof shown), count);
	return cel_list_at(list, at);
}

static struct cel_value
eval_index(struct cel_run *run, const struct cel_node *node)
{
	struct cel_value values[2], value;

	if (!eval_both(run, node, values, &value))
		return value;
	if (values[0].kind == CEL_LIST)
		return index_list(run, &values[0], &values[1]);
	if (values[0].kind != CEL_MAP)
		return cel_fail(run, "no such overload: %s[%s]",
				cel_kind_name(values[0].kind),
				cel_kind_name(values[1].kind));
	if (cel_run_get(run, &values[0], &values[1], &value))
		return value;
	return cel_no_key(run, &values[0], &values[1]);
}

static struct cel_value
eval_call(struct cel_run *run, const struct cel_node *node)
{
	struct cel_value few[FEW_ARGS], *args = few;

	if (node->count > FEW_ARGS) {
		args = cel_alloc_values(run, node->count);
		if (args == NULL)
			return cel_spent(run);
	}
	for (size_t i = 0; i < node->count; i++) {
		args[i] = cel_eval_node(run, node->kids[i]);
		if (args[i].kind == CEL_ERROR)
			return args[i];
	}
	run->node = node;
	if (node->function == NULL)
		return cel_fail(run,
				"no such function, or not with these arguments: "
				"\"%.60s\"",
				node->name);
	return node->function->fn(run, args, node->count);
}

static struct cel_value
eval_make_list(struct cel_run *run, const struct cel_node *node)
{
	struct cel_value *items = cel_alloc_values(run, node->count);

	if (items == NULL)
		return cel_spent(run);
	for (size_t i = 0; i < node->count; i++) {
		items[i] = cel_eval_node(run, node->kids[i]);
		if (items[i].kind == CEL_ERROR)
			return items[i];
	}
	return cel_items(CEL_LIST, items, node->count);
}

static bool
is_key(const struct cel_value *value)
{
	return value->kind == CEL_STRING || value->kind == CEL_INT ||
	       value->kind == CEL_UINT || value->kind == CEL_BOOL;
}

static struct cel_value
eval_make_map(struct cel_run *run, const struct cel_node *node)
{
	struct cel_value *pairs = cel_alloc_values(run, node->count), map, twice;
	char shown[80];

	if (pairs == NULL)
		return cel_spent(run);
	map = cel_items(CEL_MAP, pairs, 0);
	for (size_t i = 0; i < node->count; i += 2) {
		for (size_t j = i; j < i + 2; j++) {
			pairs[j] = cel_eval_node(run, node->kids[j]);
			if (pairs[j].kind == CEL_ERROR)
				return pairs[j];
		}
		run->node = node->kids[i];
		if (!is_key(&pairs[i]))
			return cel_fail(run, "unsupported key type: %s",
					cel_kind_name(pairs[i].kind));
		if (cel_run_get(run, &map, &pairs[i], &twice))
			return cel_fail(run, "repeated key: %s",
					cel_show(&pairs[i], shown, sizeof shown));
		map.items.count++;
	}
	return run->cost < 0 ? cel_spent(run) : map;
}

/* One side that decides is enough, whatever goes wrong in the others. */
static struct cel_value
eval_logic(struct cel_run *run, const struct cel_node *node, bool decides)
{
	struct cel_value wrong = { .kind = CEL_NULL }, value;

	for (size_t i = 0; i < node->count && run->cost >= 0; i++) {
		value = cel_eval_node(run, node->kids[i]);
		if (value.kind == CEL_BOOL && value.truth == decides)
			return value;
		if (value.kind == CEL_BOOL || wrong.kind == CEL_ERROR)
			continue;
		wrong = value;
		run->node = node->kids[i];
		if (value.kind != CEL_ERROR)
			wrong =
			    cel_fail(run, "no such overload: %s is no bool in %s",
				     cel_kind_name(value.kind), decides ? "||" : "&&");
	}
	if (run->cost < 0)
		return cel_spent(run);
	return wrong.kind == CEL_ERROR ? wrong : cel_bool(!decides);
}

static struct cel_value
eval_and(struct cel_run *run, const struct cel_node *node)
{
	return eval_logic(run, node, false);
}

static struct cel_value
eval_or(struct cel_run *run, const struct cel_node *node)
{
	return eval_logic(run, node, true);
}

static struct cel_value
eval_if(struct cel_run *run, const struct cel_node *node)
{
	struct cel_value condition = cel_eval_node(run, node->kids[0]);

	if (condition.kind == CEL_ERROR)
		return condition;
	if (condition.kind == CEL_BOOL)
		return cel_eval_node(run, node->kids[condition.truth ? 1 : 2]);
	run->node = node;
	return cel_fail(run, "no such overload: %s is no bool in front of ?",
			cel_kind_name(condition.kind));
}

static struct cel_value
eval_not(struct cel_run *run, const struct cel_node *node)
{
	struct cel_value value = cel_eval_node(run, node->kids[0]);

	if (value.kind == CEL_ERROR)
		return value;
	if (value.kind == CEL_BOOL)
		return cel_bool(!value.truth);
	run->node = node;
	return cel_fail(run, "no such overload: !%s", cel_kind_name(value.kind));
}

static struct cel_value
eval_negate(struct cel_run *run, const struct cel_node *node)
{
	struct cel_value value = cel_eval_node(run, node->kids[0]);

	if (value.kind == CEL_ERROR)
		return value;
	run->node = node;
	return cel_negate(run, &value);
}

static struct cel_value
eval_equal(struct cel_run *run, const struct cel_node *node)
{
	struct cel_value values[2], error;
	bool equal;

	if (!eval_both(run, node, values, &error))
		return error;
	equal = cel_equal(run, &values[0], &values[1]);
	if (run->cost < 0)
		return cel_spent(run);
	return cel_bool(equal == (node->op == CEL_EQUAL));
}

static struct cel_value
eval_order(struct cel_run *run, const struct cel_node *node)
{
	struct cel_value values[2], error;
	enum cel_order order;

	if (!eval_both(run, node, values, &error))
		return error;
	if (!cel_compare(&values[0], &values[1], &order))
		return cel_no_operator(run, node->op, &values[0], &values[1]);
	if (values[0].kind == CEL_STRING && !cel_spend(run, values[0].text.len / 64))
		return cel_spent(run);
	switch (node->op) {
	case CEL_LESS_THAN:
		return cel_bool(order == CEL_LESS);
	case CEL_AT_MOST:
		return cel_bool(order == CEL_LESS || order == CEL_SAME);
	case CEL_MORE_THAN:
		return cel_bool(order == CEL_MORE);
	default:
		return cel_bool(order == CEL_MORE || order == CEL_SAME);
	}
}

static bool
in_list(struct cel_run *run, const struct cel_value *list,
	const struct cel_value *value)
{
	size_t count = cel_count(list);
	struct cel_value item;

	for (size_t i = 0; i < count && run->cost >= 0; i++) {
		item = cel_list_at(list, i);
		cel_spend(run, 2);
		if (cel_equal(run, &item, value))
			return true;
	}
	return false;
}

static struct cel_value
eval_in(struct cel_run *run, const struct cel_node *node)
{
	struct cel_value values[2], value;
	bool in;

	if (!eval_both(run, node, values, &value))
		return value;
	if (values[1].kind == CEL_LIST)
		in = in_list(run, &values[1], &values[0]);
	else if (values[1].kind == CEL_MAP)
		in = cel_run_get(run, &values[1], &values[0], &value);
	else
		return cel_no_operator(run, CEL_IN, &values[0], &values[1]);
	return run->cost < 0 ? cel_spent(run) : cel_bool(in);
}

static struct cel_value
eval_arith(struct cel_run *run, const struct cel_node *node)
{
	struct cel_value values[2], error;

	if (!eval_both(run, node, values, &error))
		return error;
	return cel_arith(run, node->op, &values[0], &values[1]);
}

static struct cel_value
eval_bind(struct cel_run *run, const struct cel_node *node)
{
	struct cel_value value = cel_eval_node(run, node->kids[0]);

	if (value.kind == CEL_ERROR)
		return value;
	run->locals[node->slot] = value;
	return cel_eval_node(run, node->kids[1]);
}

struct cel_value
cel_eval_node(struct cel_run *run, const struct cel_node *node)
{
	static eval_fn *const ops[CEL_OPS] = {
		[CEL_CONST] = eval_const,
		[CEL_NAME] = eval_name,
		[CEL_LOCAL] = eval_local,
		[CEL_SELECT] = eval_select,
		[CEL_HAS] = eval_has,
		[CEL_INDEX] = eval_index,
		[CEL_CALL] = eval_call,
		[CEL_MAKE_LIST] = eval_make_list,
		[CEL_MAKE_MAP] = eval_make_map,
		[CEL_AND] = eval_and,
		[CEL_OR] = eval_or,
		[CEL_IF] = eval_if,
		[CEL_NOT] = eval_not,
		[CEL_NEGATE] = eval_negate,
		[CEL_EQUAL] = eval_equal,
		[CEL_UNEQUAL] = eval_equal,
		[CEL_LESS_THAN] = eval_order,
		[CEL_AT_MOST] = eval_order,
		[CEL_MORE_THAN] = eval_order,
		[CEL_AT_LEAST] = eval_order,
		[CEL_IN] = eval_in,
		[CEL_ADD] = eval_arith,
		[CEL_SUBTRACT] = eval_arith,
		[CEL_MULTIPLY] = eval_arith,
		[CEL_DIVIDE] = eval_arith,
		[CEL_REMAINDER] = eval_arith,
		[CEL_FOLD] = cel_fold,
		[CEL_BIND] = eval_bind,
	};

	if (!cel_spend(run, 1)) {
		run->node = node;
		return cel_spent(run);
	}
	return ops[node->op](run, node);
}
