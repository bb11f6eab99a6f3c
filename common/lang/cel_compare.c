/* Equality and order of CEL's values. */
#include "lang/cel_compare.h"

#include <math.h>
#include <string.h>

#include "lang/cel_run.h"

#define ORDER(a, b) ((enum cel_order)(((a) > (b)) - ((a) < (b))))

bool
cel_is_number(const struct cel_value *value)
{
	return value->kind == CEL_INT || value->kind == CEL_UINT ||
	       value->kind == CEL_DOUBLE;
}

static enum cel_order
order_doubles(double a, double b)
{
	return isnan(a) || isnan(b) ? CEL_UNORDERED : ORDER(a, b);
}

static double
as_double(const struct cel_value *value)
{
	if (value->kind == CEL_INT)
		return (double)value->integer;
	return value->kind == CEL_UINT ? (double)value->natural : value->real;
}

static enum cel_order
order_numbers(const struct cel_value *a, const struct cel_value *b)
{
	if (a->kind == CEL_DOUBLE || b->kind == CEL_DOUBLE)
		return order_doubles(as_double(a), as_double(b));
	if (a->kind == CEL_INT && b->kind == CEL_INT)
		return ORDER(a->integer, b->integer);
	if (a->kind == CEL_INT)
		return a->integer < 0 ? CEL_LESS
				      : ORDER((uint64_t)a->integer, b->natural);
	if (b->kind == CEL_INT)
		return b->integer < 0 ? CEL_MORE
				      : ORDER(a->natural, (uint64_t)b->integer);
	return ORDER(a->natural, b->natural);
}

static enum cel_order
order_texts(const struct cel_text *a, const struct cel_text *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int order = len > 0 ? memcmp(a->data, b->data, len) : 0;

	return order != 0 ? ORDER(order, 0) : ORDER(a->len, b->len);
}

static enum cel_order
order_times(const struct cel_time *a, const struct cel_time *b)
{
	if (a->seconds != b->seconds)
		return ORDER(a->seconds, b->seconds);
	return ORDER(a->nanos, b->nanos);
}

bool
cel_compare(const struct cel_value *a, const struct cel_value *b, enum cel_order *out)
{
	if (cel_is_number(a) && cel_is_number(b)) {
		*out = order_numbers(a, b);
		return true;
	}
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case CEL_BOOL:
		*out = ORDER(a->truth, b->truth);
		return true;
	case CEL_STRING:
	case CEL_BYTES:
		*out = order_texts(&a->text, &b->text);
		return true;
	case CEL_TIMESTAMP:
		*out = order_times(&a->time, &b->time);
		return true;
	case CEL_DURATION:
		*out = ORDER(a->integer, b->integer);
		return true;
	default:
		return false;
	}
}

static bool
same_text(const struct cel_text *a, const struct cel_text *b)
{
	return a->len == b->len &&
	       (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

bool
cel_scalar_equal(const struct cel_value *a, const struct cel_value *b)
{
	enum cel_order order;

	if (a->kind == b->kind) {
		if (a->kind == CEL_NULL)
			return true;
		if (a->kind == CEL_TYPE)
			return a->type == b->type;
		if (a->kind == CEL_STRING || a->kind == CEL_BYTES)
			return same_text(&a->text, &b->text);
	}
	return cel_compare(a, b, &order) && order == CEL_SAME;
}

static bool
lists_equal(struct cel_run *run, const struct cel_value *a, const struct cel_value *b)
{
	struct cel_value left, right;
	size_t count = cel_count(a);

	for (size_t i = 0; i < count; i++) {
		left = cel_list_at(a, i);
		right = cel_list_at(b, i);
		cel_spend(run, 3);
		if (!cel_equal(run, &left, &right))
			return false;
	}
	return true;
}

static bool
maps_equal(struct cel_run *run, const struct cel_value *a, const struct cel_value *b)
{
	struct cel_value other;

	for (struct cel_iter it = cel_iter(a); cel_next(&it);)
		if (!cel_run_get(run, b, &it.key, &other) ||
		    !cel_equal(run, &it.value, &other))
			return false;
	return true;
}

bool
cel_equal(struct cel_run *run, const struct cel_value *a, const struct cel_value *b)
{
	size_t len = a->kind == CEL_STRING || a->kind == CEL_BYTES ? a->text.len : 0;

	if (!cel_spend(run, 1 + len / 64))
		return false;
	if (a->kind != b->kind || (a->kind != CEL_LIST && a->kind != CEL_MAP))
		return cel_scalar_equal(a, b);
	if (cel_count(a) != cel_count(b))
		return false;
	return a->kind == CEL_LIST ? lists_equal(run, a, b) : maps_equal(run, a, b);
}
