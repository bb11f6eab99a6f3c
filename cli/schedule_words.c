/* See schedule_words.h. */
#include "schedule_words.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/xalloc.h"
#include "input.h"

/* An option that is sent as it is. */
struct plain {
	const char *option, *key;
	bool clears; /* "none" sends null */
};

static const struct plain plains[] = {
	{ "name", "name", false },        { "cron", "cronExpression", false },
	{ "timezone", "timezone", true }, { "workflow", "workflowId", true },
	{ "catch-up", "catchUp", false }, { "overlap", "overlap", false },
};

static bool
is_none(const char *value)
{
	return value != NULL && strcmp(value, SCHEDULE_WORDS_NONE) == 0;
}

static void
set_plain(const struct args *args, struct json *body)
{
	for (size_t i = 0; i < sizeof plains / sizeof *plains; i++) {
		const struct plain *plain = &plains[i];
		const char *value = args_value(args, plain->option);

		if (value != NULL)
			json_set(body, plain->key,
				 plain->clears && is_none(value) ? NULL
								 : json_new_str(value));
	}
}

/* "1,2,3" */
static int
read_days(const char *text, struct json *hours, struct err *err)
{
	struct json *list;

	if (text == NULL)
		return 0;
	if (hours == NULL)
		return err_set(err, ERR_INPUT, "--days goes with --active-hours");
	list = json_new_array();
	json_set(hours, "daysOfWeek", list);
	for (const char *at = text;; at += 2) {
		if (at[0] < '0' || at[0] > '7' || (at[1] != ',' && at[1] != '\0'))
			return err_set(err, ERR_INPUT,
				       "--days: expected days like 1,2,3 (1 Monday)");
		json_append(list, json_new_int(at[0] - '0'));
		if (at[1] == '\0')
			return 0;
	}
}

/* "22:00-06:00" */
static int
set_hours(const struct args *args, struct json *body, struct err *err)
{
	const char *text = args_value(args, "active-hours");
	const char *dash = text != NULL ? strchr(text, '-') : NULL;
	struct json *hours = NULL;

	if (text != NULL && dash == NULL && !is_none(text))
		return err_set(err, ERR_INPUT, "--active-hours: expected HH:MM-HH:MM");
	if (dash != NULL) {
		hours = json_new_object();
		json_set(hours, "start", json_new_str_len(text, (size_t)(dash - text)));
		json_set(hours, "end", json_new_str(dash + 1));
	}
	if (text != NULL)
		json_set(body, "activeHours", hours);
	return read_days(args_value(args, "days"), hours, err);
}

static int
set_runs(const struct args *args, struct json *body, struct err *err)
{
	const char *text = args_value(args, "max-runs");
	long count = 0;

	if (text == NULL)
		return 0;
	if (!is_none(text) &&
	    count_read("--max-runs", text, 1, INT_MAX, &count, err) < 0)
		return -1;
	json_set(body, "maxRuns", is_none(text) ? NULL : json_new_int(count));
	return 0;
}

static int
set_jitter(const struct args *args, struct json *body, struct err *err)
{
	const char *text = args_value(args, "jitter");
	usec_t jitter = 0;

	if (text == NULL)
		return 0;
	if (!is_none(text) && duration_parse(text, strlen(text), &jitter, err) < 0)
		return err_in(err, "--jitter");
	json_set(body, "jitterMs", json_new_int(jitter / USEC_MS));
	return 0;
}

static int
set_input(const struct args *args, struct json *body, struct err *err)
{
	const char *text = args_value(args, "input");
	struct json *input = NULL;

	if (text == NULL)
		return 0;
	if (!is_none(text) && input_read_option(text, "input", &input, err) < 0)
		return -1;
	json_set(body, "input", input);
	return 0;
}

int
schedule_words_read(const struct args *args, struct json *body, struct err *err)
{
	set_plain(args, body);
	if (args_has(args, "disabled"))
		json_set(body, "enabled", json_new_bool(false));
	if (set_hours(args, body, err) < 0 || set_runs(args, body, err) < 0 ||
	    set_jitter(args, body, err) < 0)
		return -1;
	return set_input(args, body, err);
}
