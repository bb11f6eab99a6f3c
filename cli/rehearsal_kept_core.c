/* State, comments and artifacts of a rehearsal: kept in its report. See
 * rehearsal_parts_core.h. */
#include "rehearsal_parts_core.h"

/* A change is a step of a run, too. False: it is not what is recorded. */
static bool
change_is_recorded(struct rehearsal *rehearsal, const struct json *params,
		   const char *tool, struct json **error)
{
	struct asked asked = {
		.name = tool,
		.action = "tool",
		.parent = json_int(json_get(params, "parent")),
	};
	struct json *row;

	if (rehearsal->record.by_name != NULL)
		return true;
	row = rehearsal_look_up(rehearsal, &asked);
	if (row != NULL)
		rehearsal_note(rehearsal, asked.name, asked.action, REHEARSED_RECORDED);
	*error = asked.error;
	json_unref(&row);
	return *error == NULL;
}

static const char *
key_of(const struct json *params, struct json **error)
{
	const char *key = json_str(json_get(params, "key"));

	if (key == NULL)
		*error = rehearsal_error(-32602, "key: expected a string", NULL);
	return key;
}

struct json *
rehearsal_set(struct rehearsal *rehearsal, const struct json *params,
	      struct json **error)
{
	const char *key = key_of(params, error);

	if (key != NULL && change_is_recorded(rehearsal, params, "state.set", error))
		json_set(json_get(rehearsal->report, "state"), key,
			 json_ref(json_get(params, "value")));
	return json_new_object();
}

struct json *
rehearsal_get(struct rehearsal *rehearsal, const struct json *params,
	      struct json **error)
{
	const struct json *state = json_get(rehearsal->report, "state");
	const char *key = key_of(params, error);
	struct json *result = json_new_object();

	json_set(result, "found", json_new_bool(key != NULL && json_has(state, key)));
	if (key != NULL)
		json_set(result, "value", json_ref(json_get(state, key)));
	return result;
}

struct json *
rehearsal_delete(struct rehearsal *rehearsal, const struct json *params,
		 struct json **error)
{
	const char *key = key_of(params, error);

	if (key != NULL && change_is_recorded(rehearsal, params, "state.delete", error))
		json_remove(json_get(rehearsal->report, "state"), key);
	return json_new_object();
}

static struct json *
keep(struct rehearsal *rehearsal, const char *list, const struct json *params)
{
	struct json *result = json_new_object();

	json_append(json_get(rehearsal->report, list), json_copy(params));
	json_set(result, "id", json_new_str("test"));
	json_set(result, "name", json_ref(json_get(params, "name")));
	json_set(result, "sizeBytes", json_new_int(0));
	return result;
}

struct json *
rehearsal_comment(struct rehearsal *rehearsal, const struct json *params,
		  struct json **error)
{
	if (!change_is_recorded(rehearsal, params, "comment.add", error))
		return NULL;
	return keep(rehearsal, "comments", params);
}

struct json *
rehearsal_artifact(struct rehearsal *rehearsal, const struct json *params,
		   struct json **error)
{
	if (!change_is_recorded(rehearsal, params, "artifact.add", error))
		return NULL;
	return keep(rehearsal, "artifacts", params);
}
