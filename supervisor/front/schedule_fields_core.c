/* See schedule_fields_core.h. */
#include "front/schedule_fields_core.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "front/object_core.h"

static const char *const catch_ups[] = { "last", "all", "none", NULL };
static const char *const overlaps[] = { "skip", "allow", NULL };

/* clang-format off */
const struct field active_hours_fields[] = {
	{ .name = "start", .type = FIELD_TEXT, .required = true },
	{ .name = "end", .type = FIELD_TEXT, .required = true },
	{ .name = "daysOfWeek", .type = FIELD_ANY },
	{ .name = NULL },
};

const struct field schedule_fields[] = {
	{ .name = "name", .type = FIELD_TEXT, .required = true, .min = 1,
	  .max = SCHEDULE_NAME_MAX },
	{ .name = "cronExpression", .type = FIELD_TEXT, .required = true, .min = 1,
	  .max = CRON_TEXT_MAX },
	{ .name = "timezone", .type = FIELD_TEXT, .min = 1, .max = 100 },
	{ .name = "workflowId", .type = FIELD_TEXT, .min = 1, .max = SCHEDULE_NAME_MAX },
	{ .name = "activeHours", .type = FIELD_OBJECT, .members = active_hours_fields },
	{ .name = "maxRuns", .type = FIELD_COUNT, .min = 1, .max = INT_MAX },
	{ .name = "catchUp", .type = FIELD_CHOICE, .choices = catch_ups },
	{ .name = "overlap", .type = FIELD_CHOICE, .choices = overlaps },
	{ .name = "jitterMs", .type = FIELD_COUNT, .min = 0,
	  .max = (long)(SCHEDULE_JITTER_MAX / USEC_MS) },
	{ .name = "input", .type = FIELD_OBJECT },
	{ .name = "projectId", .type = FIELD_TEXT },
	{ .name = "enabled", .type = FIELD_FLAG },
	{ .name = NULL },
};
/* clang-format on */

/* ---- active hours ---- */

static bool
has_day(const struct hours_fields *hours, int day)
{
	for (size_t i = 0; i < hours->days_count; i++)
		if (hours->days[i] == day)
			return true;
	return false;
}

static void
read_day(const struct json *item, size_t index, struct hours_fields *out,
	 struct problems *problems)
{
	struct active_hours room = { 0 };
	struct err why = { 0 };
	int64_t day = json_int(item);
	char path[OBJECT_PATH_MAX];

	snprintf(path, sizeof path, "activeHours.daysOfWeek[%zu]", index);
	if (json_type(item) != JSON_INT)
		problems_add_at(problems, 0, 0, path,
				"expected a day from 1 (Monday) to 7, got %s",
				json_type_name(json_type(item)));
	else if (active_hours_day(&room, day, &why) < 0)
		problems_add_at(problems, 0, 0, path, "%s", why.text);
	else if (!has_day(out, day == 0 ? 7 : (int)day))
		out->days[out->days_count++] = day == 0 ? 7 : (int)day;
}

static void
read_days(const struct json *list, struct hours_fields *out, struct problems *problems)
{
	if (list == NULL)
		return;
	if (json_type(list) != JSON_ARRAY || json_count(list) == 0 ||
	    json_count(list) > 100) {
		problems_add_at(problems, 0, 0, "activeHours.daysOfWeek",
				"expected a list of days, 1 (Monday) to 7");
		return;
	}
	for (size_t i = 0; i < json_count(list); i++)
		read_day(json_at(list, i), i, out, problems);
}

void
hours_fields_read(const struct json *object, struct hours_fields *out,
		  struct problems *problems)
{
	const struct json *hours = json_get(object, "activeHours");

	*out = (struct hours_fields){
		.start = json_str(json_get(hours, "start")),
		.end = json_str(json_get(hours, "end")),
	};
	if (json_type(hours) == JSON_OBJECT)
		read_days(json_get(hours, "daysOfWeek"), out, problems);
}

/* ---- when it fires ---- */

/* What the rule's reader says begins with the field's name: that is the path. */
static bool
read_part(struct schedule_words words, usec_t anchor, struct schedule_rule *out,
	  struct problems *problems)
{
	struct err why = { 0 };
	char path[OBJECT_PATH_MAX];
	const char *colon;

