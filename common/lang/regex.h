/*
 * Regular expressions in RE2's syntax, matched in linear time: all ways are followed at
 * once, nothing is tried again, so no pattern is slow on any text. It answers whether a
 * text matches, not where: there are no captures, and lazy or greedy makes no
 * difference. Left out of RE2: \C, and \p{...} of scripts (\p{Greek}).
 */
#ifndef LANG_REGEX_H
#define LANG_REGEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define REGEX_TEXT_MAX    4096  /* bytes of a pattern */
#define REGEX_PROGRAM_MAX 10000 /* instructions; x{1000} counts a thousand times */
#define REGEX_REPEAT_MAX  1000
#define REGEX_NEST_MAX    100

struct regex;

enum regex_answer {
	REGEX_NO,
	REGEX_YES,
	REGEX_SPENT /* *budget ran out before it was known */
};

/* NULL with err (ERR_INPUT, "character 3: missing ) for the ( here"). */
struct regex *regex_compile(const char *pattern, size_t len, struct err *err);
void regex_free(struct regex **regex_p);
/* Whether it matches anywhere in the text. Each instruction looked at takes one from
 * *budget. Bytes that are not UTF-8 match as U+FFFD. */
enum regex_answer regex_match(const struct regex *regex, const char *text, size_t len,
			      int64_t *budget);
size_t regex_size(const struct regex *regex); /* instructions */

#endif
