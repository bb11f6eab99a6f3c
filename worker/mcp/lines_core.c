/* Cutting bytes into lines. See lines_core.h. */
#include "mcp/lines_core.h"

#include <string.h>

static void
tell(const char *line, size_t len, mcp_line_fn *on_line, void *context)
{
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len > 0)
		on_line(context, line, len);
}

int
mcp_lines_feed(struct mcp_lines *lines, const char *data, size_t len,
	       mcp_line_fn *on_line, void *context, struct err *err)
{
	while (len > 0) {
		const char *end = memchr(data, '\n', len);
		size_t part = end != NULL ? (size_t)(end - data) : len;

		if (part > MCP_MESSAGE_MAX - lines->held.len)
			return err_set(err, ERR_LIMIT, "a line of more than %d bytes",
				       MCP_MESSAGE_MAX);
		if (end == NULL) {
			buf_add(&lines->held, data, part);
			return 0;
		}
		if (lines->held.len == 0) {
			tell(data, part, on_line, context);
		} else {
			buf_add(&lines->held, data, part);
			tell(buf_text(&lines->held), lines->held.len, on_line, context);
			buf_clear(&lines->held);
		}
		data = end + 1;
		len -= part + 1;
	}
	return 0;
}

void
mcp_lines_fini(struct mcp_lines *lines)
{
	buf_fini(&lines->held);
}
