/* Steps: functions of the program, and actions that the engine does. */
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

/* ---- functions ---- */

static struct json_object *
begin(struct stepmill *run, const char *name, const struct stepmill_options *options)
{
	struct json_object *params = smw_run_params(run);
	struct stepmill_options of_step = *options;

	of_step.name = name;
	of_step.timeout_ms = 0; /* of the engine's own steps only */
	if (smw_add_options(run, &of_step, params) == 0)
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
	return smw_done(smw_run_ask(run, "step.end", params));
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
		return smw_take_member(begun, "output");
	fail_as_recorded(run, part, step);
	json_object_put(begun);
	return NULL;
}

/* ---- actions ---- */

char *
stepmill_call(struct stepmill *run, const char *action, const char *fields,
	      const struct stepmill_options *options)
{
	struct json_object *object;

	if (smw_run_parse(run, "fields", fields, true, &object) < 0)
		return NULL;
	return smw_action_more(run, "call", action,
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
	if (smw_add_more(run, options->more, args) == 0)
		return smw_action(run, "call", "tool", fields, options);
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
	return smw_action_more(run, "call", "agent", fields, &named);
}
