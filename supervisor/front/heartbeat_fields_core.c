/* See heartbeat_fields_core.h. */
#include "front/heartbeat_fields_core.h"

#include <stdio.h>
#include <string.h>

#include "engine/heartbeat_core.h"
#include "front/object_core.h"

/* clang-format off */
const struct field heartbeat_fields[] = {
	{ .name = "heartbeatPath", .type = FIELD_TEXT, .required = true, .min = 1,
	  .max = HEARTBEAT_PATH_MAX },
	{ .name = "interval", .type = FIELD_COUNT, .min = 1, .max = HEARTBEAT_INTERVAL_MAX },
	{ .name = "timezone", .type = FIELD_TEXT, .min = 1, .max = 100 },
	{ .name = "activeHours", .type = FIELD_OBJECT, .members = active_hours_fields },
	{ .name = "enabled", .type = FIELD_FLAG },
	{ .name = "model", .type = FIELD_TEXT, .min = 1, .max = HEARTBEAT_MODEL_MAX },
	{ .name = "webhook", .type = FIELD_TEXT, .min = 1, .max = HEARTBEAT_WEBHOOK_MAX },
	{ .name = "projectId", .type = FIELD_TEXT },
	{ .name = NULL },
};
/* clang-format on */

static void
problem(struct problems *problems, const char *path, const char *text)
{
	problems_add_at(problems, 0, 0, path, "%s", text);
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
check_texts(const struct heartbeat_fields *fields, struct problems *problems)
{
	static const char control[] = "control characters are not allowed";

	if (fields->path != NULL && !is_line(fields->path))
		problem(problems, "heartbeatPath", control);
	if (fields->model != NULL && !is_line(fields->model))
		problem(problems, "model", control);
	if (fields->webhook != NULL && (!is_line(fields->webhook) ||
					(strncmp(fields->webhook, "https://", 8) != 0 &&
					 strncmp(fields->webhook, "http://", 7) != 0)))
		problem(problems, "webhook", "expected a URL, http or https");
}

static void
read_project(const struct json *project, struct heartbeat_fields *out,
	     struct problems *problems)
{
	const char *text = json_str(project);

	if (text == NULL)
		return;
	out->has_project = uuid_parse(text, json_str_len(project), &out->project);
	if (!out->has_project)
		problem(problems, "projectId", "expected a UUID");
}

static void
read_plain(const struct json *object, struct heartbeat_fields *out,
	   struct problems *problems)
{
	const struct json *interval = json_get(object, "interval");
	const struct json *enabled = json_get(object, "enabled");

	out->path = json_str(json_get(object, "heartbeatPath"));
	out->model = json_str(json_get(object, "model"));
	out->webhook = json_str(json_get(object, "webhook"));
	out->zone = json_str(json_get(object, "timezone"));
	if (out->zone == NULL)
		out->zone = "UTC";
	out->interval =
	    interval != NULL ? (long)json_int(interval) : HEARTBEAT_INTERVAL;
	out->enabled = enabled == NULL || json_bool(enabled);
	check_texts(out, problems);
	read_project(json_get(object, "projectId"), out, problems);
}

static void
set_cron(struct heartbeat_fields *out)
{
	struct buf cron = { 0 };

	heartbeat_cron(out->interval, &cron);
	snprintf(out->cron, sizeof out->cron, "%s", buf_text(&cron));
	buf_fini(&cron);
}

bool
heartbeat_fields_read(const struct json *object, bool strict, usec_t anchor,
		      struct heartbeat_fields *out, struct problems *problems)
{
	size_t before = problems->count;

	*out = (struct heartbeat_fields){ 0 };
	object_check(heartbeat_fields, object, "", strict, problems);
	read_plain(object, out, problems);
	hours_fields_read(object, &out->hours, problems);
	if (out->hours.days_count == 7)
		out->hours.days_count = 0; /* all of them, which is how it is stored */
	if (problems->count > before) {
		schedule_rule_check(NULL, out->zone, &out->hours, anchor, &out->rule,
				    problems);
		return false;
	}
	set_cron(out);
	return schedule_rule_check(out->cron, out->zone, &out->hours, anchor,
				   &out->rule, problems);
}

struct json *
heartbeat_fields_merge(const struct json *stored, const struct json *sent)
{
	const char *cron = json_str(json_get(stored, "cronExpression"));
	struct json *merged = json_new_object();

	for (const struct field *field = heartbeat_fields; field->name != NULL; field++)
		if (json_get(stored, field->name) != NULL)
			json_set(merged, field->name,
				 json_ref(json_get(stored, field->name)));
	if (cron != NULL && heartbeat_minutes(cron) > 0)
		json_set(merged, "interval", json_new_int(heartbeat_minutes(cron)));
	for (struct json_iter it = json_iter(sent); json_next(&it);)
		json_set_len(merged, it.key, it.key_len, json_ref(it.value));
	return merged;
}

struct json *
heartbeat_fields_follow(const struct json *wanted, const struct json *says)
{
	static const char *const names[] = { "interval", "timezone", "activeHours" };
	struct json *followed = json_copy(wanted);

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (json_has(says, names[i]))
			json_set(followed, names[i],
				 json_ref(json_get(says, names[i])));
	return followed;
}
