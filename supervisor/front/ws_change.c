/* workflow.approval and workflow:cancel: each is a change, see ws_making.c. */
#include <string.h>

#include "front/api.h"
#include "front/ws_priv.h"
#include "store/transitions.h"

static void
made(struct ws_making *making)
{
	char run[UUID_TEXT];

	uuid_format(&making->run, run);
	change_audit(making->change, run, NULL);
	ws_making_made(making, run);
}

/* ---- workflow:cancel ---- */

static void
on_ended(void *context, const struct ended_run *runs, size_t count,
	 const struct err *err)
{
	struct ws_making *making = context;

	if (err->kind != ERR_NONE) {
		ws_making_refuse_err(making, err);
	} else if (count == 0) {
		ws_making_refuse(making, "not_found", NULL,
				 "there is no such execution");
	} else if (runs[0].before == runs[0].after && runs[0].after != RUN_CANCELLED) {
		ws_making_refuse(making, "conflict", NULL, "the execution is over: %s",
				 run_status_name(runs[0].after));
	} else {
		if (runs[0].before != runs[0].after)
			change_tell_end(making->change, &runs[0].id, runs[0].seq);
		made(making);
	}
}

static void
on_run_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct ws_making *making = context;

	if (rows == NULL) {
		ws_making_refuse_err(making, err);
	} else if (pg_count(rows) == 0) {
		ws_making_refuse(making, "not_found", NULL,
				 "there is no such execution");
	} else {
		making->run = pg_uuid(rows, 0, 0);
		runs_end(change_pg(making->change), &making->run, 1, RUN_END_CANCEL,
			 NULL, making->by, on_ended, making);
	}
}

static void
go_cancel(struct ws_making *making)
{
	struct pg_args args;

	pg_args_init(&args);
	api_arg_run_named(&args, ws_text_field(making->request, "executionId"),
			  ws_making_project(making));
	pg_query(change_pg(making->change), "executions_find", &args, on_run_found,
		 making);
	pg_args_fini(&args);
}

static void
answer_ack(struct ws_request *request, const char *run)
{
	struct json *answer = ws_answer_new(request, "ack");

	json_set(answer, "executionId", json_new_str(run));
	ws_answer(request, answer);
}

void
ws_on_cancel(struct ws_request *request)
{
	static const struct ws_making_kind kind = { "execution.cancel", go_cancel,
						    answer_ack };

	ws_making_begin(request, &kind, ws_text_field(request, "executionId"));
}

/* ---- workflow.approval ---- */

static void
on_decided(void *context, const struct changed_run *run, const struct err *err)
{
	struct ws_making *making = context;
	struct change *change = making->change;

	if (err->kind != ERR_NONE) {
		ws_making_refuse_err(making, err);
		return;
	}
	if (run == NULL) {
		ws_making_refuse(making, "conflict", NULL,
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
	struct ws_making *making = context;
	const struct json *message = making->request->message;
	const char *step = ws_text_field(making->request, "stepId");

	if (rows == NULL) {
		ws_making_refuse_err(making, err);
		return;
	}
	if (pg_count(rows) == 0) {
		ws_making_refuse(making, "not_found", NULL,
				 "there is no such execution");
		return;
	}
	making->run = pg_uuid(rows, 0, 0);
	if (!api_is_step(step, rows)) {
		ws_making_refuse(making, "not_found", NULL,
				 "the execution has no step \"%.200s\"", step);
		return;
	}
	approval_decide(change_pg(making->change), &making->run,
			(int)pg_int(rows, 0, 2),
			json_bool(json_get(message, "approved")), making->by,
			ws_text_field(making->request, "comment"), on_decided, making);
}

static void
go_decide(struct ws_making *making)
{
	struct pg_args args;

	pg_args_init(&args);
	api_arg_run_named(&args, ws_text_field(making->request, "executionId"),
			  ws_making_project(making));
	api_arg_step_named(&args, ws_text_field(making->request, "stepId"));
	pg_query(change_pg(making->change), "steps_find", &args, on_step_found, making);
	pg_args_fini(&args);
}

static void
answer_status(struct ws_request *request, const char *run)
{
	struct uuid id;

	if (!uuid_parse(run, strlen(run), &id))
		bug("the stored answer of a change names no run");
	ws_answer_status(request, &id);
}

void
ws_on_approval(struct ws_request *request)
{
	static const struct ws_making_kind kinds[] = {
		{ "approval.deny", go_decide, answer_status },
		{ "approval.approve", go_decide, answer_status },
	};
	bool approved = json_bool(json_get(request->message, "approved"));

	ws_making_begin(request, &kinds[approved],
			ws_text_field(request, "executionId"));
}
