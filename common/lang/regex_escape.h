/* The reader under regex_parse: characters, numbers, and what stands behind a "\". */
#ifndef LANG_REGEX_ESCAPE_H
#define LANG_REGEX_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "lang/regex_class.h"

struct regex_source {
	const char *pattern;
	size_t len, at;
	struct arena *arena;
	struct err *err;
	bool failed;
};

/* Sets err with the place in front, as characters from 1; returns -1. */
int regex_fail(struct regex_source *source, size_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int regex_peek(const struct regex_source *source); /* the next byte, or -1 at the end */
bool regex_looks_at(const struct regex_source *source, const char *text);
int regex_next(struct regex_source *source, uint32_t *c);
/* A decimal number at *at, moved behind it; more than 9999 reads as 9999. */
bool regex_number(const struct regex_source *source, size_t *at, int *out);

/* At a "\". A set: \d, \pL, \p{Lu}; false without a failure when it is none. */
bool regex_escape_set(struct regex_source *source, struct regex_item *out);
/* A character: \n, \x41, \x{1F600}, \012, \. */
int regex_escape_char(struct regex_source *source, uint32_t *c);

#endif
