/*
 * Arithmetic. Whole numbers are checked: what does not fit is an error, never a wrapped
 * number. Types are not mixed, as the language says; the message says how to convert.
 */
#include "lang/cel_arith.h"

#include <string.h>

#include "lang/cel_compare.h"
#include "lang/cel_time.h"

static const char *const signs[CEL_OPS] = {
	[CEL_LESS_THAN] = "<", [CEL_AT_MOST] = "<=", [CEL_MORE_THAN] = ">",
	[CEL_AT_LEAST] = ">=", [CEL_ADD] = "+",      [CEL_SUBTRACT] = "-",
	[CEL_MULTIPLY] = "*",  [CEL_DIVIDE] = "/",   [CEL_REMAINDER] = "%",
	[CEL_IN] = "in",
};

static const char *
advice(const struct cel_value *a, const struct cel_value *b)
{
	bool text = a->kind == CEL_STRING || b->kind == CEL_STRING;

	if (a->kind == CEL_NULL || b->kind == CEL_NULL)
		return "; one side is null";
	if (cel_is_number(a) && cel_is_number(b))
		return a->kind == b->kind ? "" : "; convert one: int(...), double(...)";
	if (text && (a->kind == CEL_TIMESTAMP || b->kind == CEL_TIMESTAMP))
		return "; write timestamp(...) around the string";
	if (text && (a->kind == CEL_DURATION || b->kind == CEL_DURATION))
		return "; write duration(...) around the string";
	if (text && (cel_is_number(a) || cel_is_number(b)))
		return "; convert one: string(...), int(...), double(...)";
	return "";
}

struct cel_value
cel_no_operator(struct cel_run *run, enum cel_op op, const struct cel_value *a,
		const struct cel_value *b)
{
	return cel_fail(run, "no such overload: %s %s %s%s", cel_kind_name(a->kind),
			signs[op], cel_kind_name(b->kind), advice(a, b));
}

static struct cel_value
overflow(struct cel_run *run, const char *what)
{
	return cel_fail(run, "the result is out of the range of %s", what);
}

static struct cel_value
ints(struct cel_run *run, enum cel_op op, int64_t a, int64_t b)
{
	int64_t out = 0;
	bool over = false;

	if ((op == CEL_DIVIDE || op == CEL_REMAINDER) && b == 0)
		return cel_fail(run, "%s by zero",
				op == CEL_DIVIDE ? "division" : "modulus");
	if (op == CEL_ADD)
		over = __builtin_add_overflow(a, b, &out);
	else if (op == CEL_SUBTRACT)
		over = __builtin_sub_overflow(a, b, &out);
	else if (op == CEL_MULTIPLY)
		over = __builtin_mul_overflow(a, b, &out);
	else if (a == INT64_MIN && b == -1)
		over = true;
	else
		out = op == CEL_DIVIDE ? a / b : a % b;
	return over ? overflow(run, "int") : cel_int(out);
}

static struct cel_value
uints(struct cel_run *run, enum cel_op op, uint64_t a, uint64_t b)
{
	uint64_t out = 0;
	bool over = false;

	if ((op == CEL_DIVIDE || op == CEL_REMAINDER) && b == 0)
		return cel_fail(run, "%s by zero",
				op == CEL_DIVIDE ? "division" : "modulus");
	if (op == CEL_ADD)
		over = __builtin_add_overflow(a, b, &out);
	else if (op == CEL_SUBTRACT)
		over = __builtin_sub_overflow(a, b, &out);
	else if (op == CEL_MULTIPLY)
		over = __builtin_mul_overflow(a, b, &out);
	else
		out = op == CEL_DIVIDE ? a / b : a % b;
	return over ? overflow(run, "uint") : cel_uint(out);
}

static struct cel_value
doubles(enum cel_op op, double a, double b)
{
	switch (op) {
	case CEL_ADD:
		return cel_double(a + b);
	case CEL_SUBTRACT:
		return cel_double(a - b);
	case CEL_MULTIPLY:
		return cel_double(a * b);
	default:
		return cel_double(a / b);
	}
}

static struct cel_value
concat_texts(struct cel_run *run, const struct cel_value *a, const struct cel_value *b)
{
	size_t left = a->text.len, right = b->text.len;
	char *out;

	if (right == 0)
		return *a;
	if (left == 0)
		return *b;
	if (!cel_spend(run, right / 16 + 1))
		return cel_spent(run);
	if (arena_extend(&run->arena, a->text.data, left, right)) {
		out = (char *)a->text.data; /* ours: the arena's last */
	} else {
		out = cel_alloc(run, left + right);
		if (out == NULL)
			return cel_spent(run);
		memcpy(out, a->text.data, left);
	}
	memcpy(out + left, b->text.data, right);
	return cel_text(a->kind, out, left + right);
}

static struct cel_value
concat_lists(struct cel_run *run, const struct cel_value *a, const struct cel_value *b)
{
	size_t left = cel_count(a), right = cel_count(b);
	struct cel_value *items;

	if (right == 0)
		return *a;
	if (left == 0)
		return *b;
	items = cel_alloc_values(run, left + right);
	if (items == NULL)
		return cel_spent(run);
	for (size_t i = 0; i < left; i++)
		items[i] = cel_list_at(a, i);
	for (size_t i = 0; i < right; i++)
		items[left + i] = cel_list_at(b, i);
	return cel_items(CEL_LIST, items, left + right);
}

struct cel_value
cel_concat(struct cel_run *run, const struct cel_value *a, const struct cel_value *b)
{
	if (a->kind == CEL_LIST)
		return concat_lists(run, a, b);
	return concat_texts(run, a, b);
}

struct cel_value
cel_arith(struct cel_run *run, enum cel_op op, const struct cel_value *a,
	  const struct cel_value *b)
{
	bool same = a->kind == b->kind;

	if (same && a->kind == CEL_INT)
		return ints(run, op, a->integer, b->integer);
	if (same && a->kind == CEL_UINT)
		return uints(run, op, a->natural, b->natural);
	if (same && a->kind == CEL_DOUBLE && op != CEL_REMAINDER)
		return doubles(op, a->real, b->real);
	if (same && op == CEL_ADD &&
	    (a->kind == CEL_STRING || a->kind == CEL_BYTES || a->kind == CEL_LIST))
		return cel_concat(run, a, b);
	if (op == CEL_ADD || op == CEL_SUBTRACT)
		return cel_time_arith(run, op, a, b);
	return cel_no_operator(run, op, a, b);
}

struct cel_value
cel_negate(struct cel_run *run, const struct cel_value *value)
{
	if (value->kind == CEL_DOUBLE)
		return cel_double(-value->real);
	if (value->kind == CEL_INT && value->integer != INT64_MIN)
		return cel_int(-value->integer);
	if (value->kind == CEL_INT)
		return overflow(run, "int");
	return cel_fail(run, "no such overload: -%s", cel_kind_name(value->kind));
}
