/* A record and what a program says to it, a line each: every message is answered or
 * refused, whatever both hold. */
#include <stdint.h>
#include <string.h>

#include "cli/rehearsal_core.h"

static void
take(struct rehearsal *rehearsal, const char *line, size_t len)
{
	struct json *message = NULL, *answer = NULL;
	struct err err = { 0 };

	if (json_parse(line, len, &message, &err) == 0 &&
	    rehearsal_take(rehearsal, message, &answer, &err) == 0 &&
	    (answer != NULL) != (json_get(message, "id") != NULL))
		__builtin_trap();
	json_unref(&answer);
	json_unref(&message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;
	const char *newline = size > 0 ? memchr(at, '\n', size) : NULL;
	struct rehearsal *rehearsal;
	struct json *record = NULL;
	struct err err = { 0 };

	if (newline == NULL ||
	    json_parse(at, (size_t)(newline - at), &record, &err) < 0)
		return 0;
	rehearsal = rehearsal_new(record, NULL, "/", &err);
	for (at = newline + 1; rehearsal != NULL && at < end; at = newline + 1) {
		newline = memchr(at, '\n', (size_t)(end - at));
		if (newline == NULL)
			newline = end;
		take(rehearsal, at, (size_t)(newline - at));
	}
	if (rehearsal != NULL)
		rehearsal_report(rehearsal);
	rehearsal_free(&rehearsal);
	json_unref(&record);
	return 0;
}
