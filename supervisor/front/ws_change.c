/*
 * workflow.approval and workflow:cancel. Each is a change (change.h): its effect, its
 * row in the audit log and, under an idempotencyKey, what a repetition is answered are
 * one transaction; and it happens also when the client is gone meanwhile.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "front/api.h"
#include "front/change.h"
#include "front/ws_priv.h"
#include "store/transitions.h"

struct making {
	struct ws_request *request;
	struct change *change;
	void (*go)(struct making *making);
	void (*answer)(struct ws_request *request, const struct uuid *run);
	struct uuid run;
	struct uuid project; /* that the key may not leave; nil: any */
	char *by;            /* the key's name */
};

static void
making_free(void *state)
{
	struct making *making = state;

	change_drop(&making->change);
	free(making->by);
	free(making);
}

/* ---- around the change ---- */

__attribute__((format(printf, 3, 4))) static void
refuse(struct making *making, const char *code, const char *format, ...)
{
	char text[500];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	change_drop(&making->change);
	ws_refuse(making->request, code, NULL, "%s", text);
}

static void
refuse_err(struct making *making, const struct err *err)
{
	change_drop(&making->change);
	ws_refuse_err(making->request, err);
}

/* What a repetition finds is enough to answer it as the first call was. */
static void
made(struct making *making)
{
	char run[UUID_TEXT], text[UUID_TEXT + 32];
	int len = snprintf(text, sizeof text, "{\"executionId\":\"%s\"}",
			   uuid_format(&making->run, run));

	change_audit(making->change, run, NULL);
	change_answer(making->change, 200, text, (size_t)len);
}

static void
answer_made(struct making *making, const struct change_result *result)
{
	struct json *stored = NULL;
	struct err err = { 0 };
	const char *run;

	if (json_parse(result->text, result->len, &stored, &err) < 0)
		bug("the stored answer of a change: %s", err.text);
	run = json_str(json_get(stored, "executionId"));
	if (run == NULL || !uuid_parse(run, strlen(run), &making->run))
		bug("the stored answer of a change names no run");
	json_unref(&stored);
	making->answer(making->request, &making->run);
}

static void
on_done(void *context, const struct change_result *result)
{
	struct making *making = context;
	struct ws_request *request = making->request;

	making->change = NULL;
	switch (result->outcome) {
	case CHANGE_OTHER:
		ws_refuse(request, "conflict", NULL,
			  "this idempotencyKey was used for another call");
		break;
	case CHANGE_BUSY:
		ws_refuse(request, "conflict", NULL,
			  "the call with this idempotencyKey is still running");
		break;
	case CHANGE_FAILED:
		ws_refuse_err(request, result->err);
		break;
	case CHANGE_REPEATED:
	case CHANGE_MADE:
		answer_made(making, result);
		break;
	}
}

static void
on_turn(void *context)
{
	struct making *making = context;

	making->go(making);
}

/* What must be the same in a repetition: all but what names the call. */
static char *
body_of(const struct json *message, size_t *len)
{
	struct json *copy = json_copy(message);
	struct buf text = { 0 };

	json_remove(copy, "id");
	json_remove(copy, "idempotencyKey");
	json_write(copy, &text);
	json_unref(&copy);
	*len = text.len;
	return buf_take(&text);
}

static void
begin(struct ws_request *request, const char *what, void (*go)(struct making *making),
      void (*answer)(struct ws_request *request, const struct uuid *run))
{
	struct making *making = xcalloc(1, sizeof *making);
	struct ws_client *client = request->client;
	struct change_call call = {
		.what = what,
		.target = ws_text_field(request, "executionId"),
		.who = client->who,
		.address = client->address,
		.key = ws_text_field(request, "idempotencyKey"),
	};
	char *body = body_of(request->message, &call.body_len);

	call.body = body;
	making->request = request;
	making->go = go;
	making->answer = answer;
	making->project = client->identity.project;
	making->by = xstrdup(client->identity.name);
	request->state = making;
	request->free_state = making_free;
	making->change =
	    change_begin(request->ws->front->changes, &call, on_turn, on_done, making);
	free(body);
}

