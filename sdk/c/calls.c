/* Waiting, and what is kept with the run. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

static const struct stepmill_options no_options;

/* ---- waiting ---- */

static char *
wait_for(struct stepmill *run, const char *action, struct json_object *fields,
	 const struct stepmill_options *options)
{
	struct stepmill_options of_wait = options != NULL ? *options : no_options;

	of_wait.retry = NULL;
	return smw_action_more(run, "wait", action, fields, &of_wait);
}

int
stepmill_sleep(struct stepmill *run, long long ms,
	       const struct stepmill_options *options)
{
	struct json_object *fields = json_object_new_object();
	char *nothing;

	json_object_object_add(fields, "for", json_object_new_int64(ms));
	nothing = wait_for(run, "wait", fields, options);
	free(nothing);
	return nothing != NULL ? 0 : -1;
}

char *
stepmill_wait_for_event(struct stepmill *run, const char *type,
			const struct stepmill_options *options)
{
	struct json_object *fields = json_object_new_object();

	smw_run_add_text(fields, "event", type);
	return wait_for(run, "wait", fields, options);
}

char *
stepmill_approval(struct stepmill *run, const char *prompt,
		  const struct stepmill_options *options)
{
	struct json_object *fields = json_object_new_object();

	smw_run_add_text(fields, "prompt", prompt);
	return wait_for(run, "approval", fields, options);
}

char *
stepmill_child(struct stepmill *run, const char *workflow, const char *input,
	       const struct stepmill_options *options)
{
	struct json_object *fields, *object;

	if (smw_run_parse(run, "input", input, true, &object) < 0)
		return NULL;
	fields = json_object_new_object();
	smw_run_add_text(fields, "workflow", workflow);
	if (object != NULL)
		json_object_object_add(fields, "input", object);
	return wait_for(run, "workflow", fields, options);
}

/* ---- what is kept ---- */

static struct json_object *
ask_state(struct stepmill *run, const char *method, const char *key)
{
	struct json_object *params = smw_run_params(run);

	smw_run_add_text(params, "key", key);
	return smw_run_ask(run, method, params);
}

int
stepmill_set(struct stepmill *run, const char *key, const char *value)
{
	struct json_object *params, *parsed;

	if (smw_run_parse(run, "value", value, false, &parsed) < 0)
		return -1;
	params = smw_run_params(run);
	smw_run_add_text(params, "key", key);
	json_object_object_add(params, "value", parsed);
	return smw_done(smw_run_ask(run, "state.set", params));
}

static bool
was_found(struct json_object *answer)
{
	struct json_object *found = NULL;

	json_object_object_get_ex(answer, "found", &found);
	return json_object_get_boolean(found);
}

char *
stepmill_get(struct stepmill *run, const char *key)
{
	struct json_object *answer = ask_state(run, "state.get", key);

	if (answer == NULL || was_found(answer))
		return smw_take_member(answer, "value");
	json_object_put(answer);
	return NULL;
}

int
stepmill_has(struct stepmill *run, const char *key)
{
	struct json_object *answer = ask_state(run, "state.has", key);
	int found = was_found(answer);

	return smw_done(answer) < 0 ? -1 : found;
}

int
stepmill_delete(struct stepmill *run, const char *key)
{
	return smw_done(ask_state(run, "state.delete", key));
}

static int
comment(struct stepmill *run, const char *message, const char *metadata,
	const char *scope)
{
	struct json_object *params, *object;

	if (smw_run_parse(run, "metadata", metadata, true, &object) < 0)
		return -1;
	params = smw_run_params(run);
	smw_run_add_text(params, "message", message);
	smw_run_add_text(params, "scope", scope);
	if (object != NULL)
		json_object_object_add(params, "metadata", object);
	return smw_done(smw_run_ask(run, "comment", params));
}

int
stepmill_comment(struct stepmill *run, const char *message, const char *metadata)
{
	return comment(run, message, metadata, "step");
}

int
stepmill_comment_execution(struct stepmill *run, const char *message,
			   const char *metadata)
{
	return comment(run, message, metadata, "execution");
}

int
stepmill_artifact(struct stepmill *run, const char *path, const char *options)
{
	struct json_object *params = smw_run_params(run);

	if (smw_add_more(run, options, params) < 0) {
		json_object_put(params);
		return -1;
	}
	smw_run_add_text(params, "path", path);
	return smw_done(smw_run_ask(run, "artifact", params));
}

void
stepmill_log(struct stepmill *run, const char *level, const char *format, ...)
{
	struct json_object *params = smw_run_params(run);
	char message[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof message, format, args);
	va_end(args);
	smw_run_add_text(params, "level", level);
	smw_run_add_text(params, "message", message);
	smw_run_tell(run, "log", params);
}
