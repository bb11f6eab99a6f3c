/* See rehearsal_core.h. */
#include "rehearsal_core.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "record_core.h"

struct rehearsal {
	struct record record;
	struct json *input, *report;
	char *folder;
	int64_t steps; /* numbers given out */
	enum rehearsal_end end;
};

static const char *const names[] = {
	[REHEARSED_RECORDED] = "recorded",
	[REHEARSED_RUN] = "run",
	[REHEARSED_MISSING] = "not recorded",
	[REHEARSED_DIVERGED] = "diverged",
};

const char *
rehearsed_name(enum rehearsed rehearsed)
{
	return names[rehearsed];
}

/* ---- life ---- */

static struct json *
report_new(void)
{
	static const char *const lists[] = { "steps", "comments", "artifacts" };
	struct json *report = json_new_object();

	json_set(report, "workflow", NULL);
	json_set(report, "end", NULL);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		json_set(report, lists[i], json_new_array());
	json_set(report, "state", json_new_object());
	return report;
}

struct rehearsal *
rehearsal_new(const struct json *record, const struct json *input, const char *folder,
	      struct err *err)
{
	struct rehearsal *rehearsal = xcalloc(1, sizeof *rehearsal);

	rehearsal->report = report_new();
	rehearsal->folder = xstrdup(folder);
	if (record_read(&rehearsal->record, record, err) < 0) {
		rehearsal_free(&rehearsal);
		return NULL;
	}
	if (input == NULL && rehearsal->record.rows != NULL)
		input = json_get(record, "input");
	rehearsal->input = input != NULL ? json_copy(input) : json_new_object();
	return rehearsal;
}

void
rehearsal_free(struct rehearsal **rehearsal_p)
{
	struct rehearsal *rehearsal = *rehearsal_p;

	*rehearsal_p = NULL;
	if (rehearsal == NULL)
		return;
	record_fini(&rehearsal->record);
	json_unref(&rehearsal->input);
	json_unref(&rehearsal->report);
	free(rehearsal->folder);
	free(rehearsal);
}

enum rehearsal_end
rehearsal_end(const struct rehearsal *rehearsal)
{
	return rehearsal->end;
}

/* ---- what was said ---- */

static void
note_step(struct rehearsal *rehearsal, const char *name, const char *action,
	  enum rehearsed was)
{
	struct json *step = json_new_object();

	json_set(step, "name", json_new_str(name));
	json_set(step, "action", json_new_str(action));
	json_set(step, "was", json_new_str(names[was]));
	json_append(json_get(rehearsal->report, "steps"), step);
}

static struct json *
error_new(int code, const char *message, struct json *data)
{
	struct json *error = json_new_object();

	json_set(error, "code", json_new_int(code));
	json_set(error, "message", json_new_str(message));
	json_set(error, "data", data);
	return error;
}

/* {code, message} as a program's failure has them. */
static struct json *
failure_new(const char *code, const char *message)
{
	struct json *failure = json_new_object();

	json_set(failure, "code", json_new_str(code));
	json_set(failure, "message", json_new_str(message));
	return failure;
}

static void
end_with(struct rehearsal *rehearsal, enum rehearsal_end end, const char *code,
	 const char *message)
{
	if (rehearsal->end != REHEARSAL_GOES_ON)
		return; /* the first counts */
	rehearsal->end = end;
	if (code != NULL)
		json_set(rehearsal->report, "error", failure_new(code, message));
}

/* ---- steps ---- */

struct asked {
	const char *name, *action;
	int64_t parent;
	bool function;      /* the program can do it itself */
	struct json *error; /* out: of JSON-RPC */
};

static const char *
default_name(const struct json *params, const char *action)
{
	const char *tool = json_str(json_get(json_get(params, "fields"), "tool"));

	return strcmp(action, "tool") == 0 && tool != NULL ? tool : action;
}

