/* Runs over HTTP: list, look, cancel, events. Logs and artifacts: api_files.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/xalloc.h"
#include "front/api.h"
#include "front/api_files.h"
#include "front/change.h"
#include "front/feed.h"
#include "store/runs.h"

#define EVENTS_WAIT_MAX (60 * USEC_SECOND)

/* ---- list and look ---- */

/* `status=running,failed` in either case -> int2[]; -1: a 400 was answered. */
static int
arg_statuses(struct exchange *exchange, struct pg_args *args)
{
	const char *text = exchange_query(exchange, "status");
	char *copy, *rest, *word;
	int result = 0;

	pg_array_begin(args, PG_INT2);
	copy = rest = text ? xstrdup(text) : NULL; /* an empty array: all */
	while (result == 0 && (word = strsep(&rest, ",")) != NULL) {
		enum run_status status;

		if (run_status_parse(word, &status)) {
			pg_arg_int2(args, (int)status);
		} else {
			reply_problem(exchange, 400, NULL,
				      "status: \"%s\" is not a status of a run", word);
			result = -1;
		}
	}
	pg_array_end(args);
	free(copy);
	return result;
}

static int
arg_project(struct exchange *exchange, struct pg_args *args)
{
	const char *text = exchange_query(exchange, "projectId");
	struct uuid id;

	if (text == NULL) {
		pg_arg_uuid(args, NULL);
		return 0;
	}
	if (!uuid_parse(text, strlen(text), &id)) {
		reply_problem(exchange, 400, NULL, "projectId: expected a UUID");
		return -1;
	}
	pg_arg_uuid(args, &id);
	return 0;
}

static int
arg_sort(struct exchange *exchange, bool *oldest_first)
{
	const char *sort = exchange_query(exchange, "sort");

	*oldest_first = sort != NULL && strcmp(sort, "startedAt") == 0;
	if (sort == NULL || *oldest_first || strcmp(sort, "-startedAt") == 0)
		return 0;
	reply_problem(exchange, 400, NULL, "sort: expected startedAt or -startedAt");
	return -1;
}

static int
fill_list(struct exchange *exchange, struct pg_args *args)
{
	struct api_page page;
	usec_t since, until;
	bool oldest_first;
	int64_t cursor;

	if (api_page(exchange, &page) < 0 || arg_statuses(exchange, args) < 0)
		return -1;
	pg_arg_text(args, exchange_query(exchange, "workflowId"));
	if (arg_project(exchange, args) < 0)
		return -1;
	pg_arg_text(args, exchange_query(exchange, "triggeredBy"));
	if (api_query_time(exchange, "since", &since) < 0 ||
	    api_query_time(exchange, "until", &until) < 0 ||
	    arg_sort(exchange, &oldest_first) < 0 ||
	    api_query_int(exchange, "cursor", 1, INT64_MAX, 0, &cursor) < 0)
		return -1;
	pg_arg_time(args, since);
	pg_arg_time(args, until);
	pg_arg_text(args, exchange_query(exchange, "q"));
	pg_arg_bool(args, oldest_first);
	pg_arg_int4(args, page.limit);
	pg_arg_int4(args, page.offset);
	pg_arg_int4(args, page.page);
	if (cursor > 0)
		pg_arg_int8(args, cursor);
	else
		pg_arg_null(args, PG_INT8);
	api_arg_confined(exchange, args);
	return 0;
}

static void
on_list(struct exchange *exchange)
{
	struct pg_args args;

	pg_args_init(&args);
	if (fill_list(exchange, &args) == 0)
		api_read(exchange, "executions_list", &args, api_on_json);
	pg_args_fini(&args);
}

static void
on_get(struct exchange *exchange)
{
	struct pg_args args;

	pg_args_init(&args);
	api_arg_run(exchange, &args);
	api_read(exchange, "executions_get", &args, api_on_json);
	pg_args_fini(&args);
}

/* ---- cancel ---- */

static void
on_ended(void *context, const struct ended_run *runs, size_t count,
	 const struct err *err)
{
	struct exchange *exchange = context;

	if (err->kind != ERR_NONE) {
		reply_err(exchange, err);
	} else if (count == 0) {
		reply_problem(exchange, 404, NULL, "there is no such execution");
	} else if (runs[0].before == runs[0].after && runs[0].after != RUN_CANCELLED) {
		reply_problem(exchange, 409, NULL, "the execution is over: %s",
			      run_status_name(runs[0].after));
	} else {
		if (runs[0].before != runs[0].after)
			change_tell_run(exchange_change(exchange), &runs[0].id,
					runs[0].seq);
		api_reply_status(exchange, 200, &runs[0].id, runs[0].after);
	}
}

static void
on_cancel_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	struct uuid id;

	if (rows == NULL || pg_count(rows) == 0) {
		api_on_json(context, rows, err);
		return;
	}
	id = pg_uuid(rows, 0, 0);
	api_unguard(exchange);
	api_audit_run(exchange, &id);
	runs_end(exchange_pg(exchange), &id, 1, RUN_END_CANCEL, NULL,
		 exchange_who(exchange), on_ended, exchange);
}

