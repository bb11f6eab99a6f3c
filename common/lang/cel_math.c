/* The math namespace: greatest and least, rounding, signs, bits. */
#include <math.h>

#include "lang/cel_arith.h"
#include "lang/cel_compare.h"
#include "lang/cel_function.h"

enum what {
	CEIL,
	FLOOR,
	ROUND,
	TRUNC,
	SQRT,
	IS_NAN,
	IS_INF,
	IS_FINITE,
	BIT_AND,
	BIT_OR,
	BIT_XOR,
	SHIFT_LEFT,
	SHIFT_RIGHT
};

static struct cel_value
fn_extreme(struct cel_run *run, const struct cel_value *args, size_t count)
{
	enum cel_order wanted = (enum cel_order)run->node->function->detail, order;
	struct cel_value all = cel_items(CEL_LIST, (struct cel_value *)args, count);
	struct cel_value best = { .kind = CEL_NULL };

	if (count == 1 && args[0].kind == CEL_LIST)
		all = args[0];
	for (struct cel_iter it = cel_iter(&all); cel_next(&it);) {
		if (!cel_spend(run, 1))
			return cel_spent(run);
		if (!cel_is_number(&it.value))
			return cel_no_overload(run, args, count < 4 ? count : 4);
		if (best.kind == CEL_NULL ||
		    (cel_compare(&it.value, &best, &order) && order == wanted))
			best = it.value;
	}
	if (best.kind == CEL_NULL)
		return cel_fail(run, "there is nothing in the list");
	return best;
}

static struct cel_value
fn_real(struct cel_run *run, const struct cel_value *args, size_t count)
{
	double real = args[0].real;

	if (args[0].kind != CEL_DOUBLE)
		return cel_no_overload(run, args, count);
	switch ((enum what)run->node->function->detail) {
	case CEIL:
		return cel_double(ceil(real));
	case FLOOR:
		return cel_double(floor(real));
	case ROUND:
		return cel_double(round(real));
	case TRUNC:
		return cel_double(trunc(real));
	case IS_NAN:
		return cel_bool(isnan(real));
	case IS_INF:
		return cel_bool(isinf(real));
	default:
		return cel_bool(isfinite(real));
	}
}

static struct cel_value
fn_sqrt(struct cel_run *run, const struct cel_value *args, size_t count)
{
	if (args[0].kind == CEL_INT)
		return cel_double(sqrt((double)args[0].integer));
	if (args[0].kind == CEL_UINT)
		return cel_double(sqrt((double)args[0].natural));
	if (args[0].kind != CEL_DOUBLE)
		return cel_no_overload(run, args, count);
	return cel_double(sqrt(args[0].real));
}

static struct cel_value
fn_abs(struct cel_run *run, const struct cel_value *args, size_t count)
{
	if (!cel_is_number(&args[0]))
		return cel_no_overload(run, args, count);
	if (args[0].kind == CEL_DOUBLE)
		return cel_double(fabs(args[0].real));
	if (args[0].kind == CEL_INT && args[0].integer < 0)
		return cel_negate(run, &args[0]);
	return args[0];
}

static struct cel_value
fn_sign(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_value *value = &args[0];

	if (!cel_is_number(value))
		return cel_no_overload(run, args, count);
	if (value->kind == CEL_INT)
		return cel_int((value->integer > 0) - (value->integer < 0));
	if (value->kind == CEL_UINT)
		return cel_uint(value->natural > 0);
	if (isnan(value->real))
		return *value;
	return cel_double((value->real > 0) - (value->real < 0));
}

static uint64_t
combine(enum what what, uint64_t a, uint64_t b)
{
	switch (what) {
	case BIT_AND:
		return a & b;
	case BIT_OR:
		return a | b;
	case BIT_XOR:
		return a ^ b;
	case SHIFT_LEFT:
		return b > 63 ? 0 : a << b;
	default:
		return b > 63 ? 0 : a >> b;
	}
}

static struct cel_value
whole_like(const struct cel_value *like, uint64_t bits)
{
	return like->kind == CEL_UINT ? cel_uint(bits) : cel_int((int64_t)bits);
}

static bool
is_whole(const struct cel_value *value)
{
	return value->kind == CEL_INT || value->kind == CEL_UINT;
}

static uint64_t
bits_of(const struct cel_value *value)
{
	return value->kind == CEL_UINT ? value->natural : (uint64_t)value->integer;
}

static struct cel_value
fn_bits(struct cel_run *run, const struct cel_value *args, size_t count)
{
	enum what what = (enum what)run->node->function->detail;

	if (!is_whole(&args[0]) || args[1].kind != args[0].kind)
		return cel_no_overload(run, args, count);
	return whole_like(&args[0],
			  combine(what, bits_of(&args[0]), bits_of(&args[1])));
}

static struct cel_value
fn_shift(struct cel_run *run, const struct cel_value *args, size_t count)
{
	enum what what = (enum what)run->node->function->detail;

	if (!is_whole(&args[0]) || args[1].kind != CEL_INT)
		return cel_no_overload(run, args, count);
	if (args[1].integer < 0)
		return cel_fail(run, "a shift by a negative number");
	return whole_like(&args[0],
			  combine(what, bits_of(&args[0]), bits_of(&args[1])));
}

static struct cel_value
fn_bit_not(struct cel_run *run, const struct cel_value *args, size_t count)
{
	if (!is_whole(&args[0]))
		return cel_no_overload(run, args, count);
	return whole_like(&args[0], ~bits_of(&args[0]));
}

#define MATH(name, least, most, fn, takes, detail)                                     \
	{                                                                              \
		"math." name, true, false, least, most, fn, "math." name takes,        \
		    (int)(detail)                                                      \
	}

const struct cel_function cel_math_functions[] = {
	MATH("greatest", 1, CEL_ARGS_MAX, fn_extreme, "(numbers or a list of them)",
	     CEL_MORE),
	MATH("least", 1, CEL_ARGS_MAX, fn_extreme, "(numbers or a list of them)",
	     CEL_LESS),
	MATH("ceil", 1, 1, fn_real, "(double)", CEIL),
	MATH("floor", 1, 1, fn_real, "(double)", FLOOR),
	MATH("round", 1, 1, fn_real, "(double)", ROUND),
	MATH("trunc", 1, 1, fn_real, "(double)", TRUNC),
	MATH("sqrt", 1, 1, fn_sqrt, "(number)", SQRT),
	MATH("abs", 1, 1, fn_abs, "(number)", 0),
	MATH("sign", 1, 1, fn_sign, "(number)", 0),
	MATH("isNaN", 1, 1, fn_real, "(double)", IS_NAN),
	MATH("isInf", 1, 1, fn_real, "(double)", IS_INF),
	MATH("isFinite", 1, 1, fn_real, "(double)", IS_FINITE),
	MATH("bitAnd", 2, 2, fn_bits, "(int, int) or (uint, uint)", BIT_AND),
	MATH("bitOr", 2, 2, fn_bits, "(int, int) or (uint, uint)", BIT_OR),
	MATH("bitXor", 2, 2, fn_bits, "(int, int) or (uint, uint)", BIT_XOR),
	MATH("bitNot", 1, 1, fn_bit_not, "(int|uint)", 0),
	MATH("bitShiftLeft", 2, 2, fn_shift, "(int|uint, int)", SHIFT_LEFT),
	MATH("bitShiftRight", 2, 2, fn_shift, "(int|uint, int)", SHIFT_RIGHT),
	{ 0 },
};
