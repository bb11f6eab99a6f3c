/* Workflows that are there already: a new version by PUT, and how they go. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "front/api.h"
#include "front/api_workflows.h"
#include "front/catalog.h"
#include "front/change.h"
#include "front/own_workflows.h"

/* Of workflows_find.sql. */
struct found {
	struct exchange *exchange;
	struct uuid workflow, project;
	bool has_project; /* else it is everybody's */
	char name[WORKFLOW_NAME_MAX + 1];
};

/* NULL: there is none for this key, or it may not be changed with it; that was said. */
static struct found *
keep(struct exchange *exchange, const struct pg_rows *rows, const struct err *err)
{
	const struct uuid *confined = exchange_project(exchange);
	struct found *found;

	if (rows == NULL || pg_count(rows) == 0) {
		api_on_json(exchange, rows, err);
		return NULL;
	}
	if (confined != NULL && pg_is_null(rows, 0, 5)) {
		reply_problem(
		    exchange, 403, NULL,
		    "the workflow is every project's, the key is bound to one");
		return NULL;
	}
	found = exchange_keep(exchange, sizeof *found);
	found->exchange = exchange;
	found->workflow = pg_uuid(rows, 0, 1);
	found->has_project = !pg_is_null(rows, 0, 5);
	if (found->has_project)
		found->project = pg_uuid(rows, 0, 5);
	strncpy(found->name, pg_text(rows, 0, 2, NULL), WORKFLOW_NAME_MAX);
	if (confined == NULL || uuid_equal(confined, &found->project))
		return found;
	reply_problem(exchange, 404, NULL, "there is no such workflow");
	return NULL;
}

static void
find(struct exchange *exchange, pg_done_fn *done)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_text(&args, exchange_param(exchange, "id"));
	api_arg_confined(exchange, &args);
	api_read(exchange, "workflows_find", &args, done);
	pg_args_fini(&args);
}

/* What finds it before the commit still reads the former state. */
static void
look_again(struct front *front, void *context)
{
	catalog_outdate(front->catalog, context);
}

static void
outdate(struct found *found)
{
	exchange_audit(found->exchange, found->name, NULL);
	change_after(exchange_change(found->exchange), look_again, xstrdup(found->name),
		     free);
}

/* ---- a new version ---- */

static void
on_registered(void *context, const struct registered *registered, const struct err *err)
{
	struct found *found = context;

	if (err->kind != ERR_NONE) {
		reply_err(found->exchange, err);
		return;
	}
	if (!uuid_equal(&registered->workflow_id, &found->workflow)) {
		reply_problem(found->exchange, 409, NULL,
			      "the body names the workflow \"%s\", the path \"%s\"",
			      registered->name, found->name);
		return;
	}
	log_info("workflow.registered", F_STR("workflow", registered->name),
		 F_INT("version", registered->version));
	outdate(found);
	api_reply_registered(found->exchange, 200, registered);
}

static void
on_put_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	struct found *found = keep(exchange, rows, err);
	struct problems problems = { 0 };
	const char *source;
	size_t len;

	if (found == NULL)
		return;
	source = exchange_body(exchange, &len);
	api_unguard(exchange);
	if (catalog_register(exchange_front(exchange)->catalog, exchange_pg(exchange),
			     found->has_project ? &found->project : NULL, source, len,
			     "", &problems, on_registered, found) < 0)
		api_refuse_workflow(exchange, &problems);
	else
		problems_fini(&problems);
}

static void
on_put(struct exchange *exchange)
{
	if (api_check_workflow_type(exchange) == 0)
		find(exchange, on_put_found);
}

/* ---- how it goes ---- */

static void
on_deactivated(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct found *found = context;
	struct json *body;
	char id[UUID_TEXT];

	if (rows == NULL) {
		reply_err(found->exchange, err);
		return;
	}
	outdate(found);
	body = json_new_object();
	json_set(body, "id", json_new_str(uuid_format(&found->workflow, id)));
	json_set(body, "name", json_new_str(found->name));
	json_set(body, "isActive", json_new_bool(false));
	reply_json(found->exchange, 200, body);
}

static void
on_deleted(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct found *found = context;

	if (err->kind == ERR_CONFLICT) {
		reply_problem(
		    found->exchange, 409, NULL,
		    "there are executions of the workflow (also tests of its "
		    "steps, ?triggeredBy=test): delete them first, or hide it "
		    "with ?deactivate=true");
	} else if (rows == NULL) {
		reply_err(found->exchange, err);
	} else if (pg_count(rows) == 0) {
		reply_problem(found->exchange, 404, NULL, "there is no such workflow");
	} else {
		outdate(found);
		reply_empty(found->exchange, 204);
	}
}

static void
on_delete_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	struct found *found;
	struct pg_args args;
	bool hide;

	if (api_query_flag(exchange, "deactivate", &hide) < 0)
		return;
	found = keep(exchange, rows, err);
	if (found == NULL)
		return;
	if (own_workflow_is(found->name)) {
		reply_problem(exchange, 409, NULL,
			      "the workflow is one of the engine's own");
		return;
	}
	api_unguard(exchange);
	pg_args_init(&args);
	pg_arg_uuid(&args, &found->workflow);
	pg_query(exchange_pg(exchange),
		 hide ? "definitions_deactivate" : "workflows_delete", &args,
		 hide ? on_deactivated : on_deleted, found);
	pg_args_fini(&args);
}

static void
on_delete(struct exchange *exchange)
{
	find(exchange, on_delete_found);
}

/* clang-format off */
const struct route routes_workflow_changes[] = {
	{ "PUT",    "/api/workflows/:id", ROLE_ADMIN, 0, false, on_put,    "workflow.register" },
	{ "DELETE", "/api/workflows/:id", ROLE_ADMIN, 0, false, on_delete, "workflow.remove" },
	{ 0 },
};
/* clang-format on */