static void
diverge(struct rehearsal *rehearsal, struct asked *asked, const char *recorded)
{
	char *message = xprintf("the program asks for %s \"%s\", recorded is %s",
				asked->action, asked->name, recorded);

	note_step(rehearsal, asked->name, asked->action, REHEARSED_DIVERGED);
	end_with(rehearsal, REHEARSAL_DIVERGED, "divergence", message);
	asked->error = error_new(-32011, message, NULL);
	free(message);
}

/* A place of a run that has no row: the run would go on here, or never came here. */
static void
leave_run(struct rehearsal *rehearsal, struct asked *asked)
{
	char *message;

	if (rehearsal->record.over) {
		diverge(rehearsal, asked, "no such step");
		return;
	}
	message =
	    xprintf("the record ends before %s \"%s\"", asked->action, asked->name);
	note_step(rehearsal, asked->name, asked->action, REHEARSED_MISSING);
	end_with(rehearsal, REHEARSAL_BEYOND, "not_recorded", message);
	asked->error = error_new(-32012, message, NULL);
	free(message);
}

/* The recorded row, the caller's; NULL: asked->error, or its function is to be run. */
static struct json *
look_up(struct rehearsal *rehearsal, struct asked *asked)
{
	struct json *row = record_take(&rehearsal->record, asked->parent, asked->name);
	const char *action = json_str(json_get(row, "action"));

	if (row != NULL && (action == NULL || strcmp(action, asked->action) == 0))
		return row;
	if (row != NULL)
		diverge(rehearsal, asked, action);
	else if (rehearsal->record.by_name == NULL)
		leave_run(rehearsal, asked);
	json_unref(&row);
	return NULL;
}

static struct json *
not_recorded(struct rehearsal *rehearsal, struct asked *asked)
{
	char *message =
	    xprintf("%s \"%s\" is not in the record, and only an engine can "
		    "do it",
		    asked->action, asked->name);
	struct json *data = json_new_object();

	note_step(rehearsal, asked->name, asked->action, REHEARSED_MISSING);
	end_with(rehearsal, REHEARSAL_DIVERGED, "not_recorded", message);
	json_set(data, "error", failure_new("not_recorded", message));
	asked->error = error_new(-32010, message, data);
	free(message);
	return NULL;
}

static struct json *
begun(struct rehearsal *rehearsal, bool done)
{
	struct json *result = json_new_object();

	json_set(result, "step", json_new_int(++rehearsal->steps));
	json_set(result, "done", json_new_bool(done));
	return result;
}

static struct json *
run_function(struct rehearsal *rehearsal, struct asked *asked)
{
	struct json *result = begun(rehearsal, false);

	note_step(rehearsal, asked->name, asked->action, REHEARSED_RUN);
	json_set(result, "attempt", json_new_int(1));
	return result;
}

/* What is recorded, as the answer that this kind of question has. */
static struct json *
answer_row(struct rehearsal *rehearsal, struct asked *asked, const struct json *row)
{
	struct json *error = json_get(row, "error"), *result = begun(rehearsal, true),
		    *data;
	const char *message = json_str(json_get(error, "message"));

	note_step(rehearsal, asked->name, asked->action, REHEARSED_RECORDED);
	if (error == NULL) {
		json_set(result, "output", json_ref(json_get(row, "output")));
		return result;
	}
	if (asked->function) {
		json_set(result, "error", json_ref(error));
		return result;
	}
	json_unref(&result);
	data = json_new_object();
	json_set(data, "step", json_new_int(rehearsal->steps));
	json_set(data, "error", json_ref(error));
	asked->error = error_new(-32010, message != NULL ? message : "it failed", data);
	return NULL;
}

static struct json *
on_step(struct rehearsal *rehearsal, struct asked *asked)
{
	struct json *row = look_up(rehearsal, asked), *result = NULL;

	if (row != NULL && record_has_ended(row))
		result = answer_row(rehearsal, asked, row);
	else if (row != NULL && rehearsal->record.by_name == NULL)
		leave_run(rehearsal, asked); /* it was under way when it was recorded */
	else if (asked->error == NULL && asked->function)
		result = run_function(rehearsal, asked);
	else if (asked->error == NULL)
		result = not_recorded(rehearsal, asked);
	json_unref(&row);
	return result;
}