void
api_find_run(struct exchange *exchange, pg_done_fn *done)
{
	struct pg_args args;

	pg_args_init(&args);
	api_arg_run(exchange, &args);
	api_read(exchange, "executions_find", &args, done);
	pg_args_fini(&args);
}

static void
on_cancel(struct exchange *exchange)
{
	api_find_run(exchange, on_cancel_found);
}

/* ---- events, also as a long poll ---- */

struct watching {
	struct exchange *exchange;
	struct front *front;
	struct uuid run;
	int64_t since;
	usec_t until; /* monotonic */
	struct feed_wait *wait;
	bool looking; /* a query is under way */
	bool again;   /* something was heard meanwhile: its answer may be too old */
};

static void
watching_free(void *state)
{
	struct watching *watching = state;

	pg_forget(watching->front->read, watching);
	feed_wait_cancel(&watching->wait);
	free(watching);
}

static void look(struct watching *watching);

static void
on_events(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct watching *watching = context;
	struct exchange *exchange = watching->exchange;
	usec_t left = watching->until - loop_mono(watching->front->loop);
	struct buf body = { 0 };
	const char *text;
	size_t len;

	watching->looking = false;
	if (rows == NULL) {
		reply_err(exchange, err);
		return;
	}
	text = pg_text(rows, 0, 0, &len);
	/* "[]", and more may come: wait. Nothing comes after the end. */
	if (len <= 2 && left > 0 && !pg_bool(rows, 0, 1)) {
		if (watching->again)
			look(watching);
		return;
	}
	buf_str(&body, "{\"data\":");
	buf_add(&body, text, len);
	buf_printf(&body, ",\"over\":%s,\"lastSeq\":%lld}",
		   pg_bool(rows, 0, 1) ? "true" : "false",
		   (long long)pg_int(rows, 0, 2));
	reply_json_text(exchange, 200, body.data, body.len);
	buf_fini(&body);
}

static void
on_heard(void *context)
{
	struct watching *watching = context;

	watching->wait = NULL;
	watching->again = true;
	if (!watching->looking)
		look(watching);
}

/* Listens first and looks then: an event in between would be heard by nobody. */
static void
look(struct watching *watching)
{
	usec_t left = watching->until - loop_mono(watching->front->loop);
	struct pg_args args;

	watching->looking = true;
	watching->again = false;
	if (left > 0 && watching->wait == NULL)
		watching->wait = feed_wait(watching->front->feed, &watching->run,
					   watching->since, left, on_heard, watching);
	pg_args_init(&args);
	pg_arg_uuid(&args, &watching->run);
	pg_arg_int8(&args, watching->since);
	pg_query(watching->front->read, "events_since", &args, on_events, watching);
	pg_args_fini(&args);
}

static void
on_events_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	const char *wait = exchange_query(exchange, "wait");
	struct watching *watching;
	struct err bad = { 0 };
	usec_t most = 0;
	int64_t since;

	if (rows == NULL || pg_count(rows) == 0) {
		api_on_json(context, rows, err);
		return;
	}
	if (api_query_int(exchange, "since", 0, INT64_MAX, 0, &since) < 0)
		return;
	if (wait != NULL && duration_parse(wait, strlen(wait), &most, &bad) < 0) {
		err_in(&bad, "wait");
		reply_err(exchange, &bad);
		return;
	}
	watching = xcalloc(1, sizeof *watching);
	watching->exchange = exchange;
	watching->front = exchange_front(exchange);
	watching->run = pg_uuid(rows, 0, 0);
	watching->since = since;
	watching->until = loop_mono(watching->front->loop) +
			  (most > EVENTS_WAIT_MAX ? EVENTS_WAIT_MAX : most);
	api_unguard(exchange);
	exchange_set_state(exchange, watching, watching_free);
	look(watching);
}

static void
on_events_asked(struct exchange *exchange)
{
	api_find_run(exchange, on_events_found);
}

/* clang-format off */
const struct route routes_executions[] = {
	{ "GET",  "/api/executions",                    ROLE_VIEWER,   0, false, on_list, NULL },
	{ "GET",  "/api/executions/:id",                ROLE_VIEWER,   0, false, on_get, NULL },
	{ "POST", "/api/executions/:id/cancel",         ROLE_OPERATOR, 0, false, on_cancel, "execution.cancel" },
	{ "GET",  "/api/executions/:id/events",         ROLE_VIEWER,   0, true,  on_events_asked, NULL },
	{ "GET",  "/api/executions/:id/logs",           ROLE_VIEWER,   0, false, api_logs, NULL },
	{ "GET",  "/api/executions/:id/logs/download",  ROLE_VIEWER,   0, false, api_logs_download, NULL },
	{ "GET",  "/api/executions/:id/artifacts",      ROLE_VIEWER,   0, false, api_artifacts, NULL },
	{ "GET",  "/api/artifacts/:id/download",        ROLE_VIEWER,   0, false, api_artifact_download, NULL },
	{ 0 },
};
/* clang-format on */
