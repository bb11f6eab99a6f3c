/* Lines of a run's log, {time, level, step, message} as JSON: which of them are wanted.
 */
#ifndef FRONT_LOG_LINES_CORE_H
#define FRONT_LOG_LINES_CORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define LOG_LINE_MAX (1024 * 1024) /* a longer one is left out */

/* "trace", 0, to "fatal", 5; -1: none of them. */
int log_level_of(const char *text);
/* Appends each whole line of text that is an entry of this level or above (or of none
 * that is known), with what `separator` is between two; *count: so far. How many bytes
 * of text were used: what is behind the last end of a line is to be given again. */
size_t log_lines_pick(const char *text, size_t len, int least, const char *separator,
		      size_t *count, struct buf *out);

#endif