/* ---- messages ---- */

typedef struct json *rehearsal_fn(struct rehearsal *rehearsal,
				  const struct json *params, struct json **error);

static struct json *
on_hello(struct rehearsal *rehearsal, const struct json *params, struct json **error)
{
	struct json *result = json_new_object();

	(void)error;
	json_set(rehearsal->report, "workflow",
		 json_ref(json_get(json_get(params, "workflow"), "name")));
	json_set(result, "mode", json_new_str("run"));
	json_set(result, "executionId", json_new_str("test"));
	json_set(result, "runId", json_new_str("test"));
	json_set(result, "projectId", json_new_str("test"));
	json_set(result, "projectPath", json_new_str(rehearsal->folder));
	json_set(result, "input", json_ref(rehearsal->input));
	json_set(result, "attempt", json_new_int(1));
	json_set(result, "replayed",
		 json_new_int((int64_t)json_count(rehearsal->record.rows)));
	return result;
}

static struct json *
on_begin(struct rehearsal *rehearsal, const struct json *params, struct json **error)
{
	struct asked asked = {
		.name = json_str(json_get(params, "name")),
		.action = "code",
		.parent = json_int(json_get(params, "parent")),
		.function = true,
	};
	struct json *result = NULL;

	if (asked.name == NULL) {
		*error = error_new(-32602, "name: expected a string", NULL);
		return NULL;
	}
	result = on_step(rehearsal, &asked);
	*error = asked.error;
	return result;
}

static struct json *
on_end(struct rehearsal *rehearsal, const struct json *params, struct json **error)
{
	struct json *result = json_new_object();

	(void)rehearsal;
	(void)error;
	if (json_get(params, "error") != NULL)
		json_set(result, "failed", json_new_bool(true));
	return result;
}

static struct json *
on_action(struct rehearsal *rehearsal, const struct json *params, struct json **error)
{
	const char *name = json_str(json_get(params, "name"));
	struct asked asked = {
		.action = json_str(json_get(params, "action")),
		.parent = json_int(json_get(params, "parent")),
	};
	struct json *result;

	if (asked.action == NULL) {
		*error = error_new(-32602, "action: expected a string", NULL);
		return NULL;
	}
	asked.name = name != NULL ? name : default_name(params, asked.action);
	result = on_step(rehearsal, &asked);
	*error = asked.error;
	return result;
}

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
	row = look_up(rehearsal, &asked);
	if (row != NULL)
		note_step(rehearsal, asked.name, asked.action, REHEARSED_RECORDED);
	*error = asked.error;
	json_unref(&row);
	return *error == NULL;
}

static const char *
key_of(const struct json *params, struct json **error)
{
	const char *key = json_str(json_get(params, "key"));

	if (key == NULL)
		*error = error_new(-32602, "key: expected a string", NULL);
	return key;
}

static struct json *
on_set(struct rehearsal *rehearsal, const struct json *params, struct json **error)
{
	const char *key = key_of(params, error);

	if (key != NULL && change_is_recorded(rehearsal, params, "state.set", error))
		json_set(json_get(rehearsal->report, "state"), key,
			 json_ref(json_get(params, "value")));
	return json_new_object();
}

static struct json *
on_get(struct rehearsal *rehearsal, const struct json *params, struct json **error)
{
	const struct json *state = json_get(rehearsal->report, "state");
	const char *key = key_of(params, error);
	struct json *result = json_new_object();

	json_set(result, "found", json_new_bool(key != NULL && json_has(state, key)));
	if (key != NULL)
		json_set(result, "value", json_ref(json_get(state, key)));
	return result;
}

static struct json *
on_delete(struct rehearsal *rehearsal, const struct json *params, struct json **error)
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

static struct json *
on_comment(struct rehearsal *rehearsal, const struct json *params, struct json **error)
{
	if (!change_is_recorded(rehearsal, params, "comment.add", error))
		return NULL;
	return keep(rehearsal, "comments", params);
}

