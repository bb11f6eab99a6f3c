/*
 * Pure: what is kept of a long output. The beginning and the end stay, what lies
 * between is counted; the text says how much was left out. Memory never grows past the
 * limit.
 */
#ifndef WORKER_OUTPUT_CORE_H
#define WORKER_OUTPUT_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define OUTPUT_KEEP_MIN 256 /* a limit below this is taken as this */

struct output {
	size_t keep;     /* bytes of text at most */
	struct buf head; /* the first half */
	struct buf tail; /* what came after it; a ring once it is full */
	size_t tail_start;
	uint64_t total; /* bytes seen */
};

void output_init(struct output *output, size_t keep);
void output_fini(struct output *output);
void output_add(struct output *output, const char *data, size_t len);
/* Appends what was kept: valid UTF-8 without NUL, at most `keep` bytes, cut between
 * characters. Returns whether something was left out. */
bool output_text(const struct output *output, struct buf *out);
/* What was kept of one of which something was left out: both parts as output_text has
 * them, and how many bytes lie between. */
struct output_parts {
	struct buf head, tail;
	uint64_t left_out;
};

/* False: nothing was left out, parts stay empty. */
bool output_cut(const struct output *output, struct output_parts *parts);
void output_mark(const struct output_parts *parts,
		 struct buf *out); /* the line between */
void output_parts_fini(struct output_parts *parts);

/* Appends the bytes as they came. False: not all of them were kept, nothing is added.
 */
bool output_bytes(const struct output *output, struct buf *out);
/* The last line that is neither empty nor indented, at most max bytes: what a program
 * that failed usually says about it. Appends nothing when there is none. */
void output_last_line(const struct output *output, size_t max, struct buf *out);

#endif
