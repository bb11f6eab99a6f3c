/*
 * Finding secrets in text. Two bytes at a time are looked up in a table of bits, so
 * that ordinary text costs a nanosecond a byte; only where a secret can begin is it
 * compared, with each way of escaping. Of several that stand there the longest counts.
 */
#include <string.h>

#include "base/escape.h"
#include "base/mask_priv.h"

#define ESCAPE_LONGEST 14 /* of one character: \\ud83d\\ude00, escaped twice */

/* A place in a text. */
struct looking {
	const char *text;
	size_t len;
	bool cut; /* with more text this might be a secret, or a longer one */
};

/* What an escape can start with, so that it may stand for any byte. */
static bool
starts_escape(char c)
{
	return c == '%' || c == '\\' || c == '+';
}

/* The rest of the text may be the beginning of an escape. */
static bool
is_cut_escape(const char *text, size_t len)
{
	if (text[0] == '%')
		return len < 3;
	return text[0] == '\\' && len < ESCAPE_LONGEST;
}

static bool
is_line_end(const struct mask_pattern *pattern, size_t done, char c)
{
	return pattern->wraps && done >= MASK_WRAP_MIN && (c == '\n' || c == '\r');
}

/* How many bytes spell the pattern, escaped like this; 0 when they do not. */
static size_t
match(const struct mask_pattern *pattern, enum escape escape, struct looking *looking)
{
	const char *text = looking->text;
	size_t at = 0, done = 0, step, out_len, len = looking->len;
	char out[4];

	while (done < pattern->len) {
		if (at == len) {
			looking->cut = true;
			return 0;
		}
		step = escape_read(escape, text + at, len - at, out, &out_len);
		if (escape == ESCAPE_URL && text[at] == pattern->text[done])
			step = out_len = 1,
			out[0] = text[at]; /* "+" and "%" unescaped */
		if (step > 0 && is_line_end(pattern, done, out[0])) {
			at += step;
			continue;
		}
		if (step == 0 || out_len > pattern->len - done ||
		    memcmp(out, pattern->text + done, out_len) != 0) {
			looking->cut |=
			    escape != ESCAPE_NONE && is_cut_escape(text + at, len - at);
			return 0;
		}
		at += step;
		done += out_len;
	}
	return at;
}

/* How many bytes are the pattern's without any reading. */
static size_t
same_bytes(const struct mask_pattern *pattern, const struct looking *looking)
{
	size_t most = pattern->len < looking->len ? pattern->len : looking->len, at = 0;

	while (at < most && pattern->text[at] == looking->text[at])
		at++;
	return at;
}

static bool
has_escape(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (starts_escape(text[i]))
			return true;
	return false;
}

/* The longest way in which the pattern stands here. */
static size_t
match_pattern(const struct mask_pattern *pattern, struct looking *looking)
{
	size_t same = same_bytes(pattern, looking), longest = 0, found;
	size_t seen = same < looking->len ? same + 1 : same;

	if (same == pattern->len)
		longest = same;
	else if (same == looking->len)
		looking->cut = true;
	else if (is_line_end(pattern, same, looking->text[same]))
		longest = match(pattern, ESCAPE_NONE, looking);
	if (!pattern->escapes || !has_escape(looking->text, seen))
		return longest;
	for (int escape = ESCAPE_NONE + 1; escape < ESCAPES; escape++) {
		found = match(pattern, (enum escape)escape, looking);
		if (found > longest)
			longest = found;
	}
	return longest;
}

static size_t
match_first(const struct mask *mask, unsigned char first, struct looking *looking)
{
	uint32_t place = mask->by_first[first];
	size_t longest = 0, found;

	for (; place != 0; place = mask->patterns[place - 1].next_first) {
		found = match_pattern(&mask->patterns[place - 1], looking);
		if (found > longest)
			longest = found;
	}
	return longest;
}

static size_t
match_pair(const struct mask *mask, struct looking *looking)
{
	uint32_t place = mask->by_pair[mask_pair_head(looking->text)];
	size_t longest = 0, found;

	for (; place != 0; place = mask->patterns[place - 1].next_pair) {
		found = match_pattern(&mask->patterns[place - 1], looking);
		if (found > longest)
			longest = found;
	}
	return longest;
}

/* The first byte is escaped: those that begin with what it stands for. */
static size_t
match_escaped(const struct mask *mask, struct looking *looking)
{
	size_t longest = 0, found, step, out_len;
	char out[4];

	looking->cut |= is_cut_escape(looking->text, looking->len);
	for (int escape = ESCAPE_NONE; escape < ESCAPES; escape++) {
		step = escape_read((enum escape)escape, looking->text, looking->len,
				   out, &out_len);
		if (step == 0)
			continue;
		found = match_first(mask, (unsigned char)out[0], looking);
		if (found > longest)
			longest = found;
	}
	return longest;
}

static size_t
match_any(const struct mask *mask, struct looking *looking)
{
	if (looking->len == 1) {
		looking->cut = mask->by_first[(unsigned char)looking->text[0]] != 0 ||
			       starts_escape(looking->text[0]);
		return 0;
	}
	if (!mask_may_begin(mask, looking->text))
		return 0;
	if (starts_escape(looking->text[0]))
		return match_escaped(mask, looking);
	if (starts_escape(looking->text[1]))
		return match_first(mask, (unsigned char)looking->text[0], looking);
	return match_pair(mask, looking);
}

/* The next place at which a secret can begin; the last byte is one. */
static size_t
skip(const struct mask *mask, const char *text, size_t at, size_t len)
{
	while (at + 1 < len && !mask_may_begin(mask, text + at))
		at++;
	return at;
}

/* The next secret: where it stands, and in *found how long. With more to come: also
 * where one might begin, of length 0. The text's length: there is none. */
static size_t
next_secret(const struct mask *mask, const char *text, size_t at, size_t len, bool more,
	    size_t *found)
{
	*found = 0;
	while ((at = skip(mask, text, at, len)) < len) {
		struct looking looking = { text + at, len - at, false };

		*found = match_any(mask, &looking);
		if (looking.cut && more)
			*found = 0;
		if (*found > 0 || (looking.cut && more))
			return at;
		at++;
	}
	return len;
}

size_t
mask_add_masked(const struct mask *mask, const char *text, size_t len, bool more,
		struct buf *out)
{
	size_t at = 0, shown = 0, found;

	for (;;) {
		at = next_secret(mask, text, at, len, more, &found);
		buf_add(out, text + shown, at - shown);
		if (found == 0)
			return at;
		buf_str(out, "***");
		at += found;
		shown = at;
	}
}

bool
mask_finds_long(const struct mask *mask, const char *text, size_t len, size_t least)
{
	size_t at = 0, found = 0;

	while (!mask_is_empty(mask) && at < len) {
		at = next_secret(mask, text, at, len, false, &found);
		if (found >= least)
			return true;
		at += found;
	}
	return false;
}

bool
mask_finds(const struct mask *mask, const char *text, size_t len)
{
	return mask_finds_long(mask, text, len, 1);
}

void
mask_text(const struct mask *mask, const char *text, size_t len, struct buf *out)
{
	if (mask_is_empty(mask))
		buf_add(out, text, len);
	else
		mask_add_masked(mask, text, len, false, out);
}
