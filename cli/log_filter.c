/* See log_filter.h. */
#include "log_filter.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

static const char *const levels[] = {
	"trace", "debug", "info", "warn", "error", "fatal"
};

static int
level_of(const char *name)
{
	for (int i = 0; i < (int)(sizeof levels / sizeof *levels); i++)
		if (strcmp(levels[i], name) == 0)
			return i;
	return -1;
}

int
log_filter_read(struct log_filter *filter, const char *level, const char *step,
		struct err *err)
{
	const char *colon = step != NULL ? strrchr(step, ':') : NULL;

	filter->level = level != NULL ? level_of(level) : 0;
	filter->step = colon != NULL ? colon + 1 : step; /* an id is RUN:NUMBER */
	if (filter->level < 0)
		return err_set(err, ERR_INPUT,
			       "--level: expected trace, debug, info, warn, error or "
			       "fatal, got \"%s\"",
			       level);
	return 0;
}

static bool
is_step(const struct json *step, const char *wanted)
{
	char number[24];

	if (json_type(step) == JSON_STRING)
		return strcmp(json_str(step), wanted) == 0;
	if (json_type(step) != JSON_INT)
		return false;
	snprintf(number, sizeof number, "%lld", (long long)json_int(step));
	return strcmp(number, wanted) == 0;
}

bool
log_filter_wants(const struct log_filter *filter, const struct json *entry)
{
	const char *level = json_str(json_get(entry, "level"));

	if (level != NULL && level_of(level) < filter->level)
		return false;
	return filter->step == NULL || is_step(json_get(entry, "step"), filter->step);
}

void
log_filter_line(const struct json *entry, struct buf *out)
{
	const char *level = json_str(json_get(entry, "level"));
	const struct json *step = json_get(entry, "step");

	text_clean(json_str(json_get(entry, "time")), out);
	buf_char(out, ' ');
	text_clean(level, out);
	for (size_t i = level != NULL ? strlen(level) : 0; i < 6; i++)
		buf_char(out, ' ');
	if (json_type(step) == JSON_STRING) {
		text_clean(json_str(step), out);
		buf_str(out, ": ");
	} else if (json_type(step) == JSON_INT) {
		buf_printf(out, "%lld: ", (long long)json_int(step));
	}
	text_clean(json_str(json_get(entry, "message")), out);
}
