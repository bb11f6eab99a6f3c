/*
 * Events as messages. Which event becomes what in which dialect is the table at the
 * end; above it stands one function per kind of message. See dialect_core.h.
 */
#include "front/dialect_core.h"

#include <string.h>

/* ---- parts ---- */

/* What is borrowed becomes part of the message. */
static void
put(struct json *message, const char *key, const struct json *value)
{
	json_set(message, key, json_ref((struct json *)value));
}

static void
put_if(struct json *message, const char *key, const struct json *value)
{
	if (value != NULL)
		put(message, key, value);
}

static struct json *
message_new(const char *type)
{
	struct json *message = json_new_object();

	json_set(message, "type", json_new_str(type));
	return message;
}

static const struct json *
payload(const struct feed_event *event, const char *key)
{
	return json_get(json_get(event->event, "payload"), key);
}

static void
put_upper(struct json *message, const char *key, const struct json *text)
{
	struct buf upper = { 0 };

	buf_add(&upper, json_str(text), json_str_len(text));
	for (size_t i = 0; i < upper.len; i++)
		if (upper.data[i] >= 'a' && upper.data[i] <= 'z')
			upper.data[i] = (char)(upper.data[i] - 'a' + 'A');
	json_set(message, key, json_new_str_len(buf_text(&upper), upper.len));
	buf_fini(&upper);
}

static bool
is_large(const struct json *value)
{
	struct buf text = { 0 };
	bool large;

	if (value == NULL)
		return false;
	json_write(value, &text);
	large = text.len > DIALECT_OUTPUT_MAX;
	buf_fini(&text);
	return large;
}

/* A row for a message: without an output that is too large for one; the step inside a
 * run as well. */
static struct json *
row_for_message(const struct json *row)
{
	bool large = is_large(json_get(row, "output"));
	struct json *copy = json_new_object();

	for (struct json_iter it = json_iter(row); json_next(&it);) {
		if (large && strcmp(it.key, "output") == 0)
			continue;
		if (strcmp(it.key, "current_step") == 0 && it.value != NULL)
			json_set(copy, it.key, row_for_message(it.value));
		else
			put(copy, it.key, it.value);
	}
	if (large)
		json_set(copy, "outputTruncated", json_new_bool(true));
	return copy;
}

static void
put_row(struct json *message, const char *key, const struct json *row)
{
	if (row != NULL)
		json_set(message, key, row_for_message(row));
}

/* ---- workflow.* : to whom a run belongs; steps by their id in the file ---- */

static const char *
status_in_four(const char *status)
{
	static const char *const four[][2] = {
		{ "pending", "running" },
		{ "running", "running" },
		{ "paused", "paused" },
		{ "completed", "completed" },
	};

	for (size_t i = 0; status != NULL && i < sizeof four / sizeof *four; i++)
		if (strcmp(status, four[i][0]) == 0)
			return four[i][1];
	return "failed";
}

/* Without the results of steps, where nobody asked for them. */
static struct json *
short_status(const struct feed_event *event)
{
	const struct json *run = event->run_doc;
	const struct json *status = json_get(run, "status");
	const char *told = status_in_four(json_str(status));
	struct json *body = json_new_object();

	put(body, "executionId", json_get(run, "executionId"));
	put(body, "workflowId", json_get(run, "workflowId"));
	json_set(body, "status", json_new_str(told));
	if (strcmp(told, "failed") == 0 && strcmp(json_str(status), "failed") != 0)
		put(body, "reason", status);
	put_if(body, "currentStepId", json_get(run, "currentStepKey"));
	return body;
}

static void
encode_status(const struct feed_event *event, const struct json *status,
	      struct json *out)
{
	struct json *message = message_new("workflow.status");
	struct json *body =
	    status ? json_ref((struct json *)status) : short_status(event);

	for (struct json_iter it = json_iter(body); json_next(&it);)
		put(message, it.key, it.value);
	json_unref(&body);
	json_append(out, message);
}

static void
encode_request(const struct feed_event *event, const struct json *status,
	       struct json *out)
{
	struct json *message = message_new("workflow.approval.request");
	const struct json *prompt = json_get(event->approval, "prompt");

	(void)status;
	put(message, "executionId", json_get(event->run_doc, "executionId"));
	put(message, "workflowId", json_get(event->run_doc, "workflowId"));
	put(message, "stepId", payload(event, "stepKey"));
	put(message, "stepDescription",
	    json_str_len(prompt) > 0 ? prompt : payload(event, "name"));
	put_if(message, "args", json_get(event->approval, "args"));
	json_append(out, message);
}

/* ---- workflow:* : rows as the HTTP API shows them ---- */

static struct json *
colon_new(const struct feed_event *event, const char *type)
{
	struct json *message = message_new(type);

	put(message, "executionId", json_get(event->run_doc, "executionId"));
	json_set(message, "seq", json_new_int(event->seq));
	put(message, "at", json_get(event->event, "at"));
	return message;
}

