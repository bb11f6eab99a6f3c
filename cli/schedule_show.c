/* See schedule_show.h. */
#include "schedule_show.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/duration.h"
#include "print.h"
#include "table.h"
#include "text.h"

/* "7", or "3/7" where they are limited. */
static const char *
runs_of(const struct json *one, struct buf *out)
{
	const struct json *most = json_get(one, "maxRuns");

	buf_clear(out);
	buf_printf(out, "%lld", (long long)json_int(json_get(one, "runCount")));
	if (most != NULL)
		buf_printf(out, "/%lld", (long long)json_int(most));
	return buf_text(out);
}

static const char *
when_of(const struct json *one, struct buf *out)
{
	const char *zone = json_str(json_get(one, "timezone"));

	buf_clear(out);
	buf_str(out, json_str(json_get(one, "cronExpression")));
	if (zone != NULL && strcmp(zone, "UTC") != 0)
		buf_printf(out, " (%s)", zone);
	return buf_text(out);
}

static const char *
starts_of(const struct json *one)
{
	const char *path = json_str(json_get(one, "heartbeatPath"));

	return path != NULL ? path : json_str(json_get(one, "workflowName"));
}

static const char *
state_of(const struct json *one)
{
	return json_bool(json_get(one, "enabled")) ? "on" : "paused";
}

void
schedules_print(const struct json *list)
{
	static const char *const titles[] = { "NAME", "STATE",    "SCHEDULE", "STARTS",
					      "RUNS", "NEXT RUN", "ID" };
	struct table *table = table_new(titles, sizeof titles / sizeof *titles);
	struct buf text = { 0 };

	for (size_t i = 0; i < json_count(list); i++) {
		const struct json *one = json_at(list, i);

		table_add(table, 0, json_str(json_get(one, "name")));
		table_add(table, 1, state_of(one));
		table_add(table, 2, when_of(one, &text));
		table_add(table, 3, starts_of(one));
		table_add(table, 4, runs_of(one, &text));
		table_add(table, 5, json_str(json_get(one, "nextRun")));
		table_add(table, 6, json_str(json_get(one, "id")));
		table_end_row(table);
	}
	if (table_rows(table) > 0)
		table_print(table);
	else
		puts("no schedules yet; stepmill schedule add NAME EXPR --workflow "
		     "WORKFLOW");
	table_free(&table);
	buf_fini(&text);
}

static void
line(const char *name, const char *value)
{
	struct buf clean = { 0 };

	if (value == NULL || *value == '\0')
		return;
	text_clean(value, &clean);
	printf("%-13s %s\n", name, buf_text(&clean));
	buf_fini(&clean);
}

static void
print_hours(const struct json *hours)
{
	const struct json *days = json_get(hours, "daysOfWeek");
	struct buf text = { 0 };

	if (hours == NULL)
		return;
	buf_printf(&text, "%s-%s", json_str(json_get(hours, "start")),
		   json_str(json_get(hours, "end")));
	for (size_t i = 0; json_count(days) < 7 && i < json_count(days); i++)
		buf_printf(&text, "%s%lld", i == 0 ? " on days " : ",",
			   (long long)json_int(json_at(days, i)));
	line("active hours", buf_text(&text));
	buf_fini(&text);
}

static void
print_jitter(const struct json *one)
{
	int64_t jitter = json_int(json_get(one, "jitterMs"));
	char text[32];

	if (jitter > 0)
		line("jitter", duration_format(jitter * USEC_MS, text, sizeof text));
}

static void
print_input(const struct json *one)
{
	struct buf text = { 0 };

	if (json_get(one, "input") == NULL)
		return;
	print_value(json_get(one, "input"), &text);
	line("input", buf_text(&text));
	buf_fini(&text);
}

void
schedule_print(const struct json *one)
{
	struct buf text = { 0 };

	line("name", json_str(json_get(one, "name")));
	line("id", json_str(json_get(one, "id")));
	line("state", state_of(one));
	line("schedule", when_of(one, &text));
	line("starts", starts_of(one));
	print_hours(json_get(one, "activeHours"));
	line("runs", runs_of(one, &text));
	line("catch up", json_str(json_get(one, "catchUp")));
	line("overlap", json_str(json_get(one, "overlap")));
	print_jitter(one);
	print_input(one);
	line("next run", json_str(json_get(one, "nextRun")));
	line("last run", json_str(json_get(one, "lastRunAt")));
	line("last run's id", json_str(json_get(one, "lastRunId")));
	line("declared by", json_str(json_get(one, "declaredBy")));
	line("made by", json_str(json_get(one, "createdBy")));
	buf_fini(&text);
}

void
firings_print(const struct json *list)
{
	static const char *const titles[] = { "FIRE TIME", "OUTCOME", "RUN", "DETAIL" };
	static const char *const keys[] = { "fireTime", "outcome", "executionId",
					    "detail" };
	struct table *table = table_new(titles, sizeof titles / sizeof *titles);

	for (size_t i = 0; i < json_count(list); i++) {
		for (size_t j = 0; j < sizeof keys / sizeof *keys; j++)
			table_add(table, j,
				  json_str(json_get(json_at(list, i), keys[j])));
		table_end_row(table);
	}
	if (table_rows(table) > 0)
		table_print(table);
	else
		puts("it has not come due yet");
	table_free(&table);
}
