/*
 * Secrets never leave. A secret is found as it is, with any of its bytes escaped as in
 * URLs or JSON, and in base64 at any of the three places it can have between other
 * bytes. Not a guard against a program that wants to give a secret away.
 */
#include "base/mask.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/xalloc.h"

#define SECRET_MIN 4

struct pattern {
	char *text;
	size_t len;
	bool escapes; /* its bytes may be escaped; base64 never is */
	size_t next;  /* place plus one of another that starts with the same byte */
};

struct mask {
	struct pattern *patterns;
	size_t count;
	size_t starts[256]; /* by first byte: place plus one of a pattern, or 0 */
};

struct mask *
mask_new(void)
{
	return xcalloc(1, sizeof(struct mask));
}

void
mask_free(struct mask **mask_p)
{
	struct mask *mask = *mask_p;

	*mask_p = NULL;
	if (mask == NULL)
		return;
	for (size_t i = 0; i < mask->count; i++) {
		explicit_bzero(mask->patterns[i].text, mask->patterns[i].len);
		free(mask->patterns[i].text);
	}
	free(mask->patterns);
	free(mask);
}

static bool
known(const struct mask *mask, const char *text, size_t len)
{
	for (size_t i = 0; i < mask->count; i++)
		if (mask->patterns[i].len == len &&
		    memcmp(mask->patterns[i].text, text, len) == 0)
			return true;
	return false;
}

static void
add_pattern(struct mask *mask, const char *text, size_t len, bool escapes)
{
	if (known(mask, text, len))
		return;
	mask->patterns =
	    xrealloc(mask->patterns, mask->count + 1, sizeof mask->patterns[0]);
	mask->patterns[mask->count] = (struct pattern){
		.text = xstrndup(text, len),
		.len = len,
		.escapes = escapes,
		.next = mask->starts[(unsigned char)text[0]],
	};
	mask->count++;
	mask->starts[(unsigned char)text[0]] = mask->count;
}

/* The characters that only the secret decides when shift bytes stand before it. */
static void
add_base64(struct mask *mask, const char *secret, size_t len, size_t shift,
	   const char *extra)
{
	static const char plain[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	size_t first = (shift * 8 + 5) / 6, last = (shift + len) * 8 / 6, bit, byte;
	struct buf text = { 0 };
	unsigned value;

	for (size_t i = first; i < last; i++) {
		value = 0;
		for (bit = 6 * i; bit < 6 * i + 6; bit++) {
			byte = bit / 8 - shift;
			value = value << 1 |
				((unsigned char)secret[byte] >> (7 - bit % 8) & 1);
		}
		buf_char(&text, value < 62 ? plain[value] : extra[value - 62]);
	}
	if (text.len >= SECRET_MIN)
		add_pattern(mask, text.data, text.len, false);
	buf_fini(&text);
}

void
mask_add(struct mask *mask, const char *secret, size_t len)
{
	if (len < SECRET_MIN || known(mask, secret, len))
		return;
	add_pattern(mask, secret, len, true);
	for (size_t shift = 0; shift < 3; shift++) {
		add_base64(mask, secret, len, shift, "+/");
		add_base64(mask, secret, len, shift, "-_");
	}
}

/* How many bytes at text spell the pattern, escaped like this; 0 when they do not. */
static size_t
match(const struct pattern *pattern, enum escape escape, const char *text, size_t len)
{
	size_t at = 0, done = 0, step, out_len;
	char out[4];

	while (done < pattern->len) {
		if (at == len)
			return 0;
		step = escape_read(escape, text + at, len - at, out, &out_len);
		if (escape == ESCAPE_URL && text[at] == pattern->text[done])
			step = out_len = 1,
			out[0] = text[at]; /* "+" and "%" unescaped */
		if (step == 0 || out_len > pattern->len - done ||
		    memcmp(out, pattern->text + done, out_len) != 0)
			return 0;
		at += step;
		done += out_len;
	}
	return at;
}

/* What an escape can start with, so that it may stand for any byte. */
static bool
starts_escape(char c)
{
	return c == '%' || c == '\\' || c == '+';
}

/* Whether the pattern stands here as it is, or could when escapes are read. */
static bool
may_match(const struct pattern *pattern, const char *text, size_t len)
{
	bool escapes = false;

	for (size_t at = 0; at < pattern->len; at++) {
		if (at == len)
			return escapes;
		escapes = escapes || (pattern->escapes && starts_escape(text[at]));
		if (text[at] != pattern->text[at])
			return escapes;
	}
	return true;
}

/* The longest way in which the pattern stands at text. */
static size_t
match_escapes(const struct pattern *pattern, const char *text, size_t len)
{
	int modes = pattern->escapes ? ESCAPES : ESCAPE_NONE + 1;
	size_t longest = 0, found;

	if (!may_match(pattern, text, len))
		return 0;
	for (int escape = ESCAPE_NONE; escape < modes; escape++) {
		found = match(pattern, (enum escape)escape, text, len);
		if (found > longest)
			longest = found;
	}
	return longest;
}

static size_t
match_any(const struct mask *mask, const char *text, size_t len)
{
	size_t longest = 0, found, place = mask->starts[(unsigned char)text[0]];

	for (; place != 0; place = mask->patterns[place - 1].next) {
		found = match_escapes(&mask->patterns[place - 1], text, len);
		if (found > longest)
			longest = found;
	}
	for (size_t i = 0; starts_escape(text[0]) && i < mask->count; i++) {
		if (!mask->patterns[i].escapes)
			continue;
		found = match_escapes(&mask->patterns[i], text, len);
		if (found > longest)
			longest = found;
	}
	return longest;
}

void
mask_text(const struct mask *mask, const char *text, size_t len, struct buf *out)
{
	size_t at = 0, shown = 0, found;

	while (at < len) {
		found = match_any(mask, text + at, len - at);
		if (found == 0) {
			at++;
			continue;
		}
		buf_add(out, text + shown, at - shown);
		buf_str(out, "***");
		at += found;
		shown = at;
	}
	buf_add(out, text + shown, at - shown);
}
