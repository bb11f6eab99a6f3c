/*
 * What people do to a run: pause, resume, approve, deny, retry, rerun. (Cancel stands
 * with the looks at runs in api_executions.c.) Every supervisor may be asked.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"
#include "engine/enter_core.h"
#include "front/api.h"
#include "front/change.h"
#include "front/run_again.h"
#include "store/transitions.h"

#define COMMENT_MAX   10000
#define APPROVALS_MAX 1000

/* ---- one change under way ---- */

struct changing {
	struct exchange *exchange;
	struct uuid run;
	int step;
	bool approves, from_failure;
	const char *comment; /* in the request's body */
	struct run_again again;
	void (*go)(struct changing *changing);
};

static struct pg *
pg_of(const struct changing *changing)
{
	return exchange_pg(changing->exchange);
}

static const char *
by_of(const struct changing *changing)
{
	return exchange_who(changing->exchange);
}

static void
announce(struct exchange *exchange, const struct changed_run *run)
{
	struct change *change = exchange_change(exchange);

	if (!run->changed)
		return;
	for (size_t i = 0; i < run->ready_count; i++)
		change_tell_ready(change, run->ready[i].queue, run->ready[i].priority,
				  &run->ready[i].ref);
	change_tell_run(change, &run->id, run->seq);
}

/* ---- pause and resume ---- */

static void
on_changed(void *context, const struct changed_run *run, const struct err *err)
{
	struct changing *changing = context;
	struct exchange *exchange = changing->exchange;

	if (err->kind != ERR_NONE) {
		reply_err(exchange, err);
	} else if (run == NULL) {
		reply_problem(exchange, 404, NULL, "there is no such execution");
	} else {
		announce(exchange, run);
		api_reply_status(exchange, 200, &run->id, run->after);
	}
}

/* Asked for what is so already: fine. What cannot be is told with the way out. */
static void
on_paused(void *context, const struct changed_run *run, const struct err *err)
{
	struct changing *changing = context;

	if (run == NULL || run->changed || run->before == RUN_PAUSED)
		on_changed(context, run, err);
	else
		reply_problem(changing->exchange, 409, NULL,
			      "the execution is %s: only one that runs can be paused",
			      run_status_name(run->before));
}

static void
on_resumed(void *context, const struct changed_run *run, const struct err *err)
{
	struct changing *changing = context;

	if (run == NULL || run->changed || run->before == RUN_RUNNING)
		on_changed(context, run, err);
	else if (run->before == RUN_PAUSED)
		reply_problem(
		    changing->exchange, 409, NULL,
		    "the execution waits for an approval: approve or deny it");
	else
		reply_problem(changing->exchange, 409, NULL,
			      "the execution is %s: only one that is paused or crashed "
			      "can be resumed",
			      run_status_name(run->before));
}

static void
go_pause(struct changing *changing)
{
	run_pause(pg_of(changing), &changing->run, by_of(changing), on_paused,
		  changing);
}

static void
go_resume(struct changing *changing)
{
	run_resume(pg_of(changing), &changing->run, by_of(changing), on_resumed,
		   changing);
}

/* ---- approve and deny ---- */

static void
on_decided(void *context, const struct changed_run *run, const struct err *err)
{
	struct changing *changing = context;

	if (run != NULL || err->kind != ERR_NONE)
		on_changed(context, run, err);
	else
		reply_problem(changing->exchange, 409, NULL,
			      "no approval of this step is pending (any more)");
}

static void
go_decide(struct changing *changing)
{
	approval_decide(pg_of(changing), &changing->run, changing->step,
			changing->approves, by_of(changing), changing->comment,
			on_decided, changing);
}

/* ---- again ---- */

static void
on_again(void *context, const struct again_result *result)
{
	struct changing *changing = context;
	struct exchange *exchange = changing->exchange;

	if (result->outcome == AGAIN_STORED)
		api_reply_status(exchange, 202, &result->run, RUN_RUNNING);
	else if (result->outcome == AGAIN_NO_RUN)
		reply_problem(exchange, 404, NULL, "there is no such execution");
	else if (result->outcome == AGAIN_NO_DEFINITION)
		reply_problem(exchange, 409, NULL, "its definition no longer loads");
	else if (result->outcome == AGAIN_NOT_NOW)
		reply_problem(exchange, 409, NULL, "the execution is %s",
			      run_status_name(result->status));
	else
		reply_err(exchange, result->err);
}

static void
go_again(struct changing *changing)
{
	changing->again = (struct run_again){
		.change = exchange_change(changing->exchange),
		.now = loop_now(exchange_front(changing->exchange)->loop),
		.run = changing->run,
		.from_failure = changing->from_failure,
		.by = by_of(changing),
		.tools = exchange_tools(changing->exchange),
		.done = on_again,
		.context = changing,
	};
	run_again_begin(&changing->again);
}

/* ---- the routes ---- */

static void
begin(struct exchange *exchange, const struct pg_rows *rows, const struct err *err,
      const struct changing *what)
{
	struct changing *changing;

	if (rows == NULL || pg_count(rows) == 0) {
		api_on_json(exchange, rows, err);
		return;
	}
	changing = exchange_keep(exchange, sizeof *changing);
	*changing = *what;
	changing->exchange = exchange;
	changing->run = pg_uuid(rows, 0, 0);
	api_unguard(exchange);
	api_audit_run(exchange, &changing->run);
	changing->go(changing);
}

