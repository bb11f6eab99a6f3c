/*
 * Values as text: compact, members in their order, always valid JSON in valid UTF-8.
 * Doubles are written with as few digits as read back to the same double, and so that
 * they read back as doubles.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/quote.h"
#include "json/json.h"

static void
write_int(int64_t value, struct buf *out)
{
	char digits[24];
	size_t at = sizeof digits;
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

	do {
		digits[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (value < 0)
		digits[--at] = '-';
	buf_add(out, digits + at, sizeof digits - at);
}

static void
write_double(double value, struct buf *out)
{
	char text[40];

	for (int precision = 15; precision <= 17; precision++) {
		snprintf(text, sizeof text, "%.*g", precision, value);
		if (strtod(text, NULL) == value)
			break;
	}
	buf_str(out, text);
	if (strpbrk(text, ".e") == NULL)
		buf_str(out, ".0");
}

static void
write_array(const struct json *array, struct buf *out)
{
	size_t count = json_count(array);

	buf_char(out, '[');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_char(out, ',');
		json_write(json_at(array, i), out);
	}
	buf_char(out, ']');
}

static void
write_object(const struct json *object, struct buf *out)
{
	bool first = true;

	buf_char(out, '{');
	for (struct json_iter it = json_iter(object); json_next(&it);) {
		if (!first)
			buf_char(out, ',');
		first = false;
		quote_json(it.key, it.key_len, out);
		buf_char(out, ':');
		json_write(it.value, out);
	}
	buf_char(out, '}');
}

void
json_write(const struct json *json, struct buf *out)
{
	switch (json_type(json)) {
	case JSON_BOOL:
		buf_str(out, json_bool(json) ? "true" : "false");
		break;
	case JSON_INT:
		write_int(json_int(json), out);
		break;
	case JSON_DOUBLE:
		write_double(json_double(json), out);
		break;
	case JSON_STRING:
		quote_json(json_str(json), json_str_len(json), out);
		break;
	case JSON_ARRAY:
		write_array(json, out);
		break;
	case JSON_OBJECT:
		write_object(json, out);
		break;
	default:
		buf_str(out, "null");
	}
}

char *
json_text(const struct json *json)
{
	struct buf out = { 0 };

	json_write(json, &out);
	return buf_take(&out);
}

void
json_write_string(const char *text, size_t len, struct buf *out)
{
	quote_json(text, len, out);
}
