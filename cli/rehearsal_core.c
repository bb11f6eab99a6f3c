/* See rehearsal_core.h. */
#include "rehearsal_core.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "rehearsal_parts_core.h"

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

/* ---- messages ---- */

static const char *
default_name(const struct json *params, const char *action)
{
	const char *tool = json_str(json_get(json_get(params, "fields"), "tool"));

	return strcmp(action, "tool") == 0 && tool != NULL ? tool : action;
}

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
		*error = rehearsal_error(-32602, "name: expected a string", NULL);
		return NULL;
	}
	result = rehearsal_step(rehearsal, &asked);
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
		*error = rehearsal_error(-32602, "action: expected a string", NULL);
		return NULL;
	}
	asked.name = name != NULL ? name : default_name(params, asked.action);
	result = rehearsal_step(rehearsal, &asked);
	*error = asked.error;
	return result;
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
		rehearsal_end_with(rehearsal, REHEARSAL_DIVERGED, "divergence",
				   "recorded steps were not asked for");
	else if (rehearsal->record.completed &&
		 !json_equal(output, rehearsal->record.output))
		rehearsal_end_with(rehearsal, REHEARSAL_DIVERGED, "divergence",
				   "the output is another one than the recorded");
	else
		rehearsal_end_with(rehearsal, REHEARSAL_DONE, NULL, NULL);
	return json_new_object();
}

static struct json *
on_fail(struct rehearsal *rehearsal, const struct json *params, struct json **error)
{
	struct json *failure = json_get(params, "error");

	(void)error;
	if (rehearsal->end == REHEARSAL_GOES_ON)
		json_set(rehearsal->report, "error", json_ref(failure));
	rehearsal_end_with(rehearsal, REHEARSAL_FAILED, NULL, NULL);
	return json_new_object();
}

static const struct {
	const char *method;
	rehearsal_fn *act;
} methods[] = {
	{ "hello", on_hello },
	{ "step.begin", on_begin },
	{ "step.end", on_end },
	{ "call", on_action },
	{ "wait", on_action },
	{ "state.set", rehearsal_set },
	{ "state.get", rehearsal_get },
	{ "state.has", rehearsal_get },
	{ "state.delete", rehearsal_delete },
	{ "comment", rehearsal_comment },
	{ "artifact", rehearsal_artifact },
	{ "log", on_log },
	{ "done", on_done },
	{ "fail", on_fail },
};

static struct json *
act(struct rehearsal *rehearsal, const char *method, const struct json *params,
    struct json **error)
{
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (strcmp(methods[i].method, method) == 0)
			return methods[i].act(rehearsal, params, error);
	*error = rehearsal_error(-32601, "there is no such method", NULL);
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
