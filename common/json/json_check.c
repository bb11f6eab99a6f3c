/*
 * A strict scanner for JSON: syntax, depth, UTF-8, numbers that fit a double, keys that
 * come once. It stands before json-c's parser, which forgives too much, and builds
 * nothing itself. Lone surrogates in escapes pass: json-c makes U+FFFD of them.
 */
#include "json/json_check.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/utf8.h"
#include "json/json.h"
#include "json/keys.h"

struct scan {
	const char *text;
	size_t len, at;
	unsigned depth;
	struct keys keys;
	struct buf key;    /* the last key that had escapes, decoded */
	struct buf *fixed; /* the text so far as it is to be parsed */
	size_t copied;     /* up to here it is in fixed */
	struct err *err;
};

static int scan_value(struct scan *scan);

/* Columns count characters, so that editors agree. */
static int
refuse_at(struct scan *scan, size_t place, const char *what)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < place && i < scan->len; i++) {
		if (scan->text[i] == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)scan->text[i] & 0xc0) != 0x80) {
			column++;
		}
	}
	return err_set(scan->err, ERR_INPUT, "line %zu, column %zu: %s", line, column,
		       what);
}

static int
refuse(struct scan *scan, const char *what)
{
	return refuse_at(scan, scan->at, what);
}

/* In what is parsed, skip bytes at place are replaced. Places come in rising order. */
static void
fix(struct scan *scan, size_t place, size_t skip, const char *replacement)
{
	buf_add(scan->fixed, scan->text + scan->copied, place - scan->copied);
	buf_str(scan->fixed, replacement);
	scan->copied = place + skip;
}

static char
peek(const struct scan *scan)
{
	return scan->at < scan->len ? scan->text[scan->at] : '\0';
}

static void
skip_space(struct scan *scan)
{
	while (scan->at < scan->len &&
	       (scan->text[scan->at] == ' ' || scan->text[scan->at] == '\n' ||
		scan->text[scan->at] == '\t' || scan->text[scan->at] == '\r'))
		scan->at++;
}

static int
scan_word(struct scan *scan, const char *word)
{
	size_t len = strlen(word);

	if (scan->len - scan->at < len || memcmp(scan->text + scan->at, word, len) != 0)
		return refuse(scan, "expected a value");
	scan->at += len;
	return 0;
}

static size_t
skip_digits(struct scan *scan)
{
	size_t start = scan->at;

	while (peek(scan) >= '0' && peek(scan) <= '9')
		scan->at++;
	return scan->at - start;
}

/* Is the number at start one that a double holds; an integer past int64 is made one. */
static int
check_range(struct scan *scan, size_t start, bool integer)
{
	char text[JSON_NUMBER_MAX + 1];
	size_t len = scan->at - start;

	if (len > JSON_NUMBER_MAX)
		return refuse_at(scan, start, "the number is too long");
	memcpy(text, scan->text + start, len);
	text[len] = '\0';
	errno = 0;
	if (integer && (strtoll(text, NULL, 10), errno == 0))
		return 0;
	if (!isfinite(strtod(text, NULL)))
		return refuse_at(scan, start, "the number is too large");
	if (integer)
		fix(scan, scan->at, 0, "e0");
	return 0;
}

static int
scan_number(struct scan *scan)
{
	size_t start = scan->at, digits;
	bool integer = true;

	if (peek(scan) == '-')
		scan->at++;
	if (peek(scan) == '0')
		scan->at++;
	else if (skip_digits(scan) == 0)
		return refuse(scan, "expected a digit");
	digits = scan->at - start;
	if (peek(scan) == '.') {
		integer = false;
		scan->at++;
		if (skip_digits(scan) == 0)
			return refuse(scan, "expected a digit");
	}
	if (peek(scan) == 'e' || peek(scan) == 'E') {
		integer = false;
		digits = JSON_NUMBER_MAX; /* may be anything */
		scan->at++;
		if (peek(scan) == '-' || peek(scan) == '+')
			scan->at++;
		if (skip_digits(scan) == 0)
			return refuse(scan, "expected a digit");
	}
	if (digits <= 18 && scan->at - start <= JSON_NUMBER_MAX)
		return 0;
	return check_range(scan, start, integer);
}

