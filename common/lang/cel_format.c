/* string.format(): clauses %s %d %f %e %b %o %x %X, and %% for a percent sign. */
#include "lang/cel_format.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/xalloc.h"
#include "lang/cel_text.h"

#define PRECISION_MOST 100

struct format {
	struct cel_run *run;
	struct buf out;
	int precision;
	char clause;
	struct cel_value wrong;
};

typedef bool clause_fn(struct format *format, const struct cel_value *value);

static bool
refuse(struct format *format, const struct cel_value *value)
{
	format->wrong = cel_fail(format->run, "%%%c cannot show %s", format->clause,
				 cel_kind_name(value->kind));
	return false;
}

static bool
add(struct format *format, const char *text, size_t len)
{
	if (!cel_spend(format->run, 1 + len / 16)) {
		format->wrong = cel_spent(format->run);
		return false;
	}
	buf_add(&format->out, text, len);
	return true;
}

static bool show(struct format *format, const struct cel_value *value);

static bool
show_list(struct format *format, const struct cel_value *list)
{
	if (!add(format, "[", 1))
		return false;
	for (struct cel_iter it = cel_iter(list); cel_next(&it);) {
		if (it.key.integer > 0 && !add(format, ", ", 2))
			return false;
		if (!show(format, &it.value))
			return false;
	}
	return add(format, "]", 1);
}

struct pair {
	struct cel_text text; /* of the key */
	struct cel_value value;
};

static int
by_key(const void *left, const void *right)
{
	const struct pair *a = left, *b = right;
	size_t len = a->text.len < b->text.len ? a->text.len : b->text.len;
	int order = memcmp(a->text.data, b->text.data, len);

	return order != 0 ? order
			  : (a->text.len > b->text.len) - (a->text.len < b->text.len);
}

static bool
show_pairs(struct format *format, struct pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && !add(format, ", ", 2))
			return false;
		if (!add(format, pairs[i].text.data, pairs[i].text.len) ||
		    !add(format, ": ", 2) || !show(format, &pairs[i].value))
			return false;
	}
	return true;
}

static struct cel_text
key_text(struct format *format, const struct cel_value *key)
{
	char room[CEL_SCALAR_TEXT];
	struct cel_text text;

	text.data = cel_scalar_text(key, room, &text.len);
	if (text.data == room)
		text.data = arena_strndup(&format->run->arena, room, text.len);
	return text;
}

/* In the order of the keys' texts, so that it does not depend on how it was made. */
static bool
show_map(struct format *format, const struct cel_value *map)
{
	size_t count = cel_count(map), at = 0;
	struct pair *pairs;
	bool good;

	if (!cel_spend(format->run, 20 * count)) {
		format->wrong = cel_spent(format->run);
		return false;
	}
	pairs = xcalloc(count + 1, sizeof *pairs);
	for (struct cel_iter it = cel_iter(map); cel_next(&it); at++) {
		pairs[at].text = key_text(format, &it.key);
		pairs[at].value = it.value;
	}
	qsort(pairs, count, sizeof *pairs, by_key);
	good = add(format, "{", 1) && show_pairs(format, pairs, count) &&
	       add(format, "}", 1);
	free(pairs);
	return good;
}

static bool
show_bytes(struct format *format, const struct cel_value *value)
{
	struct buf repaired = { 0 };
	bool good;

	if (!cel_spend(format->run, value->text.len / 4)) {
		format->wrong = cel_spent(format->run);
		return false;
	}
	utf8_repair(value->text.data, value->text.len, &repaired);
	good = add(format, buf_text(&repaired), repaired.len);
	buf_fini(&repaired);
	return good;
}

static bool
show_scalar(struct format *format, const struct cel_value *value)
{
	char room[CEL_SCALAR_TEXT];
	const char *text;
	size_t len;

	if (!cel_spend(format->run, value->kind == CEL_DOUBLE ? 60 : 4)) {
		format->wrong = cel_spent(format->run);
		return false;
	}
	text = cel_scalar_text(value, room, &len);
	return add(format, text, len);
}

static bool
show(struct format *format, const struct cel_value *value)
{
	switch (value->kind) {
	case CEL_LIST:
		return show_list(format, value);
	case CEL_MAP:
		return show_map(format, value);
	case CEL_BYTES:
		return show_bytes(format, value);
	default:
		return show_scalar(format, value);
	}
}

/* NaN and the infinities show in every clause for numbers. */
static bool
show_special(struct format *format, double real)
{
	char room[CEL_DOUBLE_TEXT];
	const char *text = cel_double_text(real, room);

	return add(format, text, strlen(text));
}

static bool
show_decimal(struct format *format, const struct cel_value *value)
{
	if (value->kind == CEL_DOUBLE && !isfinite(value->real))
		return show_special(format, value->real);
	if (value->kind != CEL_INT && value->kind != CEL_UINT)
		return refuse(format, value);
	return show(format, value);
}

