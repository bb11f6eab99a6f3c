/*
 * Text in pieces, and pieces of text. A stream holds back what may be the beginning of
 * a secret; of what was cut out of a longer text the ends are looked at as well.
 */
#include <string.h>

#include "base/mask_priv.h"

/* ---- parts ---- */

/* The longest end of some secret that the text begins with. */
static size_t
cut_secret(const struct mask *mask, const char *text, size_t len)
{
	size_t longest = 0;

	for (size_t i = 0; i < mask->count; i++) {
		const struct mask_pattern *pattern = &mask->patterns[i];

		for (size_t at = 1; at + MASK_SECRET_MIN <= pattern->len; at++) {
			size_t rest = pattern->len - at;

			if (rest <= longest)
				break;
			if (rest <= len && pattern->text[at] == text[0] &&
			    memcmp(text, pattern->text + at, rest) == 0)
				longest = rest;
		}
	}
	return longest;
}

void
mask_cut(const struct mask *mask, const char *text, size_t len, struct buf *out)
{
	size_t begin = mask_is_empty(mask) ? 0 : cut_secret(mask, text, len), end;

	if (mask_is_empty(mask)) {
		buf_add(out, text, len);
		return;
	}
	if (begin > 0)
		buf_str(out, "***");
	text += begin;
	len -= begin;
	end = mask_add_masked(mask, text, len, true, out);
	if (len - end >= MASK_SECRET_MIN)
		buf_str(out, "***");
	else
		mask_text(mask, text + end, len - end, out);
}

/* ---- pieces ---- */

void
mask_feed(const struct mask *mask, struct mask_stream *stream, const char *text,
	  size_t len, struct buf *out)
{
	struct buf *held = &stream->held;
	size_t done;

	if (mask_is_empty(mask)) {
		mask_end(mask, stream, out);
		buf_add(out, text, len);
		return;
	}
	if (held->len == 0) {
		done = mask_add_masked(mask, text, len, true, out);
		buf_add(held, text + done, len - done);
		return;
	}
	buf_add(held, text, len);
	done = mask_add_masked(mask, held->data, held->len, true, out);
	buf_consume(held, done);
}

void
mask_end(const struct mask *mask, struct mask_stream *stream, struct buf *out)
{
	mask_text(mask, buf_text(&stream->held), stream->held.len, out);
	buf_clear(&stream->held);
}

void
mask_stream_fini(struct mask_stream *stream)
{
	if (stream->held.data != NULL)
		explicit_bzero(stream->held.data, stream->held.len);
	buf_fini(&stream->held);
}
