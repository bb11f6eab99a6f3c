/*
 * Pure: bytes in any pieces -> lines, as servers write their messages over standard
 * output. A line that is longer than a message may be is an error, not memory.
 */
#ifndef MCP_LINES_CORE_H
#define MCP_LINES_CORE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define MCP_MESSAGE_MAX (8 * 1024 * 1024) /* bytes of one message of a server */

struct mcp_lines {
	struct buf held; /* of the line that has no end yet */
};

/* line: without its end (LF, or CR LF), borrowed. Empty lines are not told. */
typedef void mcp_line_fn(void *context, const char *line, size_t len);

/* -1 with ERR_LIMIT: a line is too long. on_line may not feed. */
int mcp_lines_feed(struct mcp_lines *lines, const char *data, size_t len,
		   mcp_line_fn *on_line, void *context, struct err *err);
void mcp_lines_fini(struct mcp_lines *lines);

#endif