static void
put_step_names(struct json *message, const struct feed_event *event)
{
	put_if(message, "stepId", payload(event, "stepId"));
	put_if(message, "stepKey", payload(event, "stepKey"));
}

static void
put_run_state(struct json *message, const struct feed_event *event)
{
	put_upper(message, "status", json_get(event->run_doc, "status"));
	put(message, "current_workflow_step_id",
	    json_get(event->run_doc, "currentWorkflowStepId"));
}

static void
encode_run(const struct feed_event *event, const char *type, struct json *out)
{
	struct json *message = colon_new(event, type);

	put_run_state(message, event);
	put_row(message, "execution", event->row);
	json_append(out, message);
}

static void
encode_run_started(const struct feed_event *event, const struct json *status,
		   struct json *out)
{
	(void)status;
	encode_run(event, "workflow:execution:started", out);
}

static void
encode_run_ended(const struct feed_event *event, const struct json *status,
		 struct json *out)
{
	(void)status;
	encode_run(event, "workflow:execution:completed", out);
}

static void
encode_step(const struct feed_event *event, const struct json *status, struct json *out)
{
	struct json *message = colon_new(event, "workflow:step:updated");

	(void)status;
	put_step_names(message, event);
	put_run_state(message, event);
	put_row(message, "step", event->row);
	json_append(out, message);
}

/* The run changed and no step did: its current one is told. */
static void
encode_step_of_run(const struct feed_event *event, const struct json *status,
		   struct json *out)
{
	const struct json *run = event->run_doc;
	struct json *message = colon_new(event, "workflow:step:updated");

	(void)status;
	put_if(message, "stepId", json_get(run, "currentWorkflowStepId"));
	put_if(message, "stepKey", json_get(run, "currentStepKey"));
	put_run_state(message, event);
	put_row(message, "step", json_get(event->row, "current_step"));
	put_row(message, "execution", event->row);
	json_append(out, message);
}

static void
encode_step_and_request(const struct feed_event *event, const struct json *status,
			struct json *out)
{
	encode_step(event, status, out);
	encode_request(event, status, out);
}

static void
encode_addition(const struct feed_event *event, const char *type, const char *key,
		const struct json *row, struct json *out)
{
	struct json *message = colon_new(event, type);

	put_step_names(message, event);
	put_row(message, key, row);
	json_append(out, message);
}

static void
encode_comment(const struct feed_event *event, const struct json *status,
	       struct json *out)
{
	(void)status;
	encode_addition(event, "workflow:comment:added", "comment", event->row, out);
}

static void
encode_artifact(const struct feed_event *event, const struct json *status,
		struct json *out)
{
	(void)status;
	encode_addition(event, "workflow:artifact:created", "artifact", event->row,
			out);
}

/* What an agent does stands in the event; the row is that of its step. */
static void
encode_agent(const struct feed_event *event, const struct json *status,
	     struct json *out)
{
	(void)status;
	encode_addition(event, "workflow:agent:updated", "session",
			json_get(event->event, "payload"), out);
}

/* ---- Workflow* : a few facts each; steps by their id in the file ---- */

static struct json *
camel_new(const struct feed_event *event, const char *type)
{
	struct json *message = message_new(type);

	json_set(message, "seq", json_new_int(event->seq));
	put(message, "run_id", json_get(event->run_doc, "executionId"));
	return message;
}

static struct json *
camel_step_new(const struct feed_event *event, const char *type)
{
	struct json *message = camel_new(event, type);

	put(message, "step_id", payload(event, "stepKey"));
	put(message, "step_name", payload(event, "name"));
	return message;
}

/* A step's error is an object in the database, its text is for people. */
static const struct json *
error_text(const struct json *error)
{
	const struct json *message = json_get(error, "message");

	return message != NULL ? message : error;
}

static void
camel_run_started(const struct feed_event *event, const struct json *status,
		  struct json *out)
{
	struct json *message = camel_new(event, "WorkflowRunStarted");

	(void)status;
	put(message, "workflow_name", json_get(event->run_doc, "workflowName"));
	put(message, "trigger_type", json_get(event->run_doc, "triggeredBy"));
	json_append(out, message);
}

static void
camel_run_completed(const struct feed_event *event, const struct json *status,
		    struct json *out)
{
	struct json *message = camel_new(event, "WorkflowRunCompleted");

	(void)status;
	put(message, "workflow_name", json_get(event->run_doc, "workflowName"));
	put(message, "duration_ms", json_get(event->run_doc, "durationMs"));
	put(message, "steps_completed", json_get(event->run_doc, "stepsCompleted"));
	json_append(out, message);
}

/* run.failed, and the other ends that are none of success: the error begins with which.
 */
static void
camel_run_failed(const struct feed_event *event, const struct json *status,
		 struct json *out)
{
	struct json *message = camel_new(event, "WorkflowRunFailed");
	const struct json *error = error_text(json_get(event->run_doc, "error"));
	const char *which = event->type + strlen("run.");
	struct buf text = { 0 };

