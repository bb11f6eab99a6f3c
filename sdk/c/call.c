/* What all calls have in common: options become params, an answer becomes text. */
#include <stdlib.h>

#include "run.h"

/* A member of an answer as text, the caller's; drops the answer. */
char *
smw_take_member(struct json_object *answer, const char *key)
{
	struct json_object *member = NULL;
	char *text;

	if (answer == NULL)
		return NULL;
	json_object_object_get_ex(answer, key, &member);
	text = smw_run_text(json_object_get(member));
	json_object_put(answer);
	return text;
}

int
smw_done(struct json_object *answer)
{
	int result = answer != NULL ? 0 : -1;

	json_object_put(answer);
	return result;
}

/* ---- options ---- */

/* Adds the members of `more` to fields. */
int
smw_add_more(struct stepmill *run, const char *more, struct json_object *fields)
{
	struct json_object *object;

	if (smw_run_parse(run, "more", more, true, &object) < 0)
		return -1;
	if (object == NULL)
		return 0;
	json_object_object_foreach(object, key, value)
	{
		json_object_object_add(fields, key, json_object_get(value));
	}
	json_object_put(object);
	return 0;
}

/* name, timeout and retry. */
int
smw_add_options(struct stepmill *run, const struct stepmill_options *options,
		struct json_object *params)
{
	struct json_object *retry;

	if (smw_run_parse(run, "retry", options->retry, true, &retry) < 0)
		return -1;
	smw_run_add_text(params, "name", options->name);
	if (options->timeout_ms > 0)
		json_object_object_add(params, "timeout",
				       json_object_new_int64(options->timeout_ms));
	if (retry != NULL)
		json_object_object_add(params, "retry", retry);
	return 0;
}

/* Takes fields. The step's output. */
char *
smw_action(struct stepmill *run, const char *method, const char *action,
	   struct json_object *fields, const struct stepmill_options *options)
{
	struct json_object *params = smw_run_params(run);

	smw_run_add_text(params, "action", action);
	json_object_object_add(params, "fields", fields);
	if (smw_add_options(run, options, params) < 0) {
		json_object_put(params);
		return NULL;
	}
	return smw_take_member(smw_run_ask(run, method, params), "output");
}

/* The same with `more` among the fields. */
char *
smw_action_more(struct stepmill *run, const char *method, const char *action,
		struct json_object *fields, const struct stepmill_options *options)
{
	if (smw_add_more(run, options->more, fields) == 0)
		return smw_action(run, method, action, fields, options);
	json_object_put(fields);
	return NULL;
}