/* Four hex digits at place, or -1. */
static int32_t
read_hex4(const struct scan *scan, size_t place)
{
	int32_t value = 0;
	int digit;

	if (scan->len < 4 || place > scan->len - 4)
		return -1;
	for (size_t i = place; i < place + 4; i++) {
		digit = hex_value(scan->text[i]);
		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

static int
scan_escape(struct scan *scan)
{
	scan->at++; /* the backslash */
	if (scan->at < scan->len && scan->text[scan->at] == 'u') {
		if (read_hex4(scan, scan->at + 1) < 0)
			return refuse(scan, "expected four hex digits");
		scan->at += 5;
		return 0;
	}
	if (peek(scan) == '\0' || strchr("\"\\/bfnrt", peek(scan)) == NULL)
		return refuse(scan, "unknown escape in a string");
	scan->at++;
	return 0;
}

static bool
is_plain(char c)
{
	return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' &&
	       c != '\\';
}

/* One piece of a string that is not plain ASCII. */
static int
scan_special(struct scan *scan, bool *escaped)
{
	uint32_t code_point;
	size_t step;

	if (scan->text[scan->at] == '\\') {
		*escaped = true;
		return scan_escape(scan);
	}
	if ((unsigned char)scan->text[scan->at] < 0x20)
		return refuse(scan, "control character in a string");
	step = utf8_decode(scan->text + scan->at, scan->len - scan->at, &code_point);
	if (step == 0)
		return refuse(scan, "invalid UTF-8");
	scan->at += step;
	return 0;
}

/* A string with its quotes; *escaped says whether it has escapes. */
static int
scan_string(struct scan *scan, bool *escaped)
{
	*escaped = false;
	scan->at++;
	for (;;) {
		while (scan->at < scan->len && is_plain(scan->text[scan->at]))
			scan->at++;
		if (scan->at == scan->len)
			return refuse(scan, "the string does not end");
		if (scan->text[scan->at] == '"')
			break;
		if (scan_special(scan, escaped) < 0)
			return -1;
	}
	scan->at++;
	return 0;
}

/* Decodes \uXXXX at place into the key; how long it was. NUL becomes U+FFFD, here and
 * in what is parsed: keys are C strings there. */
static size_t
decode_unicode(struct scan *scan, size_t place)
{
	int32_t high = read_hex4(scan, place + 2), low = -1;
	uint32_t code_point = (uint32_t)high;
	size_t used = 6;
	char utf8[4];

	if (high == 0) {
		fix(scan, place, 6, "\\ufffd");
		code_point = 0xfffd;
	}
	if (high >= 0xd800 && high < 0xdc00 && scan->text[place + 6] == '\\' &&
	    scan->text[place + 7] == 'u')
		low = read_hex4(scan, place + 8);
	if (low >= 0xdc00 && low < 0xe000) {
		code_point = 0x10000 + (((uint32_t)high - 0xd800) << 10) +
			     ((uint32_t)low - 0xdc00);
		used = 12;
	}
	buf_add(&scan->key, utf8, utf8_encode(code_point, utf8));
	return used;
}

/* The key between start and end, which has escapes, into scan->key. */
static void
decode_key(struct scan *scan, size_t start, size_t end)
{
	static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	size_t at = start;

	buf_clear(&scan->key);
	while (at < end) {
		if (scan->text[at] != '\\') {
			buf_char(&scan->key, scan->text[at++]);
		} else if (scan->text[at + 1] == 'u') {
			at += decode_unicode(scan, at);
		} else {
			buf_char(&scan->key,
				 meanings[strchr(names, scan->text[at + 1]) - names]);
			at += 2;
		}
	}
}

static int
scan_key(struct scan *scan)
{
	size_t start = scan->at + 1, len;
	const char *key = scan->text + start;
	bool escaped;

	if (peek(scan) != '"')
		return refuse(scan, "expected a key in double quotes");
	if (scan_string(scan, &escaped) < 0)
		return -1;
	len = scan->at - 1 - start;
	if (escaped) {
		decode_key(scan, start, scan->at - 1);
		key = buf_text(&scan->key);
		len = scan->key.len;
	}
	if (!keys_add(&scan->keys, scan->depth, key, len))
		return refuse_at(scan, start - 1, "the key stands here a second time");
	return 0;
}

static int
scan_member(struct scan *scan)
{
	skip_space(scan);
	if (scan_key(scan) < 0)
		return -1;
	skip_space(scan);
	if (peek(scan) != ':')
		return refuse(scan, "expected \":\"");
	scan->at++;
	return scan_value(scan);
}

/* The items of an array or object up to its closing bracket. */
static int
scan_items(struct scan *scan, char close, int (*scan_item)(struct scan *))
{
	scan->at++;
	skip_space(scan);
	if (peek(scan) == close) {
		scan->at++;
		return 0;
	}
	for (;;) {
		if (scan_item(scan) < 0)
			return -1;
		skip_space(scan);
		if (peek(scan) != ',')
			break;
		scan->at++;
	}
	if (peek(scan) != close)
		return refuse(scan, close == ']' ? "expected \",\" or \"]\""
						 : "expected \",\" or \"}\"");
	scan->at++;
	return 0;
}

static int
scan_container(struct scan *scan, char open)
{
	size_t keys = scan->keys.count;
	int status;

	if (scan->depth == JSON_DEPTH_MAX)
		return refuse(scan, "nested too deeply");
	scan->depth++;
	status = open == '[' ? scan_items(scan, ']', scan_value)
			     : scan_items(scan, '}', scan_member);
	scan->depth--;
	keys_drop(&scan->keys, keys);
	return status;
}

static int
scan_value(struct scan *scan)
{
	bool escaped;

	skip_space(scan);
	switch (peek(scan)) {
	case '{':
	case '[':
		return scan_container(scan, peek(scan));
	case '"':
		return scan_string(scan, &escaped);
	case 't':
		return scan_word(scan, "true");
	case 'f':
		return scan_word(scan, "false");
	case 'n':
		return scan_word(scan, "null");
	default:
		if (peek(scan) != '-' && (peek(scan) < '0' || peek(scan) > '9'))
			return refuse(scan, "expected a value");
		return scan_number(scan);
	}
}

int
json_check(const char *text, size_t len, struct buf *fixed, struct err *err)
{
	struct scan scan = { .text = text, .len = len, .fixed = fixed, .err = err };
	int status;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		return refuse(&scan, "a byte order mark is not allowed");
	keys_init(&scan.keys);
	status = scan_value(&scan);
	skip_space(&scan);
	if (status == 0 && scan.at < len)
		status = refuse(&scan, "something stands behind the value");
	if (status == 0 && scan.copied > 0)
		buf_add(fixed, text + scan.copied, len - scan.copied);
	keys_fini(&scan.keys);
	buf_fini(&scan.key);
	return status;
}
