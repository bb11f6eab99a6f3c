/* Values as text. */
#include "lang/cel_text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/cel_time.h"

/* Plain digits between these exponents, as people read them; else with an e. */
#define PLAIN_LEAST -7
#define PLAIN_MOST  21

struct decimal { /* 0.DIGITS * 10^point */
	char digits[20];
	int count, point;
};

/* The fewest digits that read back as the same number: what 15 digits hold needs no
 * more, and 17 hold every double; the tiny ones hold less. */
static void
shortest(double value, struct decimal *out)
{
	char text[40];
	const char *exponent;
	int precision;

	for (precision = value < DBL_MIN ? 0 : 14; precision < 17; precision++) {
		snprintf(text, sizeof text, "%.*e", precision, value);
		if (strtod(text, NULL) == value)
			break;
	}
	out->count = 0;
	for (const char *c = text; *c != 'e'; c++)
		if (*c != '.')
			out->digits[out->count++] = *c;
	while (out->count > 1 && out->digits[out->count - 1] == '0')
		out->count--;
	exponent = strchr(text, 'e') + 1;
	out->point = atoi(exponent) + 1;
}

static void
write_plain(const struct decimal *decimal, struct buf *out)
{
	int at = 0;

	if (decimal->point <= 0) {
		buf_str(out, "0.");
		for (int i = decimal->point; i < 0; i++)
			buf_char(out, '0');
	}
	for (; at < decimal->count; at++) {
		if (at == decimal->point && at > 0)
			buf_char(out, '.');
		buf_char(out, decimal->digits[at]);
	}
	for (; at < decimal->point; at++)
		buf_char(out, '0');
}

static void
write_decimal(double value, char out[CEL_DOUBLE_TEXT])
{
	struct decimal decimal;
	struct buf buf = { 0 };

	shortest(fabs(value), &decimal);
	if (signbit(value))
		buf_char(&buf, '-');
	if (decimal.point > PLAIN_LEAST + 1 && decimal.point <= PLAIN_MOST) {
		write_plain(&decimal, &buf);
	} else {
		buf_char(&buf, decimal.digits[0]);
		if (decimal.count > 1)
			buf_printf(&buf, ".%.*s", decimal.count - 1,
				   decimal.digits + 1);
		buf_printf(&buf, "e%+03d", decimal.point - 1);
	}
	snprintf(out, CEL_DOUBLE_TEXT, "%s", buf_text(&buf));
	buf_fini(&buf);
}

const char *
cel_double_text(double value, char out[CEL_DOUBLE_TEXT])
{
	if (isnan(value))
		return "NaN";
	if (isinf(value))
		return value < 0 ? "-Infinity" : "Infinity";
	if (value == 0)
		return signbit(value) ? "-0" : "0";
	write_decimal(value, out);
	return out;
}

static const char *
short_text(const struct cel_value *value, char out[CEL_SCALAR_TEXT])
{
	switch (value->kind) {
	case CEL_NULL:
		return "null";
	case CEL_BOOL:
		return value->truth ? "true" : "false";
	case CEL_INT:
		snprintf(out, CEL_SCALAR_TEXT, "%lld", (long long)value->integer);
		return out;
	case CEL_UINT:
		snprintf(out, CEL_SCALAR_TEXT, "%llu",
			 (unsigned long long)value->natural);
		return out;
	case CEL_DOUBLE:
		return cel_double_text(value->real, out);
	case CEL_TIMESTAMP:
		return cel_timestamp_text(&value->time, out);
	case CEL_DURATION:
		return cel_duration_text(value->integer, out);
	case CEL_TYPE:
		return cel_type_name(value->type);
	default:
		return NULL;
	}
}

const char *
cel_scalar_text(const struct cel_value *value, char out[CEL_SCALAR_TEXT], size_t *len)
{
	const char *text;

	if (value->kind == CEL_STRING) {
		*len = value->text.len;
		return value->text.data;
	}
	text = short_text(value, out);
	if (text != NULL)
		*len = strlen(text);
	return text;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
cel_base64(const char *data, size_t len, struct buf *out)
{
	uint32_t group;
	size_t take;

	for (size_t i = 0; i < len; i += 3) {
		take = len - i < 3 ? len - i : 3;
		group = 0;
		for (size_t j = 0; j < 3; j++)
			group =
			    group << 8 | (j < take ? (unsigned char)data[i + j] : 0U);
		for (size_t j = 0; j < 4; j++)
			buf_char(out, j <= take
					  ? base64_digits[group >> (18 - 6 * j) & 63]
					  : '=');
	}
}

bool
cel_base64_read(const char *text, size_t len, struct buf *out)
{
	uint32_t group = 0;
	const char *digit;
	unsigned bits = 0;

	for (int i = 0; i < 2 && len > 0 && text[len - 1] == '='; i++)
		len--;
	if (len % 4 == 1)
		return false;
	for (size_t i = 0; i < len; i++) {
		digit = text[i] != '\0' ? strchr(base64_digits, text[i]) : NULL;
		if (digit == NULL)
			return false;
		group = (group << 6 | (uint32_t)(digit - base64_digits)) & 0xffffff;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		buf_char(out, (char)(group >> bits & 255));
	}
	return true;
}

struct cel_value
cel_new_text(struct cel_run *run, enum cel_kind kind, const char *data, size_t len)
{
	char *copy = cel_alloc(run, len + 1);

	if (copy == NULL)
		return cel_spent(run);
	if (len > 0)
		memcpy(copy, data, len);
	copy[len] = '\0';
	return cel_text(kind, copy, len);
}

struct cel_value
cel_take_text(struct cel_run *run, struct buf *built)
{
	struct cel_value value =
	    cel_new_text(run, CEL_STRING, buf_text(built), built->len);

	buf_fini(built);
	return value;
}
