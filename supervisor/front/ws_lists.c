/* workflow.list and workflow.execution.list. */
#include <stdlib.h>
#include <string.h>

#include "engine/status.h"
#include "front/ws_priv.h"
#include "store/pg.h"

#define LIMIT_PRESET 100

/* ---- workflow.list ---- */

static void
on_workflows(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct ws_request *request = context;
	struct json *answer;

	if (rows == NULL) {
		ws_refuse_err(request, err);
		return;
	}
	answer = ws_answer_new(request, "workflow.list.result");
	json_set(answer, "workflows", pg_json(rows, 0, 0));
	ws_answer(request, answer);
}

void
ws_on_workflow_list(struct ws_request *request)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, ws_client_project(request->client));
	pg_query(request->ws->front->read, "workflows_brief", &args, on_workflows,
		 request);
	pg_args_fini(&args);
}

/* ---- workflow.execution.list ---- */

static void
on_executions(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct ws_request *request = context;
	struct json *answer;

	if (rows == NULL) {
		ws_refuse_err(request, err);
		return;
	}
	answer = ws_answer_new(request, "workflow.execution.list.result");
	json_set(answer, "executions", pg_json(rows, 0, 0));
	if (!pg_is_null(rows, 0, 1))
		json_set(answer, "nextCursor", json_new_str(pg_text(rows, 0, 1, NULL)));
	ws_answer(request, answer);
}

/* What workflow.status calls running and failed are several statuses of a run. */
static void
arg_statuses(struct pg_args *args, const char *text)
{
	enum run_status status = RUN_STATUSES;

	pg_array_begin(args, PG_INT2);
	if (text != NULL && run_status_parse(text, &status))
		pg_arg_int2(args, (int)status);
	if (status == RUN_RUNNING)
		pg_arg_int2(args, RUN_PENDING);
	for (int more = RUN_CANCELLED; status == RUN_FAILED && more < RUN_STATUSES;
	     more++)
		pg_arg_int2(args, more);
	pg_array_end(args);
}

void
ws_on_execution_list(struct ws_request *request)
{
	const struct json *limit = json_get(request->message, "limit");
	const char *cursor = ws_text_field(request, "cursor");
	struct pg_args args;

	pg_args_init(&args);
	arg_statuses(&args, ws_text_field(request, "status"));
	pg_arg_text(&args, ws_text_field(request, "workflowId"));
	pg_arg_int4(&args, limit != NULL ? (int32_t)json_int(limit) : LIMIT_PRESET);
	if (cursor != NULL)
		pg_arg_int8(&args, strtoll(cursor, NULL, 10));
	else
		pg_arg_null(&args, PG_INT8);
	pg_arg_uuid(&args, ws_client_project(request->client));
	pg_query(request->ws->front->read, "executions_brief", &args, on_executions,
		 request);
	pg_args_fini(&args);
}