static struct json *
on_artifact(struct rehearsal *rehearsal, const struct json *params, struct json **error)
{
	if (!change_is_recorded(rehearsal, params, "artifact.add", error))
		return NULL;
	return keep(rehearsal, "artifacts", params);
}

static struct json *
on_log(struct rehearsal *rehearsal, const struct json *params, struct json **error)
{
	(void)rehearsal;
	(void)params;
	(void)error;
	return json_new_object();
}

static struct json *
on_done(struct rehearsal *rehearsal, const struct json *params, struct json **error)
{
	struct json *output = json_get(params, "output");

	(void)error;
	json_set(rehearsal->report, "output", json_ref(output));
	if (json_count(rehearsal->record.rows) > 0)
		end_with(rehearsal, REHEARSAL_DIVERGED, "divergence",
			 "recorded steps were not asked for");
	else if (rehearsal->record.completed &&
		 !json_equal(output, rehearsal->record.output))
		end_with(rehearsal, REHEARSAL_DIVERGED, "divergence",
			 "the output is another one than the recorded");
	else
		end_with(rehearsal, REHEARSAL_DONE, NULL, NULL);
	return json_new_object();
}

static struct json *
on_fail(struct rehearsal *rehearsal, const struct json *params, struct json **error)
{
	struct json *failure = json_get(params, "error");

	(void)error;
	if (rehearsal->end == REHEARSAL_GOES_ON)
		json_set(rehearsal->report, "error", json_ref(failure));
	end_with(rehearsal, REHEARSAL_FAILED, NULL, NULL);
	return json_new_object();
}

static const struct {
	const char *method;
	rehearsal_fn *act;
} methods[] = {
	{ "hello", on_hello },         { "step.begin", on_begin },
	{ "step.end", on_end },        { "call", on_action },
	{ "wait", on_action },         { "state.set", on_set },
	{ "state.get", on_get },       { "state.has", on_get },
	{ "state.delete", on_delete }, { "comment", on_comment },
	{ "artifact", on_artifact },   { "log", on_log },
	{ "done", on_done },           { "fail", on_fail },
};

static struct json *
act(struct rehearsal *rehearsal, const char *method, const struct json *params,
    struct json **error)
{
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (strcmp(methods[i].method, method) == 0)
			return methods[i].act(rehearsal, params, error);
	*error = error_new(-32601, "there is no such method", NULL);
	return NULL;
}

int
rehearsal_take(struct rehearsal *rehearsal, const struct json *message,
	       struct json **answer, struct err *err)
{
	const char *method = json_str(json_get(message, "method"));
	struct json *id = json_get(message, "id"), *error = NULL, *result;

	*answer = NULL;
	if (method == NULL)
		return err_set(err, ERR_INPUT,
			       "the program wrote a message without method");
	result = act(rehearsal, method, json_get(message, "params"), &error);
	if (id == NULL) {
		json_unref(&error);
		json_unref(&result);
		return 0;
	}
	*answer = json_new_object();
	json_set(*answer, "jsonrpc", json_new_str("2.0"));
	json_set(*answer, "id", json_ref(id));
	if (error != NULL)
		json_unref(&result);
	json_set(*answer, error != NULL ? "error" : "result",
		 error != NULL ? error : result);
	return 0;
}

/* ---- the report ---- */

static const char *const ends[] = {
	[REHEARSAL_GOES_ON] = "broken off",
	[REHEARSAL_DONE] = "completed",
	[REHEARSAL_FAILED] = "failed",
	[REHEARSAL_DIVERGED] = "diverged",
	[REHEARSAL_BEYOND] = "beyond the record",
};

const struct json *
rehearsal_report(struct rehearsal *rehearsal)
{
	struct json *unasked = json_new_array();

	for (struct json_iter it = json_iter(rehearsal->record.rows); json_next(&it);)
		json_append(unasked, json_ref(json_get(it.value, "name")));
	json_set(rehearsal->report, "unasked", unasked);
	json_set(rehearsal->report, "end", json_new_str(ends[rehearsal->end]));
	return rehearsal->report;
}
