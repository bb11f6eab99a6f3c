/*
 * The body of a batch while it comes in, {"inputs": [...], ...}: where each input lies
 * in it, and what is left without them, the frame. So that neither is ever parsed as a
 * whole: the body is good JSON when the frame is, with an empty `inputs`, and each
 * input. Pure: it looks at bytes, once, in whatever pieces they come.
 */
#ifndef FRONT_INPUTS_CORE_H
#define FRONT_INPUTS_CORE_H

#include <stdbool.h>

#include "base/buf.h"

#define INPUTS_FRAME_MAX (64 * 1024)

struct input_place {
	size_t at, len; /* in the body */
};

enum inputs_verdict {
	INPUTS_GOOD,
	INPUTS_TOO_MANY,
	INPUTS_TOO_LONG, /* the last one in the list is */
	INPUTS_FRAME_TOO_LONG,
	INPUTS_VERDICTS
};

struct inputs {
	size_t most, len_max; /* of inputs, and of each; set before the first piece */
	struct input_place *list;
	size_t count;
	struct buf frame;

	/* where we are */
	size_t at, depth, room;
	bool quoted, escaped;
	char word[8]; /* the last string of the outermost object, its beginning */
	size_t word_len;
	bool named; /* `inputs` and its colon stood before this */
	bool inside;
	bool first, blank; /* of this input: no other before it; only space so far */
	size_t began;
};

/* The next piece of the body. Anything but INPUTS_GOOD is the last word. */
enum inputs_verdict inputs_add(struct inputs *inputs, const char *data, size_t len);
void inputs_fini(struct inputs *inputs);

#endif
