/* What can be chosen in a command's words ("create | list | revoke NAME") or in an
 * option's value ("high|normal|low"): everything in it that is written small. Pure. */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define WORDS_LEN_MAX 32

struct words {
	const char *at;
};

/* for (struct words it = words_of(text); words_next(&it, word);) */
struct words words_of(const char *text); /* NULL: nothing */
bool words_next(struct words *words, char word[static WORDS_LEN_MAX]);
bool words_any(const char *text);

#endif
