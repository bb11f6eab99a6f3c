/* Lines. See lines_core.h. */
#include "agent/lines_core.h"

#include <string.h>

static void
tell(const char *line, size_t len, agent_line_fn *fn, void *context)
{
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len > 0)
		fn(context, line, len);
}

/* What stands before a newline, or before the end. */
static void
end_line(struct agent_lines *lines, const char *data, size_t len, agent_line_fn *fn,
	 void *context)
{
	if (lines->skipping || lines->part.len + len > LINE_BYTES_MAX) {
		lines->skipped++;
	} else if (lines->part.len == 0) {
		tell(data, len, fn, context);
	} else {
		buf_add(&lines->part, data, len);
		tell(lines->part.data, lines->part.len, fn, context);
	}
	lines->skipping = false;
	buf_clear(&lines->part);
}

static void
keep(struct agent_lines *lines, const char *data, size_t len)
{
	if (lines->skipping)
		return;
	if (lines->part.len + len > LINE_BYTES_MAX) {
		lines->skipping = true;
		buf_fini(&lines->part);
		return;
	}
	buf_add(&lines->part, data, len);
}

void
agent_lines_feed(struct agent_lines *lines, const char *data, size_t len,
		 agent_line_fn *fn, void *context)
{
	while (len > 0) {
		const char *newline = memchr(data, '\n', len);
		size_t part = newline != NULL ? (size_t)(newline - data) : len;

		if (newline == NULL) {
			keep(lines, data, part);
			return;
		}
		end_line(lines, data, part, fn, context);
		data += part + 1;
		len -= part + 1;
	}
}

void
agent_lines_end(struct agent_lines *lines, agent_line_fn *fn, void *context)
{
	if (lines->skipping || lines->part.len > 0)
		end_line(lines, "", 0, fn, context);
}

void
agent_lines_fini(struct agent_lines *lines)
{
	buf_fini(&lines->part);
	*lines = (struct agent_lines){ 0 };
}
