/* See ws_heartbeat_core.h. */
#include "front/ws_heartbeat_core.h"

#include "front/heartbeat_fields_core.h"

struct json *
ws_heartbeat_sent(const struct ws_route *route, const struct json *message)
{
	struct json *sent = json_new_object();

	for (const struct ws_field *field = route->fields; field->name != NULL;
	     field++) {
		struct json *value = json_get(message, field->name);

		if (value != NULL && field_find(heartbeat_fields, field->name) != NULL)
			json_set(sent, field->name, json_ref(value));
	}
	return sent;
}

/* What is not the heartbeat's own, such as the idempotencyKey. */
static void
judge_rest(const struct ws_route *route, const struct json *message,
	   struct json *errors)
{
	for (const struct ws_field *field = route->fields; field->name != NULL; field++)
		if (field_find(heartbeat_fields, field->name) == NULL)
			ws_field_check(field, json_get(message, field->name), errors);
}

/* When it was made does not matter here: that it still fires is seen when it is stored.
 */
void
ws_heartbeat_judge(const struct ws_route *route, const struct json *message,
		   struct json *errors)
{
	struct json *sent = ws_heartbeat_sent(route, message);
	struct heartbeat_fields fields;
	struct problems problems = { 0 };

	judge_rest(route, message, errors);
	heartbeat_fields_read(sent, false, 0, &fields, &problems);
	for (size_t i = 0; i < problems.count; i++)
		ws_complain(errors, problems.list[i].path, "%s",
			    problems.list[i].message);
	problems_fini(&problems);
	json_unref(&sent);
}
