/*
 * Pure: one line that a child says to its parent. Strict: a word that this child may
 * say, numbers within bounds, nothing else.
 */
#ifndef POOL_CHILD_LINE_CORE_H
#define POOL_CHILD_LINE_CORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define CHILD_LINE_MAX   64 /* bytes */
#define CHILD_NUMBER_MAX 1000000

enum child_says {
	CHILD_SAYS_READY,
	CHILD_SAYS_SLOTS,
	CHILD_SAYS_SCALE,
	CHILD_SAYS_DRAIN,
	CHILD_SAYS
};

struct child_line {
	enum child_says says;
	int used, slots; /* of CHILD_SAYS_SLOTS */
	int workers;     /* of CHILD_SAYS_SCALE */
};

int child_line_parse(const char *line, size_t len, bool from_front,
		     struct child_line *out, struct err *err);

#endif
