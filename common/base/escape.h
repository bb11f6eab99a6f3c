/* Reads the bytes that an escaped text stands for, one character at a time. */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include <stddef.h>

enum escape {
	ESCAPE_NONE,
	ESCAPE_JSON,       /* inside a JSON string */
	ESCAPE_JSON_TWICE, /* JSON inside a JSON string */
	ESCAPE_URL,        /* %41, and + for a space */
	ESCAPES
};

/* What stands at text: its bytes into out, their number into *out_len. Returns how much
 * of the text that was, 0 when it is no text of this kind. len is not 0. */
size_t escape_read(enum escape escape, const char *text, size_t len, char out[static 4],
		   size_t *out_len);

#endif
