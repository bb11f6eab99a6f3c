/*
 * Pure: the bytes of a channel as lines. Memory never grows past a line of the greatest
 * length: what is longer comes in pieces, and each says that it is no whole line.
 */
#ifndef CHANNEL_LINE_CORE_H
#define CHANNEL_LINE_CORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define LINE_MAX_LEN (4 * 1024 * 1024) /* without its newline */

/* text is valid during the call. whole: a line, without its newline. Else a piece of
 * one that is too long, or what stands at the end without a newline; `last` of these
 * ends that line. */
typedef void line_fn(void *context, const char *text, size_t len, bool whole,
		     bool last);

struct lines {
	struct buf part; /* of the line that has not ended */
	size_t max;
	bool in_long; /* the line under way was too long: it goes on in pieces */
};

void lines_init(struct lines *lines, size_t max);
void lines_fini(struct lines *lines);
void lines_add(struct lines *lines, const char *data, size_t len, line_fn *fn,
	       void *context);
/* Nothing more will come: tells what is left. */
void lines_end(struct lines *lines, line_fn *fn, void *context);

#endif