static const struct uuid *
project_of(const struct making *making)
{
	return uuid_is_nil(&making->project) ? NULL : &making->project;
}

/* ---- workflow:cancel ---- */

static void
on_ended(void *context, const struct ended_run *runs, size_t count,
	 const struct err *err)
{
	struct making *making = context;

	if (err->kind != ERR_NONE) {
		refuse_err(making, err);
	} else if (count == 0) {
		refuse(making, "not_found", "there is no such execution");
	} else if (runs[0].before == runs[0].after && runs[0].after != RUN_CANCELLED) {
		refuse(making, "conflict", "the execution is over: %s",
		       run_status_name(runs[0].after));
	} else {
		if (runs[0].before != runs[0].after)
			change_tell_run(making->change, &runs[0].id, runs[0].seq);
		made(making);
	}
}

static void
on_run_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct making *making = context;

	if (rows == NULL) {
		refuse_err(making, err);
	} else if (pg_count(rows) == 0) {
		refuse(making, "not_found", "there is no such execution");
	} else {
		making->run = pg_uuid(rows, 0, 0);
		runs_end(change_pg(making->change), &making->run, 1, RUN_END_CANCEL,
			 NULL, making->by, on_ended, making);
	}
}

static void
go_cancel(struct making *making)
{
	struct pg_args args;

	pg_args_init(&args);
	api_arg_run_named(&args, ws_text_field(making->request, "executionId"),
			  project_of(making));
	pg_query(change_pg(making->change), "executions_find", &args, on_run_found,
		 making);
	pg_args_fini(&args);
}

static void
answer_ack(struct ws_request *request, const struct uuid *run)
{
	struct json *answer = ws_answer_new(request, "ack");
	char text[UUID_TEXT];

	json_set(answer, "executionId", json_new_str(uuid_format(run, text)));
	ws_answer(request, answer);
}

void
ws_on_cancel(struct ws_request *request)
{
	begin(request, "execution.cancel", go_cancel, answer_ack);
}

/* ---- workflow.approval ---- */

static void
on_decided(void *context, const struct changed_run *run, const struct err *err)
{
	struct making *making = context;
	struct change *change = making->change;

	if (err->kind != ERR_NONE) {
		refuse_err(making, err);
		return;
	}
	if (run == NULL) {
		refuse(making, "conflict",
		       "no approval of this step is pending (any more)");
		return;
	}
	for (size_t i = 0; run->changed && i < run->ready_count; i++)
		change_tell_ready(change, run->ready[i].queue, run->ready[i].priority,
				  &run->ready[i].ref);
	if (run->changed)
		change_tell_run(change, &run->id, run->seq);
	made(making);
}

static void
on_step_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct making *making = context;
	const struct json *message = making->request->message;
	const char *step = ws_text_field(making->request, "stepId");

	if (rows == NULL) {
		refuse_err(making, err);
		return;
	}
	if (pg_count(rows) == 0) {
		refuse(making, "not_found", "there is no such execution");
		return;
	}
	making->run = pg_uuid(rows, 0, 0);
	if (!api_is_step(step, rows)) {
		refuse(making, "not_found", "the execution has no step \"%.200s\"",
		       step);
		return;
	}
	approval_decide(change_pg(making->change), &making->run,
			(int)pg_int(rows, 0, 2),
			json_bool(json_get(message, "approved")), making->by,
			ws_text_field(making->request, "comment"), on_decided, making);
}

static void
go_decide(struct making *making)
{
	struct pg_args args;

	pg_args_init(&args);
	api_arg_run_named(&args, ws_text_field(making->request, "executionId"),
			  project_of(making));
	api_arg_step_named(&args, ws_text_field(making->request, "stepId"));
	pg_query(change_pg(making->change), "steps_find", &args, on_step_found, making);
	pg_args_fini(&args);
}

void
ws_on_approval(struct ws_request *request)
{
	bool approved = json_bool(json_get(request->message, "approved"));

	begin(request, approved ? "approval.approve" : "approval.deny", go_decide,
	      ws_answer_status);
}
