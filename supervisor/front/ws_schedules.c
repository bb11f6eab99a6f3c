/*
 * schedule.create, schedule.update, schedule.delete and schedule.list, and
 * heartbeat.configure. What changes is a change (ws_making.c) and goes through
 * schedule_edit.h and heartbeat_edit.h, as over HTTP.
 */
#include <stdlib.h>

#include "front/api.h"
#include "front/heartbeat_edit.h"
#include "front/schedule_edit.h"
#include "front/ws_heartbeat_core.h"
#include "front/ws_priv.h"
#include "front/ws_schedule_core.h"

/* ---- what changes ---- */

static const char *
code_of(int status)
{
	static const struct {
		int status;
		const char *code;
	} codes[] = { { 403, "forbidden" }, { 404, "not_found" }, { 409, "conflict" } };

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (codes[i].status == status)
			return codes[i].code;
	return "invalid_message";
}

static void
on_edited(void *context, const struct schedule_edited *edited)
{
	struct ws_making *making = context;

	if (edited->status == 0)
		ws_making_refuse_err(making, edited->err);
	else if (edited->status >= 400)
		ws_making_refuse(
		    making, code_of(edited->status),
		    edited->problems != NULL ? api_problems(edited->problems) : NULL,
		    "%s", edited->text);
	else
		ws_making_made(making, edited->id);
}

/* sent is taken. */
static void
edit_by(struct ws_making *making, struct json *sent,
	void (*begin)(const struct schedule_call *call, schedule_edited_fn *done,
		      void *context))
{
	const struct ws_request *request = making->request;
	struct schedule_call call = {
		.front = request->ws->front,
		.change = making->change,
		.named = ws_text_field(request, "scheduleId"),
		.sent = sent,
		.confined = ws_making_project(making),
		.by = making->who,
		.tools = making->tools,
	};

	begin(&call, on_edited, making);
	json_unref(&sent);
}

static void
edit(struct ws_making *making, void (*begin)(const struct schedule_call *call,
					     schedule_edited_fn *done, void *context))
{
	const struct ws_request *request = making->request;

	edit_by(making, ws_schedule_sent(request->route, request->message), begin);
}

static void
go_create(struct ws_making *making)
{
	edit(making, schedule_create);
}

static void
go_update(struct ws_making *making)
{
	edit(making, schedule_patch);
}

static void
go_delete(struct ws_making *making)
{
	edit(making, schedule_remove);
}

static void
answer(struct ws_request *request, const char *type, const char *id)
{
	struct json *said = ws_answer_new(request, type);

	json_set(said, "scheduleId", json_new_str(id));
	ws_answer(request, said);
}

static void
answer_created(struct ws_request *request, const char *id)
{
	answer(request, "schedule.created", id);
}

static void
answer_updated(struct ws_request *request, const char *id)
{
	answer(request, "schedule.updated", id);
}

void
ws_on_schedule_create(struct ws_request *request)
{
	static const struct ws_making_kind kind = { "schedule.create", go_create,
						    answer_created };

	ws_making_begin(request, &kind, "");
}

void
ws_on_schedule_update(struct ws_request *request)
{
	static const struct ws_making_kind kind = { "schedule.update", go_update,
						    answer_updated };

	ws_making_begin(request, &kind, ws_text_field(request, "scheduleId"));
}

void
ws_on_schedule_delete(struct ws_request *request)
{
	static const struct ws_making_kind kind = { "schedule.delete", go_delete,
						    answer_updated };

	ws_making_begin(request, &kind, ws_text_field(request, "scheduleId"));
}

/* ---- heartbeat.configure ---- */

static void
go_configure(struct ws_making *making)
{
	const struct ws_request *request = making->request;

	edit_by(making, ws_heartbeat_sent(request->route, request->message),
		heartbeat_configure);
}

static void
answer_configured(struct ws_request *request, const char *id)
{
	answer(request, "heartbeat.configured", id);
}

void
ws_on_heartbeat_configure(struct ws_request *request)
{
	static const struct ws_making_kind kind = { "heartbeat.configure", go_configure,
						    answer_configured };

	ws_making_begin(request, &kind, ws_text_field(request, "heartbeatPath"));
}

/* ---- schedule.list ---- */

static void
on_schedules(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct ws_request *request = context;
	struct json *said;

	if (rows == NULL) {
		ws_refuse_err(request, err);
		return;
	}
	said = ws_answer_new(request, "schedule.list.result");
	json_set(said, "schedules", pg_json(rows, 0, 0));
	ws_answer(request, said);
}

void
ws_on_schedule_list(struct ws_request *request)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, ws_client_project(request->client));
	pg_query(request->ws->front->read, "schedules_brief", &args, on_schedules,
		 request);
	pg_args_fini(&args);
}
