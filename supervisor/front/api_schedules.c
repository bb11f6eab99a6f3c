/*
 * Schedules over HTTP: looked at, made, changed, removed, fired by hand. What changes
 * is schedule_edit.h's and schedule_fire.h's; the preview is api_schedule_preview.c's.
 */
#include <stdlib.h>
#include <string.h>

#include "front/api.h"
#include "front/api_schedule_calls.h"
#include "front/schedule_fire.h"
#include "front/trace_core.h"
#include "store/schedule_rows.h"

/* ---- look ---- */

static int
arg_kind(struct exchange *exchange, struct pg_args *args)
{
	const char *kind = exchange_query(exchange, "kind");

	pg_arg_text(args, kind);
	if (kind == NULL || strcmp(kind, "workflow") == 0 ||
	    strcmp(kind, "heartbeat") == 0)
		return 0;
	reply_problem(exchange, 400, NULL, "kind: expected workflow or heartbeat");
	return -1;
}

/* Adds whether it is the other one of `name` and `-name`; absent: not. */
static int
arg_sort(struct exchange *exchange, const char *usual, const char *other,
	 struct pg_args *args)
{
	const char *sort = exchange_query(exchange, "sort");
	bool is_other = sort != NULL && strcmp(sort, other) == 0;

	pg_arg_bool(args, is_other);
	if (sort == NULL || is_other || strcmp(sort, usual) == 0)
		return 0;
	reply_problem(exchange, 400, NULL, "sort: expected %s or %s", usual, other);
	return -1;
}

static void
arg_page(const struct api_page *page, bool by_cursor, struct pg_args *args)
{
	pg_arg_int4(args, page->limit);
	pg_arg_int4(args, by_cursor ? 0 : page->offset);
	pg_arg_int4(args, page->page);
}

static int
fill_list(struct exchange *exchange, struct pg_args *args)
{
	struct api_page page;

	if (api_page(exchange, &page) < 0 || arg_kind(exchange, args) < 0)
		return -1;
	pg_arg_text(args, exchange_query(exchange, "workflowId"));
	if (api_arg_flag(exchange, "enabled", args) < 0)
		return -1;
	pg_arg_text(args, exchange_query(exchange, "name"));
	if (arg_sort(exchange, "createdAt", "-createdAt", args) < 0)
		return -1;
	arg_page(&page, exchange_query(exchange, "cursor") != NULL, args);
	if (api_arg_uuid(exchange, "cursor", args) < 0 ||
	    api_arg_uuid(exchange, "projectId", args) < 0)
		return -1;
	api_arg_confined(exchange, args);
	return 0;
}

static void
on_list(struct exchange *exchange)
{
	struct pg_args args;

	pg_args_init(&args);
	if (fill_list(exchange, &args) == 0)
		api_read(exchange, "schedules_page", &args, api_on_json);
	pg_args_fini(&args);
}

static void
on_get(struct exchange *exchange)
{
	struct pg_args args;

	pg_args_init(&args);
	schedule_arg_named(&args, exchange_param(exchange, "id"),
			   exchange_project(exchange));
	api_read(exchange, "schedules_get", &args, api_on_json);
	pg_args_fini(&args);
}

static int
arg_outcome(struct exchange *exchange, struct pg_args *args)
{
	static const char *const outcomes[] = {
		"started",   "skipped_active_hours", "skipped_overlap", "missed",
		"caught_up", "no_workflow",          "failed"
	};
	const char *text = exchange_query(exchange, "outcome");

	pg_arg_text(args, text);
	for (size_t i = 0; text != NULL && i < sizeof outcomes / sizeof *outcomes; i++)
		if (strcmp(outcomes[i], text) == 0)
			return 0;
	if (text == NULL)
		return 0;
	reply_problem(exchange, 400, NULL, "outcome: expected one such as missed");
	return -1;
}

static int
fill_firings(struct exchange *exchange, struct pg_args *args)
{
	struct api_page page;
	int64_t cursor;

	if (api_page(exchange, &page) < 0 ||
	    api_query_int(exchange, "cursor", INT64_MIN / 2, INT64_MAX / 2, 0,
			  &cursor) < 0)
		return -1;
	schedule_arg_named(args, exchange_param(exchange, "id"),
			   exchange_project(exchange));
	if (arg_outcome(exchange, args) < 0 ||
	    arg_sort(exchange, "-fireTime", "fireTime", args) < 0)
		return -1;
	arg_page(&page, cursor != 0, args);
	if (cursor != 0)
		pg_arg_int8(args, cursor);
	else
		pg_arg_null(args, PG_INT8);
	return 0;
}

static void
on_firings(struct exchange *exchange)
{
	struct pg_args args;

	pg_args_init(&args);
	if (fill_firings(exchange, &args) == 0)
		api_read(exchange, "schedule_firings_page", &args, api_on_json);
	pg_args_fini(&args);
}

/* ---- change ---- */

static void
on_create(struct exchange *exchange)
{
	api_schedule_edit(exchange, schedule_create);
}

static void
on_put(struct exchange *exchange)
{
	api_schedule_edit(exchange, schedule_replace);
}

static void
on_patch(struct exchange *exchange)
{
	api_schedule_edit(exchange, schedule_patch);
}

static void
on_delete(struct exchange *exchange)
{
	struct schedule_call call = api_schedule_call(exchange, NULL);

	schedule_remove(&call, api_schedule_edited, exchange);
}

/* ---- fire ---- */

static void
on_fired(void *context, const struct schedule_fired *fired)
{
	struct exchange *exchange = context;

	if (fired->status == 0)
		reply_err(exchange, fired->err);
	else if (fired->status >= 400)
		reply_problem(exchange, fired->status,
			      fired->problems != NULL ? api_problems(fired->problems)
						      : NULL,
			      "%s", fired->text);
	else
		api_reply_status(exchange, fired->status, &fired->run,
				 fired->waits ? RUN_PENDING : RUN_RUNNING);
}

static void
on_fire(struct exchange *exchange)
{
	struct schedule_call call = api_schedule_call(exchange, NULL);
	const char *parent = exchange_header(exchange, "traceparent");
	char *trace = exchange_keep(exchange, TRACE_ID);
	bool traced = parent != NULL && trace_parse(parent, trace);

	schedule_fire(&call, traced ? trace : NULL, on_fired, exchange);
}

/* clang-format off */
const struct route routes_schedules[] = {
	{ "GET",    "/api/schedules",     ROLE_VIEWER,   0, false, on_list,   NULL },
	{ "POST",   "/api/schedules",     ROLE_OPERATOR, 0, false, on_create, "schedule.create" },
	{ "GET",    "/api/schedules/:id", ROLE_VIEWER,   0, false, on_get,    NULL },
	{ "PUT",    "/api/schedules/:id", ROLE_OPERATOR, 0, false, on_put,    "schedule.update" },
	{ "PATCH",  "/api/schedules/:id", ROLE_OPERATOR, 0, false, on_patch,  "schedule.update" },
	{ "DELETE", "/api/schedules/:id", ROLE_OPERATOR, 0, false, on_delete, "schedule.delete" },
	{ "POST",   "/api/schedules/:id/fire", ROLE_OPERATOR, 0, false, on_fire,
	  "schedule.fire" },
	{ "GET",    "/api/schedules/:id/firings", ROLE_VIEWER, 0, false, on_firings, NULL },
	{ 0 },
};
/* clang-format on */
