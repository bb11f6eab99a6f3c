/*
 * What people do to a run: pause, resume, approve, deny, retry, rerun. (Cancel stands
 * with the looks at runs in api_executions.c.) Every supervisor may be asked.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"
#include "conf/yaml.h"
#include "engine/again_core.h"
#include "engine/enter_core.h"
#include "front/api.h"
#include "front/change.h"
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

static struct workflow *
read_source(const struct again_row *row)
{
	struct problems problems = { 0 };
	struct doc *doc = yaml_parse(row->source, row->source_len, &problems);
	struct workflow *workflow = NULL;

	if (doc != NULL)
		workflow = workflow_read(doc, &problems);
	problems_fini(&problems);
	doc_free(&doc);
	return workflow;
}

/* [[number, key, status, parent, is item], ...] */
static struct old_row *
old_rows(const struct workflow *workflow, const struct json *list, size_t *count)
{
	struct old_row *rows = xcalloc(json_count(list) + 1, sizeof *rows);
	size_t n = 0;

	for (size_t i = 0; i < json_count(list); i++) {
		const struct json *row = json_at(list, i);
		int index = workflow_step_index(workflow, json_str(json_at(row, 1)));

		if (index >= 0)
			rows[n++] = (struct old_row){
				.number = (int)json_int(json_at(row, 0)),
				.index = index,
				.status = (enum step_status)json_int(json_at(row, 2)),
				.parent = (int)json_int(json_at(row, 3)),
			};
	}
	*count = n;
	return rows;
}

/* What the new run begins with: all of it, or what is left of the old one. */
static struct new_step *
steps_again(const struct changing *changing, const struct workflow *workflow,
	    const struct json *list, struct again *again, size_t *count)
{
	struct old_row *rows;
	struct new_step *steps;
	size_t rows_count;

	*again = (struct again){ 0 };
	rows = old_rows(workflow, list, &rows_count);
	if (changing->from_failure && rows_count > 0)
		again_plan(workflow, rows, rows_count, again);
	else
		again->first = advance_start(workflow, &again->first_count);
	free(rows);
	steps = new_steps_from(workflow, again->first, again->first_count);
	*count = again->first_count;
	return steps;
}

static void
on_stored(void *context, const struct err *err)
{
	struct changing *changing = context;

	if (err->kind != ERR_NONE)
		reply_err(changing->exchange, err);
	else
		api_reply_status(changing->exchange, 202, &changing->run, RUN_RUNNING);
}

static void
store_again(struct changing *changing, const struct again_row *row,
	    const struct workflow *workflow)
{
	struct uuid old = changing->run;
	struct front *front = exchange_front(changing->exchange);
	struct new_run run = {
		.id = uuid7_new(loop_now(front->loop)),
		.definition = row->definition,
		.workflow_name = workflow->name,
		.project = &row->project,
		.input = row->input,
		.trigger = row->trigger,
		.priority = row->priority,
		.triggered_by = "retry",
		.requested_by = by_of(changing),
		.timeout = workflow->timeout,
		.crash_on_interrupt = workflow->crash_on_interrupt,
		.retry_of = &old,
	};
	struct again again;
	struct new_step *steps =
	    steps_again(changing, workflow, row->rows, &again, &run.steps_count);

	run.steps = steps;
	changing->run = run.id;
	again_store(pg_of(changing), &run, again.kept, again.kept_count, on_stored,
		    changing);
	for (size_t i = 0; i < run.steps_count; i++) {
		struct step_ref ref = { run.id, steps[i].number };

		if (steps[i].needs <= 0)
			change_tell_ready(exchange_change(changing->exchange),
					  steps[i].queue, run.priority, &ref);
	}
	again_fini(&again);
	free(steps);
}

static void
on_loaded(void *context, const struct again_row *row, const struct err *err)
{
	struct changing *changing = context;
	struct workflow *workflow = row != NULL ? read_source(row) : NULL;
	struct exchange *exchange = changing->exchange;

	if (workflow != NULL && run_is_over(row->status) &&
	    !(changing->from_failure && row->status == RUN_COMPLETED)) {
		store_again(changing, row, workflow);
		workflow_free(&workflow);
		return;
	}
	if (err->kind != ERR_NONE)
		reply_err(exchange, err);
	else if (row == NULL)
		reply_problem(exchange, 404, NULL, "there is no such execution");
	else if (workflow == NULL)
		reply_problem(exchange, 409, NULL, "its definition no longer loads");
	else
		reply_problem(exchange, 409, NULL, "the execution is %s",
			      run_status_name(row->status));
	workflow_free(&workflow);
}

static void
go_again(struct changing *changing)
{
	again_load(pg_of(changing), &changing->run, on_loaded, changing);
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