static bool
show_real(struct format *format, const struct cel_value *value)
{
	int precision = format->precision < 0 ? 6 : format->precision;
	char text[500];
	double real;

	if (value->kind == CEL_DOUBLE)
		real = value->real;
	else if (value->kind == CEL_INT)
		real = (double)value->integer;
	else if (value->kind == CEL_UINT)
		real = (double)value->natural;
	else
		return refuse(format, value);
	if (!isfinite(real))
		return show_special(format, real);
	if (!cel_spend(format->run, 50)) {
		format->wrong = cel_spent(format->run);
		return false;
	}
	if (format->clause == 'e')
		snprintf(text, sizeof text, "%.*e", precision, real);
	else
		snprintf(text, sizeof text, "%.*f", precision, real);
	return add(format, text, strlen(text));
}

static bool
show_in_base(struct format *format, const struct cel_value *value, unsigned bits)
{
	const char *digits =
	    format->clause == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	bool negative = value->kind == CEL_INT && value->integer < 0;
	uint64_t rest = value->kind == CEL_UINT   ? value->natural
			: value->kind == CEL_BOOL ? value->truth
			: negative                ? -(uint64_t)value->integer
						  : (uint64_t)value->integer;
	char text[70];
	size_t at = sizeof text;

	do {
		text[--at] = digits[rest & ((1U << bits) - 1)];
		rest >>= bits;
	} while (rest > 0);
	if (negative)
		text[--at] = '-';
	return add(format, text + at, sizeof text - at);
}

static bool
show_binary(struct format *format, const struct cel_value *value)
{
	if (value->kind != CEL_INT && value->kind != CEL_UINT &&
	    value->kind != CEL_BOOL)
		return refuse(format, value);
	return show_in_base(format, value, 1);
}

static bool
show_octal(struct format *format, const struct cel_value *value)
{
	if (value->kind != CEL_INT && value->kind != CEL_UINT)
		return refuse(format, value);
	return show_in_base(format, value, 3);
}

static bool
show_hex(struct format *format, const struct cel_value *value)
{
	const char *pair = format->clause == 'X' ? "%02X" : "%02x";
	char text[4];

	if (value->kind == CEL_INT || value->kind == CEL_UINT)
		return show_in_base(format, value, 4);
	if (value->kind != CEL_STRING && value->kind != CEL_BYTES)
		return refuse(format, value);
	for (size_t i = 0; i < value->text.len; i++) {
		snprintf(text, sizeof text, pair, (unsigned char)value->text.data[i]);
		if (!add(format, text, 2))
			return false;
	}
	return true;
}

static const struct {
	char letter;
	clause_fn *fn;
} clauses[] = {
	{ 's', show },      { 'd', show_decimal }, { 'f', show_real },
	{ 'e', show_real }, { 'b', show_binary },  { 'o', show_octal },
	{ 'x', show_hex },  { 'X', show_hex },
};

/* ".3" behind the percent sign; the byte behind it. */
static size_t
read_precision(struct format *format, const struct cel_text *text, size_t at)
{
	format->precision = -1;
	if (at == text->len || text->data[at] != '.')
		return at;
	format->precision = 0;
	for (at++; at < text->len && isdigit((unsigned char)text->data[at]); at++)
		if (format->precision <= PRECISION_MOST)
			format->precision =
			    format->precision * 10 + (text->data[at] - '0');
	return at;
}

static clause_fn *
read_clause(struct format *format, const struct cel_text *text, size_t *at)
{
	*at = read_precision(format, text, *at);
	format->clause = *at < text->len ? text->data[*at] : '\0';
	for (size_t i = 0; i < sizeof clauses / sizeof clauses[0]; i++)
		if (clauses[i].letter == format->clause &&
		    format->precision <= PRECISION_MOST)
			return clauses[i].fn;
	format->wrong = cel_fail(format->run,
				 "unknown clause in format(): they are %%s %%d %%f %%e "
				 "%%b %%o %%x %%X, and %%%% for a percent sign");
	return NULL;
}

static bool
run_format(struct format *format, const struct cel_text *text,
	   const struct cel_value *list)
{
	struct cel_value value;
	size_t used = 0, start;
	const char *percent;
	clause_fn *clause;

	for (size_t at = 0; at < text->len; at++) {
		start = at;
		percent = memchr(text->data + at, '%', text->len - at);
		at = percent == NULL ? text->len : (size_t)(percent - text->data);
		if (!add(format, text->data + start, at - start))
			return false;
		if (percent == NULL)
			return true;
		if (++at < text->len && text->data[at] == '%') {
			if (!add(format, "%", 1))
				return false;
			continue;
		}
		clause = read_clause(format, text, &at);
		if (clause == NULL)
			return false;
		if (used == cel_count(list)) {
			format->wrong = cel_fail(
			    format->run, "format() has more clauses than values");
			return false;
		}
		value = cel_list_at(list, used++);
		if (!clause(format, &value))
			return false;
	}
	return true;
}

struct cel_value
cel_format(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct format format = { .run = run };

	if (args[0].kind != CEL_STRING || args[1].kind != CEL_LIST)
		return cel_no_overload(run, args, count);
	if (run_format(&format, &args[0].text, &args[1]))
		return cel_take_text(run, &format.out);
	buf_fini(&format.out);
	return format.wrong;
}