	(void)status;
	if (strcmp(which, "failed") != 0 || json_str(error) == NULL)
		buf_str(&text, which);
	if (json_str(error) != NULL) {
		buf_str(&text, text.len > 0 ? ": " : "");
		buf_add(&text, json_str(error), json_str_len(error));
	}
	put(message, "workflow_name", json_get(event->run_doc, "workflowName"));
	json_set(message, "error", json_new_str_len(buf_text(&text), text.len));
	json_append(out, message);
	buf_fini(&text);
}

static void
camel_run_paused(const struct feed_event *event, const struct json *status,
		 struct json *out)
{
	struct json *message = camel_new(event, "WorkflowRunPaused");
	const char *reason = json_str(payload(event, "reason"));
	bool asks = reason != NULL && strcmp(reason, "approval") == 0;
	const struct json *step = json_get(event->approval, "stepKey");

	(void)status;
	if (asks && step == NULL)
		step = json_get(event->run_doc, "currentStepKey");
	if (asks && step != NULL)
		put(message, "step_id", step);
	else
		json_set(message, "step_id", json_new_str(""));
	json_set(message, "reason", json_new_str(asks ? "approval" : "paused"));
	json_append(out, message);
}

static void
camel_step_started(const struct feed_event *event, const struct json *status,
		   struct json *out)
{
	struct json *message = camel_step_new(event, "WorkflowStepStarted");

	(void)status;
	put(message, "step_type", payload(event, "action"));
	json_append(out, message);
}

static void
camel_step_completed(const struct feed_event *event, const struct json *status,
		     struct json *out)
{
	struct json *message = camel_step_new(event, "WorkflowStepCompleted");

	(void)status;
	put(message, "duration_ms", payload(event, "durationMs"));
	json_append(out, message);
}

static void
camel_step_failed(const struct feed_event *event, const struct json *status,
		  struct json *out)
{
	struct json *message = camel_step_new(event, "WorkflowStepFailed");

	(void)status;
	put(message, "error", error_text(payload(event, "error")));
	json_set(message, "will_retry",
		 json_new_bool(json_bool(payload(event, "willRetry"))));
	json_append(out, message);
}

/* ---- which event becomes what ---- */

typedef void encode_fn(const struct feed_event *event, const struct json *status,
		       struct json *out);

/* clang-format off */
static const struct {
	const char *type;
	encode_fn *by[DIALECTS]; /* workflow.*  workflow:*  Workflow* */
} encodings[] = {
	{ "run.started",        { encode_status,  encode_run_started,      camel_run_started } },
	{ "step.started",       { encode_status,  encode_step,             camel_step_started } },
	{ "step.completed",     { encode_status,  encode_step,             camel_step_completed } },
	{ "step.failed",        { encode_status,  encode_step,             camel_step_failed } },
	{ "step.waiting",       { NULL,           encode_step,             NULL } },
	{ "step.skipped",       { NULL,           encode_step,             NULL } },
	{ "step.cancelled",     { NULL,           encode_step,             NULL } },
	{ "approval.requested", { encode_request, encode_step_and_request, NULL } },
	{ "approval.decided",   { NULL,           encode_step,             NULL } },
	{ "run.paused",         { encode_status,  encode_step_of_run,      camel_run_paused } },
	{ "run.resumed",        { encode_status,  encode_step_of_run,      NULL } },
	{ "run.recovered",      { encode_status,  encode_step_of_run,      NULL } },
	{ "comment.added",      { NULL,           encode_comment,          NULL } },
	{ "agent.updated",      { NULL,           encode_agent,            NULL } },
	{ "artifact.created",   { NULL,           encode_artifact,         NULL } },
	{ "run.completed",      { encode_status,  encode_run_ended,        camel_run_completed } },
	{ "run.failed",         { encode_status,  encode_run_ended,        camel_run_failed } },
	{ "run.cancelled",      { encode_status,  encode_run_ended,        camel_run_failed } },
	{ "run.timed_out",      { encode_status,  encode_run_ended,        camel_run_failed } },
	{ "run.crashed",        { encode_status,  encode_run_ended,        camel_run_failed } },
};
/* clang-format on */

/* NULL: says nothing; a type that a newer program wrote does not either. */
static encode_fn *
encoding_of(enum dialect dialect, const char *type)
{
	for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++)
		if (strcmp(encodings[i].type, type) == 0)
			return encodings[i].by[dialect];
	return NULL;
}

bool
dialect_speaks(enum dialect dialect, const char *type)
{
	return encoding_of(dialect, type) != NULL;
}

bool
dialect_wants_status(const char *type)
{
	return encoding_of(DIALECT_STATUS, type) == encode_status;
}

void
dialect_encode(enum dialect dialect, const struct feed_event *event,
	       const struct json *status, struct json *out)
{
	encode_fn *encode = encoding_of(dialect, event->type);

	if (encode != NULL)
		encode(event, status, out);
}
