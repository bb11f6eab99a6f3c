/*
 * Heartbeats over HTTP: looked at, configured, changed, removed, fired by hand, and
 * what they found. What changes is heartbeat_edit.h's, schedule_edit.h's and
 * schedule_fire.h's.
 */
#include <string.h>

#include "front/api.h"
#include "front/api_schedule_calls.h"
#include "front/heartbeat_edit.h"
#include "front/schedule_fire.h"
#include "front/trace_core.h"
#include "store/schedule_rows.h"

/* ---- look ---- */

static int
fill_list(struct exchange *exchange, struct pg_args *args)
{
	struct api_page page;

	if (api_page(exchange, &page) < 0 ||
	    api_arg_flag(exchange, "enabled", args) < 0)
		return -1;
	pg_arg_int4(args, page.limit);
	pg_arg_int4(args, page.offset);
	pg_arg_int4(args, page.page);
	if (api_arg_uuid(exchange, "projectId", args) < 0)
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
		api_read(exchange, "heartbeats_page", &args, api_on_json);
	pg_args_fini(&args);
}

static void
on_get(struct exchange *exchange)
{
	struct pg_args args;

	pg_args_init(&args);
	schedule_arg_named(&args, exchange_param(exchange, "id"),
			   exchange_project(exchange));
	api_read(exchange, "heartbeats_get", &args, api_on_json);
	pg_args_fini(&args);
}

static int
fill_results(struct exchange *exchange, struct pg_args *args)
{
	struct api_page page;
	usec_t since;

	if (api_page(exchange, &page) < 0)
		return -1;
	schedule_arg_named(args, exchange_param(exchange, "id"),
			   exchange_project(exchange));
	if (api_arg_flag(exchange, "actionNeeded", args) < 0 ||
	    api_query_time(exchange, "since", &since) < 0)
		return -1;
	pg_arg_time(args, since);
	pg_arg_int4(args, page.limit);
	pg_arg_int4(args, exchange_query(exchange, "cursor") ? 0 : page.offset);
	pg_arg_int4(args, page.page);
	return api_arg_uuid(exchange, "cursor", args);
}

static void
on_results(struct exchange *exchange)
{
	struct pg_args args;

	pg_args_init(&args);
	if (fill_results(exchange, &args) == 0)
		api_read(exchange, "heartbeat_results_page", &args, api_on_json);
	pg_args_fini(&args);
}

/* ---- change ---- */

static void
on_configure(struct exchange *exchange)
{
	api_schedule_edit(exchange, heartbeat_configure);
}

static void
on_put(struct exchange *exchange)
{
	api_schedule_edit(exchange, heartbeat_replace);
}

static void
on_patch(struct exchange *exchange)
{
	api_schedule_edit(exchange, heartbeat_patch);
}

/* A schedule of another kind is none of these. False: that was said. */
static bool
is_heartbeat(struct exchange *exchange)
{
	if (strncmp(exchange_param(exchange, "id"), SCHEDULE_SLUG,
		    strlen(SCHEDULE_SLUG)) == 0)
		return true;
	reply_problem(exchange, 404, NULL,
		      "there is no such heartbeat; its id begins with " SCHEDULE_SLUG);
	return false;
}

static void
on_delete(struct exchange *exchange)
{
	struct schedule_call call = api_schedule_call(exchange, NULL);

	if (is_heartbeat(exchange))
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

	if (is_heartbeat(exchange))
		schedule_fire(&call, traced ? trace : NULL, on_fired, exchange);
}

/* clang-format off */
const struct route routes_heartbeats[] = {
	{ "GET",    "/api/heartbeats",     ROLE_VIEWER,   0, false, on_list,      NULL },
	{ "POST",   "/api/heartbeats",     ROLE_OPERATOR, 0, false, on_configure, "heartbeat.configure" },
	{ "GET",    "/api/heartbeats/:id", ROLE_VIEWER,   0, false, on_get,       NULL },
	{ "PUT",    "/api/heartbeats/:id", ROLE_OPERATOR, 0, false, on_put,       "heartbeat.configure" },
	{ "PATCH",  "/api/heartbeats/:id", ROLE_OPERATOR, 0, false, on_patch,     "heartbeat.configure" },
	{ "DELETE", "/api/heartbeats/:id", ROLE_OPERATOR, 0, false, on_delete,    "heartbeat.remove" },
	{ "POST",   "/api/heartbeats/:id/fire",    ROLE_OPERATOR, 0, false, on_fire,    "heartbeat.fire" },
	{ "GET",    "/api/heartbeats/:id/results", ROLE_VIEWER,   0, false, on_results, NULL },
	{ 0 },
};
/* clang-format on */
