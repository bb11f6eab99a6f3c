/* Which lines of a log are wanted. Pure; see log_lines_core.h. */
#include "front/log_lines_core.h"

#include <string.h>

#include "json/json.h"

int
log_level_of(const char *text)
{
	static const char *const names[] = { "trace", "debug", "info",
					     "warn",  "error", "fatal" };

	for (int i = 0; i < (int)(sizeof names / sizeof *names); i++)
		if (strcmp(names[i], text) == 0)
			return i;
	return -1;
}

static bool
is_wanted(const char *line, size_t len, int least)
{
	struct json *entry = NULL;
	struct err err = { 0 };
	const char *level;
	bool wanted;
	int rank;

	if (len > LOG_LINE_MAX || json_parse(line, len, &entry, &err) < 0)
		return false;
	level = json_str(json_get(entry, "level"));
	rank = level != NULL ? log_level_of(level) : -1;
	wanted = json_type(entry) == JSON_OBJECT && (rank < 0 || rank >= least);
	json_unref(&entry);
	return wanted;
}

size_t
log_lines_pick(const char *text, size_t len, int least, const char *separator,
	       size_t *count, struct buf *out)
{
	const char *end;
	size_t used = 0;

	while (used < len && (end = memchr(text + used, '\n', len - used)) != NULL) {
		size_t line_len = (size_t)(end - text) - used;

		if (is_wanted(text + used, line_len, least)) {
			if ((*count)++ > 0)
				buf_str(out, separator);
			buf_add(out, text + used, line_len);
		}
		used += line_len + 1;
	}
	return used;
}
