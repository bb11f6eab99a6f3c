/* See ws_schedule_core.h. */
#include "front/ws_schedule_core.h"

#include <string.h>

#include "front/schedule_fields_core.h"

/* What a schedule always has: null stands there for absent. */
static bool
can_be_cleared(const char *name)
{
	return strcmp(name, "cronExpression") != 0 && strcmp(name, "enabled") != 0;
}

struct json *
ws_schedule_sent(const struct ws_route *route, const struct json *message)
{
	struct json *sent = json_new_object();

	for (const struct ws_field *field = route->fields; field->name != NULL;
	     field++) {
		struct json *value = json_get(message, field->name);

		if (field_find(schedule_fields, field->name) == NULL ||
		    !json_has(message, field->name))
			continue;
		if (value != NULL || (!field->required && can_be_cleared(field->name)))
			json_set(sent, field->name, json_ref(value));
	}
	return sent;
}

/* What is not the schedule's own, such as the idempotencyKey. */
static void
judge_rest(const struct ws_route *route, const struct json *message,
	   struct json *errors)
{
	for (const struct ws_field *field = route->fields; field->name != NULL; field++)
		if (field_find(schedule_fields, field->name) == NULL)
			ws_field_check(field, json_get(message, field->name), errors);
}

/* When it was made does not matter here: that it still fires is seen when it is stored.
 */
static void
judge(const struct json *whole, struct json *errors)
{
	struct schedule_fields fields;
	struct problems problems = { 0 };

	schedule_fields_read(whole, false, 0, &fields, &problems);
	for (size_t i = 0; i < problems.count; i++)
		ws_complain(errors, problems.list[i].path, "%s",
			    problems.list[i].message);
	problems_fini(&problems);
}

void
ws_schedule_judge_new(const struct ws_route *route, const struct json *message,
		      struct json *errors)
{
	struct json *sent = ws_schedule_sent(route, message);

	judge_rest(route, message, errors);
	judge(sent, errors);
	json_unref(&sent);
}

void
ws_schedule_judge_change(const struct ws_route *route, const struct json *message,
			 struct json *errors)
{
	struct json *sent = ws_schedule_sent(route, message);
	struct json *stored = json_new_object(), *whole;

	json_set(stored, "name", json_new_str("any"));
	json_set(stored, "cronExpression", json_new_str("@daily"));
	whole = schedule_fields_merge(stored, sent);
	judge_rest(route, message, errors);
	judge(whole, errors);
	json_unref(&whole);
	json_unref(&stored);
	json_unref(&sent);
}
