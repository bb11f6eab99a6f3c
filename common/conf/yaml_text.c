/*
 * The text before libyaml sees it. Here because libyaml's own complaints about
 * encodings name no line, because many %TAG directives cost it quadratic time, and
 * because JSON writes characters past U+FFFF as two escapes that YAML does not know.
 */
#include "conf/yaml_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "conf/yaml.h"

struct place {
	int line, column;
};

static bool
starts_with(const char *text, size_t len, const char *start)
{
	size_t start_len = strlen(start);

	return len >= start_len && memcmp(text, start, start_len) == 0;
}

static int
check_encoding(const char *text, size_t len, struct problems *problems)
{
	if (starts_with(text, len, "\xff\xfe") || starts_with(text, len, "\xfe\xff") ||
	    (len >= 2 && (text[0] == '\0' || text[1] == '\0'))) {
		problems_add_at(problems, 1, 1, "",
				"this is UTF-16 or UTF-32: save it as UTF-8");
		return -1;
	}
	return 0;
}

/* What YAML 1.2 calls printable, and what libyaml takes. */
static bool
is_printable(uint32_t c)
{
	return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0x7e) ||
	       c == 0x85 || (c >= 0xa0 && c <= 0xd7ff) ||
	       (c >= 0xe000 && c <= 0xfffd && c != 0xfeff) ||
	       (c >= 0x10000 && c <= 0x10ffff);
}

static bool
is_break(uint32_t c)
{
	return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

static int
refuse_character(uint32_t c, struct place at, struct problems *problems)
{
	problems_add_at(problems, at.line, at.column, "",
			"the character U+%04X is not allowed here", (unsigned)c);
	return -1;
}

/* libyaml would look through all tag directives for each new one, and no tag that one
 * could name is allowed anyway. */
static int
check_directive(const char *text, size_t len, struct place at,
		struct problems *problems)
{
	if (at.column != 1 || !starts_with(text, len, "%TAG"))
		return 0;
	problems_add_at(problems, at.line, at.column, "", "%%TAG is not supported");
	return -1;
}

static void
step_on(struct place *at, uint32_t c, const char *rest, size_t len)
{
	at->column++;
	if (!is_break(c) || (c == '\r' && starts_with(rest, len, "\n")))
		return;
	at->line++;
	at->column = 1;
}

static int
check_characters(const char *text, size_t len, struct problems *problems)
{
	struct place at = { 1, 1 };
	uint32_t c = 0;
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		n = utf8_decode(text + i, len - i, &c);
		if (n == 0) {
			problems_add_at(problems, at.line, at.column, "",
					"this is not UTF-8");
			return -1;
		}
		if (!is_printable(c))
			return refuse_character(c, at, problems);
		if (check_directive(text + i, len - i, at, problems) < 0)
			return -1;
		step_on(&at, c, text + i + n, len - i - n);
	}
	return 0;
}

static bool
looks_like_json(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && strchr(" \t\r\n", text[i]) != NULL)
		i++;
	return i < len && (text[i] == '{' || text[i] == '[');
}

/* The value of \uXXXX at text, or -1. */
static int32_t
read_escape(const char *text, size_t len)
{
	char digits[5] = "";
	char *end;
	long value;

	if (len < 6 || text[0] != '\\' || text[1] != 'u')
		return -1;
	memcpy(digits, text + 2, 4);
	if (strspn(digits, "0123456789abcdefABCDEF") != 4)
		return -1;
	value = strtol(digits, &end, 16);
	return (int32_t)value;
}

/* Copies the escape at text to out; returns how long it was in the text. */
static size_t
copy_escape(const char *text, size_t len, struct buf *out)
{
	int32_t high = read_escape(text, len);
	int32_t low = len > 6 ? read_escape(text + 6, len - 6) : -1;
	size_t n = len < 2 ? len : 2;

	if (high < 0xd800 || high > 0xdbff || low < 0xdc00 || low > 0xdfff) {
		buf_add(out, text, n);
		return n;
	}
	buf_printf(out, "\\U%08x",
		   0x10000U + (((unsigned)high - 0xd800U) << 10) +
		       ((unsigned)low - 0xdc00U));
	return 12;
}

/* Copies one character, escaped if need be; returns its length. */
static size_t
copy_character(const char *text, size_t len, struct buf *out)
{
	uint32_t c = 0;
	size_t n = utf8_decode(text, len, &c);

	if (n > 1 || (n == 1 && c == 0x7f)) {
		if (!is_printable(c) || is_break(c)) {
			buf_printf(out, "\\u%04x", (unsigned)c);
			return n;
		}
	}
	if (n == 0)
		n = 1; /* complained of later */
	buf_add(out, text, n);
	return n;
}

void
yaml_text_escape(const char *text, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len;)
		i += copy_character(text + i, len - i, out);
}

static void
copy_json(const char *text, size_t len, struct buf *out)
{
	bool in_string = false;

	for (size_t i = 0; i < len;) {
		if (in_string && text[i] == '\\') {
			i += copy_escape(text + i, len - i, out);
		} else if (in_string && text[i] != '"') {
			i += copy_character(text + i, len - i, out);
		} else {
			if (text[i] == '"')
				in_string = !in_string;
			buf_char(out, text[i++]);
		}
	}
}

int
yaml_text_check(const char *text, size_t len, struct buf *out,
		struct problems *problems)
{
	if (len > YAML_BYTES_MAX) {
		problems_add_at(problems, 0, 0, "", "%zu bytes are more than %d", len,
				YAML_BYTES_MAX);
		return -1;
	}
	if (check_encoding(text, len, problems) < 0)
		return -1;
	if (starts_with(text, len, "\xef\xbb\xbf")) {
		text += 3;
		len -= 3;
	}
	if (looks_like_json(text, len))
		copy_json(text, len, out);
	else
		buf_add(out, text, len);
	return check_characters(buf_text(out), out->len, problems);
}
