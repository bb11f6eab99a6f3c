/* Sets of characters: what [a-z\d\pL] and \w mean. */
#ifndef LANG_REGEX_CLASS_H
#define LANG_REGEX_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lang/arena.h"

struct regex_range {
	uint32_t first, last;
};

struct regex_item { /* a range of its own, or a named set */
	struct regex_range range;
	const struct regex_range *set; /* ends with {0, 0} behind its first entry */
	uint32_t categories;           /* or a mask of general categories */
	bool negated;
};

struct regex_class {
	struct regex_item *items;
	size_t count, capacity;
	bool negated;
	bool fold;         /* upper and lower case are the same */
	uint64_t ascii[2]; /* the answers for 0..127, made by regex_class_end */
};

void regex_class_add(struct regex_class *class, struct arena *arena,
		     struct regex_item item);
void regex_class_end(struct regex_class *class);
bool regex_class_has(const struct regex_class *class, uint32_t c);

/* Named sets; false when there is none of that name. */
bool regex_set_perl(char letter, struct regex_item *out); /* d D s S w W */
bool regex_set_posix(const char *name, size_t len,
		     struct regex_item *out); /* "alpha" */
bool regex_set_unicode(const char *name, size_t len, struct regex_item *out); /* "Lu" */

/* Whether two characters differ at most in case. */
bool regex_same_fold(uint32_t a, uint32_t b);
bool regex_is_word(uint32_t c); /* [0-9A-Za-z_] */

#endif
