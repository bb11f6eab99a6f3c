/* Bytes in any pieces -> lines. See line_core.h. */
#include "channel/line_core.h"

#include <string.h>

void
lines_init(struct lines *lines, size_t max)
{
	*lines = (struct lines){ .max = max };
}

void
lines_fini(struct lines *lines)
{
	buf_fini(&lines->part);
	lines->in_long = false;
}

/* What was kept is told as a piece: the line is too long to be kept any further. */
static void
tell_piece(struct lines *lines, line_fn *fn, void *context)
{
	lines->in_long = true;
	fn(context, buf_text(&lines->part), lines->part.len, false, false);
	buf_clear(&lines->part);
}

static void
end_line(struct lines *lines, const char *text, size_t len, line_fn *fn, void *context)
{
	bool whole = !lines->in_long;

	lines->in_long = false;
	if (lines->part.len > 0) {
		buf_add(&lines->part, text, len);
		fn(context, buf_text(&lines->part), lines->part.len, whole, true);
		buf_clear(&lines->part);
	} else {
		fn(context, text, len, whole, true);
	}
}

void
lines_add(struct lines *lines, const char *data, size_t len, line_fn *fn, void *context)
{
	while (len > 0) {
		size_t room = lines->max - lines->part.len;
		size_t look = len <= room ? len : room + 1;
		const char *end = memchr(data, '\n', look);
		size_t took;

		if (end != NULL) {
			took = (size_t)(end - data) + 1;
			end_line(lines, data, took - 1, fn, context);
		} else {
			took = len < room ? len : room;
			buf_add(&lines->part, data, took);
			if (took < len)
				tell_piece(lines, fn, context);
		}
		data += took;
		len -= took;
	}
}

void
lines_end(struct lines *lines, line_fn *fn, void *context)
{
	if (lines->part.len > 0)
		fn(context, buf_text(&lines->part), lines->part.len, false, true);
	buf_clear(&lines->part);
	lines->in_long = false;
}
