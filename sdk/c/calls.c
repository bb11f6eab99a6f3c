/* The calls of workflow.h: each makes the params of one message, and reads its answer.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "run.h"

static const struct stepmill_options no_options;

static const char *
text_or(const char *text, const char *other)
{
	return text != NULL ? text : other;
}

/* A member of an answer as text, the caller's; drops the answer. */
static char *
take_member(struct json_object *answer, const char *key)
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

static int
done(struct json_object *answer)
{
	json_object_put(answer);
	return answer != NULL ? 0 : -1;
}

/* ---- options ---- */

/* Adds the members of `more` to fields. */
static int
add_more(struct stepmill *run, const char *more, struct json_object *fields)
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
static int
add_options(struct stepmill *run, const struct stepmill_options *options,
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
static char *
ask_action(struct stepmill *run, const char *method, const char *action,
	   struct json_object *fields, const struct stepmill_options *options)
{
	struct json_object *params = smw_run_params(run);

	smw_run_add_text(params, "action", action);
	json_object_object_add(params, "fields", fields);
	if (add_options(run, options, params) < 0) {
		json_object_put(params);
		return NULL;
	}
	return take_member(smw_run_ask(run, method, params), "output");
}

/* The same with `more` among the fields. */
static char *
ask_more(struct stepmill *run, const char *method, const char *action,
	 struct json_object *fields, const struct stepmill_options *options)
{
	if (add_more(run, options->more, fields) == 0)
		return ask_action(run, method, action, fields, options);
	json_object_put(fields);
	return NULL;
}

/* ---- steps ---- */

static struct json_object *
begin(struct stepmill *run, const char *name, const struct stepmill_options *options)
{
	struct json_object *params = smw_run_params(run);
	struct stepmill_options of_step = *options;

	of_step.name = name;
	of_step.timeout_ms = 0; /* of the engine's own steps only */
	if (add_options(run, &of_step, params) == 0)
		return smw_run_ask(run, "step.begin", params);
	json_object_put(params);
	return NULL;
}

static void
fail_as_recorded(struct stepmill *run, struct json_object *error, int step)
{
	stepmill_fail(run, text_or(smw_run_member_text(error, "code"), "failed"), "%s",
		      smw_run_member_text(error, "message"));
	run->error.step = step;
}

static struct json_object *
end_params(int step)
{
	struct json_object *params = json_object_new_object();

	json_object_object_add(params, "step", json_object_new_int(step));
	return params;
}

static void
pause_for(double ms)
{
	struct timespec time = { .tv_sec = (time_t)(ms / 1000) };

	time.tv_nsec = (long)((ms - 1000.0 * (double)time.tv_sec) * 1e6);
	nanosleep(&time, NULL);
}

/* The error that is set is the step's. True: it is to be tried again. */
static bool
end_badly(struct stepmill *run, int step)
{
	struct stepmill_error failure = run->error;
	struct json_object *params = end_params(step), *error, *answer, *again = NULL;
	struct json_object *delay = NULL;

	error = json_object_new_object();
	smw_run_add_text(error, "code", *failure.code ? failure.code : "failed");
	smw_run_add_text(error, "message",
			 *failure.message ? failure.message
					  : "the step gave no result");
	json_object_object_add(params, "error", error);
	answer = smw_run_ask(run, "step.end", params);
	if (answer == NULL)
		return false;
	run->error = failure;
	run->error.trouble = STEPMILL_FAILED;
	run->error.step = step;
	json_object_object_get_ex(answer, "again", &again);
	json_object_object_get_ex(again, "delay", &delay);
	if (again != NULL)
		pause_for(json_object_get_double(delay));
	json_object_put(answer);
	return again != NULL;
}

static int
end_well(struct stepmill *run, int step, const char *output)
{
	struct json_object *params, *value;

	if (smw_run_parse(run, "output", output, false, &value) < 0)
		return -1;
	params = end_params(step);
	json_object_object_add(params, "output", value);
	return done(smw_run_ask(run, "step.end", params));
}

/* Once. NULL: the error is set, *again says what follows. */
static char *
attempt(struct stepmill *run, int step, stepmill_fn *work, void *data, bool *again)
{
	int outer = run->step;
	char *output;

	run->error = (struct stepmill_error){ 0 };
	run->step = step;
	output = work(run, data);
	run->step = outer;
	if (output != NULL && end_well(run, step, output) == 0)
		return output;
	free(output);
	*again = run->error.trouble != STEPMILL_DIVERGENCE &&
		 run->error.trouble != STEPMILL_CANCELLED && end_badly(run, step);
	return NULL;
}

static char *
carry_out(struct stepmill *run, int step, stepmill_fn *work, void *data)
{
	bool again = true;
	char *output = NULL;

	while (output == NULL && again) {
		again = false;
		output = attempt(run, step, work, data, &again);
	}
	return output;
}

char *
stepmill_run(struct stepmill *run, const char *name, stepmill_fn *work, void *data,
	     const struct stepmill_options *options)
{
	struct json_object *begun =
	    begin(run, name, options != NULL ? options : &no_options);
	struct json_object *part = NULL;
	int step;

	if (begun == NULL)
		return NULL;
	json_object_object_get_ex(begun, "step", &part);
	step = json_object_get_int(part);
	json_object_object_get_ex(begun, "done", &part);
	if (!json_object_get_boolean(part)) {
		json_object_put(begun);
		return carry_out(run, step, work, data);
	}
	if (!json_object_object_get_ex(begun, "error", &part) || part == NULL)
		return take_member(begun, "output");
	fail_as_recorded(run, part, step);
	json_object_put(begun);
	return NULL;
}

char *
stepmill_call(struct stepmill *run, const char *action, const char *fields,
	      const struct stepmill_options *options)
{
	struct json_object *object;

	if (smw_run_parse(run, "fields", fields, true, &object) < 0)
		return NULL;
	return ask_more(run, "call", action,
			object != NULL ? object : json_object_new_object(),
			options != NULL ? options : &no_options);
}

/* Takes args. */
static char *
call_tool(struct stepmill *run, const char *tool, struct json_object *args,
	  const struct stepmill_options *options)
{
	struct json_object *fields = json_object_new_object();

	smw_run_add_text(fields, "tool", tool);
	json_object_object_add(fields, "args", args);
	if (add_more(run, options->more, args) == 0)
		return ask_action(run, "call", "tool", fields, options);
	json_object_put(fields);
	return NULL;
}

char *
stepmill_tool(struct stepmill *run, const char *tool, const char *args,
	      const struct stepmill_options *options)
{
	struct json_object *object;

	if (smw_run_parse(run, "args", args, true, &object) < 0)
		return NULL;
	return call_tool(run, tool, object != NULL ? object : json_object_new_object(),
			 options != NULL ? options : &no_options);
}

char *
stepmill_shell(struct stepmill *run, const char *command,
	       const struct stepmill_options *options)
{
	struct json_object *args = json_object_new_object();

	smw_run_add_text(args, "command", command);
	return call_tool(run, "shell", args, options != NULL ? options : &no_options);
}

char *
stepmill_run_cli(struct stepmill *run, const char *name, const char *agent,
		 const char *prompt, const struct stepmill_options *options)
{
	struct stepmill_options named = options != NULL ? *options : no_options;
	struct json_object *fields = json_object_new_object();

	named.name = name;
	smw_run_add_text(fields, "cli", agent);
	smw_run_add_text(fields, "prompt", prompt);
	return ask_more(run, "call", "agent", fields, &named);
}

/* ---- waiting ---- */

static char *
wait_for(struct stepmill *run, const char *action, struct json_object *fields,
	 const struct stepmill_options *options)
{
	struct stepmill_options of_wait = options != NULL ? *options : no_options;

	of_wait.retry = NULL;
	return ask_more(run, "wait", action, fields, &of_wait);
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
	return done(smw_run_ask(run, "state.set", params));
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
		return take_member(answer, "value");
	json_object_put(answer);
	return NULL;
}

int
stepmill_has(struct stepmill *run, const char *key)
{
	struct json_object *answer = ask_state(run, "state.has", key);
	int found = was_found(answer);

	return done(answer) < 0 ? -1 : found;
}

int
stepmill_delete(struct stepmill *run, const char *key)
{
	return done(ask_state(run, "state.delete", key));
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
	return done(smw_run_ask(run, "comment", params));
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

	if (add_more(run, options, params) < 0) {
		json_object_put(params);
		return -1;
	}
	smw_run_add_text(params, "path", path);
	return done(smw_run_ask(run, "artifact", params));
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
