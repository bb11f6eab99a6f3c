/* Runs over HTTP: list, look, cancel. Events: api_execution_events.c; logs: api_logs.c;
 * artifacts: api_artifacts.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "front/api.h"
#include "front/api_execution_events.h"
#include "front/change.h"
#include "front/feed.h"
#include "store/runs.h"

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
			change_tell_end(exchange_change(exchange), &runs[0].id,
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

/* clang-format off */
const struct route routes_executions[] = {
	{ "GET",  "/api/executions",                    ROLE_VIEWER,   0, false, on_list, NULL },
	{ "GET",  "/api/executions/:id",                ROLE_VIEWER,   0, false, on_get, NULL },
	{ "POST", "/api/executions/:id/cancel",         ROLE_OPERATOR, 0, false, on_cancel, "execution.cancel" },
	{ "GET",  "/api/executions/:id/events",         ROLE_VIEWER,   0, true,  api_execution_events, NULL },
	{ 0 },
};
/* clang-format on */
