/* Pure: a stream cut into lines, whatever pieces it comes in. A line longer than the
 * limit is passed over and counted; what follows it is read as ever. */
#ifndef AGENT_LINES_CORE_H
#define AGENT_LINES_CORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define LINE_BYTES_MAX (1024 * 1024)

struct agent_lines {
	struct buf part; /* of a line that is not over */
	bool skipping;   /* up to the next newline */
	size_t skipped;  /* lines that were too long */
};

/* A line without its newline (and the return before it); behind its end there is a NUL,
 * or the rest of the stream. Empty ones are not told. */
typedef void agent_line_fn(void *context, const char *line, size_t len);

void agent_lines_feed(struct agent_lines *lines, const char *data, size_t len,
		      agent_line_fn *fn, void *context);
/* The stream is over: what has no newline is a line, too. */
void agent_lines_end(struct agent_lines *lines, agent_line_fn *fn, void *context);
void agent_lines_fini(struct agent_lines *lines);

#endif
