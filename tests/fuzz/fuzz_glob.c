/*
 * A pattern and a path, split at the first line's end: whatever is read as a pattern
 * matches or does not, within its bounds; a path without special characters, taken as
 * the pattern, matches itself.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "lang/glob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	const char *line = len > 0 ? memchr(text, '\n', len) : NULL;
	size_t pattern_len = line != NULL ? (size_t)(line - text) : len;
	char *pattern = xstrndup(text, pattern_len);
	char *path =
	    line != NULL ? xstrndup(line + 1, len - pattern_len - 1) : xstrdup(pattern);
	struct err err = { 0 };

	if (glob_check(text, pattern_len, &err) == 0) {
		glob_match(pattern, path);
		if (strpbrk(pattern, "*?[\\") == NULL && !glob_match(pattern, pattern))
			abort();
	} else if (err.kind != ERR_INPUT) {
		abort();
	}
	free(pattern);
	free(path);
	return 0;
}