static void
on_pause_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	begin(context, rows, err, &(struct changing){ .go = go_pause });
}

static void
on_resume_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	begin(context, rows, err, &(struct changing){ .go = go_resume });
}

static void
on_retry_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	begin(context, rows, err,
	      &(struct changing){ .go = go_again, .from_failure = true });
}

static void
on_rerun_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	begin(context, rows, err, &(struct changing){ .go = go_again });
}

static void
on_pause(struct exchange *exchange)
{
	api_find_run(exchange, on_pause_found);
}

static void
on_resume(struct exchange *exchange)
{
	api_find_run(exchange, on_resume_found);
}

static void
on_retry(struct exchange *exchange)
{
	api_find_run(exchange, on_retry_found);
}

static void
on_rerun(struct exchange *exchange)
{
	api_find_run(exchange, on_rerun_found);
}

/* {comment}, or nothing. -1: it was refused, and that was said. */
static int
read_comment(struct exchange *exchange, const char **out)
{
	struct json *body;
	const char *text;

	*out = NULL;
	if (exchange_json(exchange, &body) < 0)
		return -1;
	if (body == NULL)
		return 0;
	for (struct json_iter it = json_iter(body); json_next(&it);) {
		if (strcmp(it.key, "comment") == 0)
			continue;
		reply_problem(exchange, 400, NULL, "unknown key \"%.100s\"", it.key);
		return -1;
	}
	text = json_str(json_get(body, "comment"));
	if (json_type(body) != JSON_OBJECT ||
	    (text == NULL && json_get(body, "comment") != NULL)) {
		reply_problem(exchange, 400, NULL, "expected {\"comment\": \"...\"}");
		return -1;
	}
	if (text != NULL && strlen(text) > COMMENT_MAX) {
		reply_problem(exchange, 400, NULL, "comment: longer than %d bytes",
			      COMMENT_MAX);
		return -1;
	}
	*out = text;
	return 0;
}

static void
decide(struct exchange *exchange, const struct pg_rows *rows, const struct err *err,
       bool approves)
{
	struct changing changing = { .go = go_decide, .approves = approves };

	if (!api_found_step(exchange, exchange_param(exchange, "stepId"), rows, err) ||
	    read_comment(exchange, &changing.comment) < 0)
		return;
	changing.step = (int)pg_int(rows, 0, 2);
	begin(exchange, rows, err, &changing);
}

static void
on_approve_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	decide(context, rows, err, true);
}

static void
on_deny_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	decide(context, rows, err, false);
}

static void
on_approve(struct exchange *exchange)
{
	api_find_step(exchange, exchange_param(exchange, "stepId"), on_approve_found);
}

static void
on_deny(struct exchange *exchange)
{
	api_find_step(exchange, exchange_param(exchange, "stepId"), on_deny_found);
}

/* ---- what waits for somebody ---- */

static void
on_approvals_listed(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct buf body = { 0 };
	const char *text;
	size_t len;

	if (rows == NULL) {
		reply_err(context, err);
		return;
	}
	text = pg_text(rows, 0, 0, &len);
	buf_str(&body, "{\"data\":");
	buf_add(&body, text, len);
	buf_char(&body, '}');
	reply_json_text(context, 200, body.data, body.len);
	buf_fini(&body);
}

static void
on_approvals(struct exchange *exchange)
{
	const char *status = exchange_query(exchange, "status");
	struct pg_args args;
	int code = 0;

	while (status != NULL && code < APPROVAL_STATUSES &&
	       strcasecmp(status, approval_status_name((enum approval_status)code)) !=
		   0)
		code++;
	if (code == APPROVAL_STATUSES) {
		reply_problem(exchange, 400, NULL,
			      "status: \"%.100s\" is not one of pending, approved, "
			      "denied, expired, void",
			      status);
		return;
	}
	pg_args_init(&args);
	pg_arg_int2(&args, code);
	api_arg_confined(exchange, &args);
	pg_arg_int4(&args, APPROVALS_MAX);
	api_read(exchange, "approvals_list", &args, on_approvals_listed);
	pg_args_fini(&args);
}

/* clang-format off */
const struct route routes_transitions[] = {
	{ "POST", "/api/executions/:id/pause",                  ROLE_OPERATOR, 0, false, on_pause, "execution.pause" },
	{ "POST", "/api/executions/:id/resume",                 ROLE_OPERATOR, 0, false, on_resume, "execution.resume" },
	{ "POST", "/api/executions/:id/retry",                  ROLE_OPERATOR, 0, false, on_retry, "execution.retry" },
	{ "POST", "/api/executions/:id/rerun",                  ROLE_OPERATOR, 0, false, on_rerun, "execution.rerun" },
	{ "POST", "/api/executions/:id/steps/:stepId/approve",  ROLE_OPERATOR, 0, false, on_approve, "approval.approve" },
	{ "POST", "/api/executions/:id/steps/:stepId/deny",     ROLE_OPERATOR, 0, false, on_deny, "approval.deny" },
	{ "GET",  "/api/approvals",                             ROLE_VIEWER,   0, false, on_approvals, NULL },
	{ 0 },
};
/* clang-format on */