	words.cron = words.cron != NULL ? words.cron : "* * * * *";
	if (schedule_rule_read(&words, anchor, out, &why) == 0)
		return true;
	colon = strstr(why.text, ": ");
	if (colon == NULL)
		bug("an error of a schedule's rule without a field: %s", why.text);
	snprintf(path, sizeof path, "%.*s", (int)(colon - why.text), why.text);
	problems_add_at(problems, 0, 0, path, "%s", colon + 2);
	return false;
}

/* One after the other, for the rule's reader stops at what it finds first. */
bool
schedule_rule_check(const char *cron, const char *zone,
		    const struct hours_fields *hours, usec_t anchor,
		    struct schedule_rule *out, struct problems *problems)
{
	struct schedule_words all = { .cron = cron,
				      .zone = zone,
				      .start = hours->start,
				      .end = hours->end,
				      .days = hours->days,
				      .days_count = hours->days_count };
	struct schedule_words part = { .zone = zone };
	bool good = read_part(part, anchor, out, problems);

	all.zone = good ? zone : NULL;
	part = (struct schedule_words){ .cron = cron, .zone = all.zone };
	good = read_part(part, anchor, out, problems) && good;
	if (hours->start != NULL) {
		part = (struct schedule_words){ .start = hours->start, .end = "24:00" };
		good = read_part(part, anchor, out, problems) && good;
	}
	if (hours->end != NULL) {
		part = (struct schedule_words){ .start = "00:00", .end = hours->end };
		good = read_part(part, anchor, out, problems) && good;
	}
	/* One without the other is missing, as the table of fields has told. */
	return good && (hours->start == NULL) == (hours->end == NULL) &&
	       read_part(all, anchor, out, problems);
}

/* ---- the whole ---- */

static const char *
text_or(const struct json *object, const char *name, const char *preset)
{
	const char *text = json_str(json_get(object, name));

	return text != NULL ? text : preset;
}

static bool
is_line(const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	return true;
}

static void
read_plain(const struct json *object, struct schedule_fields *out,
	   struct problems *problems)
{
	const struct json *project = json_get(object, "projectId");
	const char *text = json_str(project);

	out->name = json_str(json_get(object, "name"));
	out->workflow = json_str(json_get(object, "workflowId"));
	out->input = json_get(object, "input");
	out->catch_up = text_or(object, "catchUp", catch_ups[0]);
	out->overlap = text_or(object, "overlap", overlaps[0]);
	out->max_runs = (int)json_int(json_get(object, "maxRuns"));
	out->jitter_ms = (int)json_int(json_get(object, "jitterMs"));
	out->enabled =
	    !json_has(object, "enabled") || json_bool(json_get(object, "enabled"));
	if (out->name != NULL && !is_line(out->name))
		problems_add_at(problems, 0, 0, "name",
				"control characters are not allowed");
	if (json_has(object, "enabled") && json_get(object, "enabled") == NULL)
		problems_add_at(problems, 0, 0, "enabled",
				"expected true or false, got null");
	if (text != NULL) {
		out->has_project =
		    uuid_parse(text, json_str_len(project), &out->project);
		if (!out->has_project)
			problems_add_at(problems, 0, 0, "projectId", "expected a UUID");
	}
}

bool
schedule_fields_read(const struct json *object, bool strict, usec_t anchor,
		     struct schedule_fields *out, struct problems *problems)
{
	size_t before = problems->count;

	*out = (struct schedule_fields){ 0 };
	object_check(schedule_fields, object, "", strict, problems);
	out->cron = json_str(json_get(object, "cronExpression"));
	out->zone = text_or(object, "timezone", "UTC");
	read_plain(object, out, problems);
	hours_fields_read(object, &out->hours, problems);
	schedule_rule_check(out->cron, out->zone, &out->hours, anchor, &out->rule,
			    problems);
	return problems->count == before;
}

struct json *
schedule_fields_merge(const struct json *stored, const struct json *sent)
{
	struct json *merged = json_new_object();

	for (const struct field *field = schedule_fields; field->name != NULL; field++)
		if (json_get(stored, field->name) != NULL)
			json_set(merged, field->name,
				 json_ref(json_get(stored, field->name)));
	for (struct json_iter it = json_iter(sent); json_next(&it);)
		json_set_len(merged, it.key, it.key_len, json_ref(it.value));
	return merged;
}

bool
schedule_fields_differ(const struct json *a, const struct json *b,
		       const char *const *names)
{
	for (; *names != NULL; names++)
		if (!json_equal(json_get(a, *names), json_get(b, *names)))
			return true;
	return false;
}
