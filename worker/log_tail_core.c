/* Pure: walks back from the end, line by line. See log_tail_core.h. */
#include "log_tail_core.h"

#include <string.h>

/* The message of a line, or NULL. */
static struct json *
message_of(const char *line, size_t len)
{
	struct json *entry = NULL, *message;
	struct err err = { 0 };

	if (json_parse(line, len, &entry, &err) < 0)
		return NULL;
	message = json_get(entry, "message");
	message = json_type(message) == JSON_STRING ? json_ref(message) : NULL;
	json_unref(&entry);
	return message;
}

/* Where the line begins that ends at end (its newline is there); NULL: it is cut off.
 */
static const char *
begin_of(const char *text, const char *end, bool cut)
{
	const char *before = memrchr(text, '\n', (size_t)(end - text));

	if (before != NULL)
		return before + 1;
	return cut ? NULL : text;
}

struct json *
log_tail(const char *text, size_t len, bool cut)
{
	struct json *found[LOG_TAIL_LINES], *tail = json_new_array();
	const char *end = memrchr(text, '\n', len), *line;
	size_t count = 0;

	while (end != NULL && count < LOG_TAIL_LINES) {
		line = begin_of(text, end, cut);
		if (line == NULL)
			break;
		found[count] = message_of(line, (size_t)(end - line));
		count += found[count] != NULL;
		end = line > text ? line - 1 : NULL;
	}
	while (count > 0)
		json_append(tail, found[--count]);
	return tail;
}
