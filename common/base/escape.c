/*
 * Reading escaped text one character at a time, forgiving: what is no escape stands for
 * itself. For finding known values in any text, not for parsing.
 */
#include "base/escape.h"

#include <stdint.h>
#include <string.h>

#include "base/hex.h"
#include "base/utf8.h"

static size_t
read_url(const char *text, size_t len, char out[static 4])
{
	out[0] = text[0] == '+' ? ' ' : text[0];
	if (text[0] != '%' || len < 3 || hex_value(text[1]) < 0 ||
	    hex_value(text[2]) < 0)
		return 1;
	out[0] = (char)(hex_value(text[1]) << 4 | hex_value(text[2]));
	return 3;
}

/* One byte of what lies below: the text as it is, or behind a layer of escapes. */
static size_t
read_byte(int level, const char *text, size_t len, char *out)
{
	char bytes[4];
	size_t step, out_len;

	if (len == 0)
		return 0;
	step = escape_read(level == 0 ? ESCAPE_NONE : ESCAPE_JSON, text, len, bytes,
			   &out_len);
	*out = bytes[0];
	return out_len == 1 ? step : 0;
}

/* Four hex digits; how much text they took, or 0. */
static size_t
read_hex4(int level, const char *text, size_t len, uint32_t *out)
{
	size_t at = 0, step;
	char digit;

	*out = 0;
	for (int i = 0; i < 4; i++) {
		step = read_byte(level, text + at, len - at, &digit);
		if (step == 0 || hex_value(digit) < 0)
			return 0;
		*out = *out << 4 | (uint32_t)hex_value(digit);
		at += step;
	}
	return at;
}

/* The second half of a pair, "\uDC00" and up; how much text it took, or 0. */
static size_t
read_low(int level, const char *text, size_t len, uint32_t *out)
{
	static const char head[] = "\\u";
	size_t at = 0, step;
	char c;

	for (int i = 0; i < 2; i++) {
		step = read_byte(level, text + at, len - at, &c);
		if (step == 0 || c != head[i])
			return 0;
		at += step;
	}
	step = read_hex4(level, text + at, len - at, out);
	return step > 0 && *out >= 0xdc00 && *out < 0xe000 ? at + step : 0;
}

/* The XXXX of \uXXXX, and the other half when it is one of a pair. */
static size_t
read_unicode(int level, const char *text, size_t len, char out[static 4],
	     size_t *out_len)
{
	uint32_t code_point, low;
	size_t at = read_hex4(level, text, len, &code_point), step;

	if (at == 0)
		return 0;
	if (code_point >= 0xd800 && code_point < 0xdc00) {
		step = read_low(level, text + at, len - at, &low);
		if (step > 0)
			code_point =
			    0x10000 + ((code_point - 0xd800) << 10) + (low - 0xdc00);
		at += step;
	}
	*out_len = utf8_encode(code_point, out);
	return at;
}

/* level: how many layers of escapes lie below this one. */
static size_t
read_json(int level, const char *text, size_t len, char out[static 4], size_t *out_len)
{
	static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	size_t at = read_byte(level, text, len, out), step;
	const char *found;
	char name;

	*out_len = 1;
	if (at == 0 || out[0] != '\\')
		return at;
	step = read_byte(level, text + at, len - at, &name);
	if (step == 0)
		return 0;
	at += step;
	if (name == 'u') {
		step = read_unicode(level, text + at, len - at, out, out_len);
		return step > 0 ? at + step : 0;
	}
	found = name == '\0' ? NULL : strchr(names, name);
	if (found == NULL)
		return 0;
	out[0] = meanings[found - names];
	return at;
}

size_t
escape_read(enum escape escape, const char *text, size_t len, char out[static 4],
	    size_t *out_len)
{
	*out_len = 1;
	switch (escape) {
	case ESCAPE_URL:
		return read_url(text, len, out);
	case ESCAPE_JSON:
		return read_json(0, text, len, out, out_len);
	case ESCAPE_JSON_TWICE:
		return read_json(1, text, len, out, out_len);
	default:
		out[0] = text[0];
		return 1;
	}
}
