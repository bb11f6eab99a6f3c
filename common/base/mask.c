/*
 * What is looked for: each secret as it is (with any of its bytes escaped as in URLs or
 * JSON), in hex, and in base64 at any of the three places it can have between other
 * bytes. Finding it is mask_text.c's.
 */
#include "base/mask.h"

#include <stdlib.h>
#include <string.h>

#include "base/mask_priv.h"
#include "base/xalloc.h"

#define LINE_MIN   8  /* of a line that is a secret by itself */
#define WRAPS_FROM 24 /* characters of base64: shorter ones fit into a line's rest */

struct mask *
mask_new(void)
{
	return xcalloc(1, sizeof(struct mask));
}

static void
forget_patterns(struct mask *mask)
{
	for (size_t i = 0; i < mask->count; i++) {
		explicit_bzero(mask->patterns[i].text, mask->patterns[i].len);
		free(mask->patterns[i].text);
	}
	free(mask->patterns);
	mask->patterns = NULL;
	mask->count = 0;
	mask->has_number = false;
	memset(mask->pairs, 0, sizeof mask->pairs);
	memset(mask->by_first, 0, sizeof mask->by_first);
	memset(mask->by_pair, 0, sizeof mask->by_pair);
}

static void
unlearn(struct mask_learnt *learnt)
{
	if (learnt->text != NULL)
		explicit_bzero(learnt->text, learnt->len);
	free(learnt->text);
	*learnt = (struct mask_learnt){ 0 };
}

void
mask_free(struct mask **mask_p)
{
	struct mask *mask = *mask_p;

	*mask_p = NULL;
	if (mask == NULL)
		return;
	forget_patterns(mask);
	for (size_t i = 0; i < MASK_LEARNT_MAX; i++)
		unlearn(&mask->learnt[i]);
	free(mask);
}

bool
mask_is_empty(const struct mask *mask)
{
	return mask == NULL || mask->count == 0;
}

bool
mask_has_number(const struct mask *mask)
{
	return mask != NULL && mask->has_number;
}

/* ---- where one can begin ---- */

static void
set_pair(struct mask *mask, unsigned char first, unsigned char second)
{
	unsigned pair = (unsigned)first << 8 | second;

	mask->pairs[pair / 64] |= UINT64_C(1) << (pair % 64);
}

/* The second byte as it is, or what its escape begins with. */
static void
set_seconds(struct mask *mask, unsigned char first, unsigned char second)
{
	set_pair(mask, first, second);
	set_pair(mask, first, '%');
	set_pair(mask, first, '\\');
	if (second == ' ')
		set_pair(mask, first, '+');
}

/* The first byte is escaped itself. */
static void
set_escaped(struct mask *mask, unsigned char first, unsigned char second)
{
	static const char upper[] = "0123456789ABCDEF", lower[] = "0123456789abcdef";
	static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	const char *meaning = first != '\0' ? strchr(meanings, first) : NULL;

	set_pair(mask, '%', (unsigned char)upper[first >> 4]);
	set_pair(mask, '%', (unsigned char)lower[first >> 4]);
	set_pair(mask, '\\', 'u');
	set_pair(mask, '\\', '\\'); /* twice */
	if (meaning != NULL)
		set_pair(mask, '\\', (unsigned char)names[meaning - meanings]);
	if (first == ' ')
		set_seconds(mask, '+', second);
}

static void
index_pattern(struct mask *mask, uint32_t place)
{
	struct mask_pattern *pattern = &mask->patterns[place - 1];
	unsigned char first = (unsigned char)pattern->text[0];
	unsigned char second = (unsigned char)pattern->text[1];
	uint32_t *by_first = &mask->by_first[first];
	uint32_t *by_pair = &mask->by_pair[mask_pair_head(pattern->text)];

	pattern->next_first = *by_first;
	pattern->next_pair = *by_pair;
	*by_first = *by_pair = place;
	set_pair(mask, first, second);
	if (!pattern->escapes)
		return;
	set_seconds(mask, first, second);
	set_escaped(mask, first, second);
}

/* ---- the forms of a secret ---- */

