/*
 * stepmill schedule preview: when a schedule would fire, and why at that time. No
 * server: the arithmetic is the scheduler's own.
 */
#include "schedule_preview.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lang/schedule_preview.h"
#include "print.h"
#include "table.h"

#define COUNT_DEFAULT 5

struct preview {
	const char *expression, *zone_name;
	struct cron cron;
	const struct zone *zone;
	usec_t from;
	long count;
	bool limited; /* by hours */
	struct active_hours hours;
};

/* In whole seconds: nobody reads the rest. */
static usec_t
wall_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (usec_t)ts.tv_sec * USEC_SECOND;
}

/* "22:00-06:00" */
static int
read_hours(struct preview *preview, const char *text, struct err *err)
{
	const char *dash = strchr(text, '-');

	if (dash == NULL)
		return err_set(err, ERR_INPUT, "--active-hours: expected HH:MM-HH:MM");
	if (active_hours_time(text, (size_t)(dash - text), false, &preview->hours.start,
			      err) < 0 ||
	    active_hours_time(dash + 1, strlen(dash + 1), true, &preview->hours.end,
			      err) < 0)
		return err_in(err, "--active-hours");
	preview->limited = true;
	preview->hours.days = ACTIVE_DAYS_ALL;
	return 0;
}

/* "1,2,3" */
static int
read_days(struct preview *preview, const char *text, struct err *err)
{
	if (!preview->limited)
		return err_set(err, ERR_INPUT, "--days goes with --active-hours");
	preview->hours.days = 0;
	for (const char *at = text;; at += 2) {
		if (at[0] < '0' || at[0] > '9' || (at[1] != ',' && at[1] != '\0'))
			return err_set(err, ERR_INPUT,
				       "--days: expected days like 1,2,3");
		if (active_hours_day(&preview->hours, at[0] - '0', err) < 0)
			return err_in(err, "--days");
		if (at[1] == '\0')
			return 0;
	}
}

static int
read_preview(struct preview *preview, const struct args *args, struct err *err)
{
	const char *from = args_value(args, "from");
	const char *hours = args_value(args, "active-hours");
	const char *days = args_value(args, "days");
	const char *zone = args_value(args, "timezone");

	*preview = (struct preview){ .count = COUNT_DEFAULT, .from = wall_now() };
	preview->expression = args->words[1];
	preview->zone_name = zone != NULL ? zone : "UTC";
	if (args_count(args, "count", 1, SCHEDULE_PREVIEW_MAX, &preview->count, err) <
	    0)
		return -1;
	if (from != NULL && !rfc3339_parse(from, strlen(from), &preview->from))
		return err_set(err, ERR_INPUT,
			       "--from: expected a time like 2030-01-31T12:00:00Z");
	if (hours != NULL && read_hours(preview, hours, err) < 0)
		return -1;
	if (days != NULL && read_days(preview, days, err) < 0)
		return -1;
	preview->zone = zone_get(preview->zone_name, err);
	return preview->zone != NULL ? 0 : -1;
}

static void
print_people(const struct json *firings)
{
	static const char *const titles[] = { "local time", "UTC", "note" };
	struct table *table = table_new(titles, 3);

	for (size_t i = 0; i < json_count(firings); i++) {
		const struct json *firing = json_at(firings, i);

		table_add(table, 0, json_str(json_get(firing, "local")));
		table_add(table, 1, json_str(json_get(firing, "at")));
		table_add(table, 2, json_str(json_get(firing, "note")));
		table_end_row(table);
	}
	if (table_rows(table) > 0)
		table_print(table);
	table_free(&table);
}

static void
print_programs(const struct preview *preview, struct json *firings)
{
	struct json *json = json_new_object();

	json_set(json, "cronExpression", json_new_str(preview->expression));
	json_set(json, "timezone", json_new_str(preview->zone_name));
	json_set(json, "firings", json_ref(firings));
	print_json(json);
	json_unref(&json);
}

static int
print_preview(const struct command *command, const struct args *args,
	      const struct preview *preview)
{
	struct json *firings = schedule_preview(
	    &preview->cron, preview->zone, preview->from, (int)preview->count,
	    preview->limited ? &preview->hours : NULL);
	size_t found = json_count(firings);
	char from[40];

	if (args_has(args, "json"))
		print_programs(preview, firings);
	else
		print_people(firings);
	json_unref(&firings);
	if (found == 0)
		return command_fail(command, CLI_FAILED, "it never fires after %s",
				    rfc3339_format(preview->from, from));
	if (found < (size_t)preview->count && !args_has(args, "json"))
		puts("and never again");
	return CLI_OK;
}

int
preview_run(const struct command *command, const struct args *args)
{
	struct preview preview;
	struct err err = { 0 };

	if (args->words_count != 2)
		return command_usage(
		    command, "expected one EXPR, in quotes: preview '0 9 * * *'");
	if (read_preview(&preview, args, &err) < 0)
		return command_usage(command, "%s", err.text);
	if (cron_parse(preview.expression, strlen(preview.expression), &preview.cron,
		       &err) < 0)
		return command_fail(command, CLI_FAILED, "%s", err.text);
	return print_preview(command, args, &preview);
}