static bool
known(const struct mask *mask, const char *text, size_t len)
{
	const struct mask_pattern *pattern;
	uint32_t place = mask->by_pair[mask_pair_head(text)];

	for (; place != 0; place = pattern->next_pair) {
		pattern = &mask->patterns[place - 1];
		if (pattern->len == len && memcmp(pattern->text, text, len) == 0)
			return true;
	}
	return false;
}

static void
add_pattern(struct mask *mask, const char *text, size_t len, bool escapes, bool wraps)
{
	if (known(mask, text, len))
		return;
	mask->patterns =
	    xrealloc(mask->patterns, mask->count + 1, sizeof mask->patterns[0]);
	mask->patterns[mask->count++] =
	    (struct mask_pattern){ .text = xstrndup(text, len),
				   .len = len,
				   .escapes = escapes,
				   .wraps = wraps };
	index_pattern(mask, (uint32_t)mask->count);
}

/* One whose first characters stand at the end of a line is found by the rest. */
static void
add_coded(struct mask *mask, const struct buf *text)
{
	bool escapes = memchr(text->data, '+', text->len) != NULL ||
		       memchr(text->data, '/', text->len) != NULL;

	add_pattern(mask, text->data, text->len, escapes, true);
	if (text->len >= WRAPS_FROM)
		add_pattern(mask, text->data + MASK_WRAP_MIN, text->len - MASK_WRAP_MIN,
			    escapes, true);
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
	if (text.len >= MASK_SECRET_MIN)
		add_coded(mask, &text);
	buf_fini(&text);
}

static void
add_hex(struct mask *mask, const char *secret, size_t len, const char *digits)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < len; i++) {
		buf_char(&text, digits[(unsigned char)secret[i] >> 4]);
		buf_char(&text, digits[(unsigned char)secret[i] & 15]);
	}
	add_pattern(mask, text.data, text.len, false, true);
	buf_fini(&text);
}

static void
add_forms(struct mask *mask, const char *secret, size_t len)
{
	add_pattern(mask, secret, len, true, false);
	for (size_t shift = 0; shift < 3; shift++) {
		add_base64(mask, secret, len, shift, "+/");
		add_base64(mask, secret, len, shift, "-_");
	}
	add_hex(mask, secret, len, "0123456789abcdef");
	add_hex(mask, secret, len, "0123456789ABCDEF");
}

static bool
could_be_number(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\0' || strchr("0123456789.+-eE", text[i]) == NULL)
			return false;
	return true;
}

/* What begins and ends a key in PEM is the same in all of them. */
static bool
is_frame(const char *line, size_t len)
{
	return len > 10 && strncmp(line, "-----", 5) == 0;
}

static void
add_lines(struct mask *mask, const char *secret, size_t len)
{
	const char *end = secret + len, *stop;
	size_t line;

	for (; secret < end; secret = stop + 1) {
		stop = memchr(secret, '\n', (size_t)(end - secret));
		stop = stop != NULL ? stop : end;
		line = (size_t)(stop - secret);
		line -= line > 0 && secret[line - 1] == '\r';
		if (line >= LINE_MIN && !is_frame(secret, line))
			add_forms(mask, secret, line);
	}
}

void
mask_add(struct mask *mask, const char *secret, size_t len)
{
	if (len < MASK_SECRET_MIN || known(mask, secret, len))
		return;
	mask->has_number |= could_be_number(secret, len);
	add_forms(mask, secret, len);
	if (memchr(secret, '\n', len) != NULL)
		add_lines(mask, secret, len);
}

/* ---- over the years ---- */

void
mask_learn(struct mask *mask, const char *secret, size_t len)
{
	struct mask_learnt *place = &mask->learnt[mask->learnt_next % MASK_LEARNT_MAX];

	if (len < MASK_SECRET_MIN || known(mask, secret, len))
		return;
	unlearn(place);
	*place = (struct mask_learnt){ xstrndup(secret, len), len };
	mask->learnt_next++;
	mask_add(mask, secret, len);
}

void
mask_clear(struct mask *mask)
{
	forget_patterns(mask);
	for (size_t i = 0; i < MASK_LEARNT_MAX; i++)
		if (mask->learnt[i].text != NULL)
			mask_add(mask, mask->learnt[i].text, mask->learnt[i].len);
}
