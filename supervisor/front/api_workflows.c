/* Workflows over HTTP: list, look, register, validate, execute. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "conf/yaml.h"
#include "front/api.h"
#include "front/api_workflows.h"
#include "front/catalog.h"
#include "front/change.h"
#include "front/start.h"
#include "front/trace_core.h"
#include "front/trigger.h"
#include "zone/zone.h"

/* ---- looking ---- */

static void
on_list(struct exchange *exchange)
{
	const char *active = exchange_query(exchange, "isActive");
	struct api_page page;
	struct pg_args args;

	if (api_page(exchange, &page) < 0)
		return;
	if (active != NULL && strcmp(active, "true") != 0 &&
	    strcmp(active, "false") != 0) {
		reply_problem(exchange, 400, NULL, "isActive: expected true or false");
		return;
	}
	pg_args_init(&args);
	if (active == NULL)
		pg_arg_null(&args, PG_BOOL);
	else
		pg_arg_bool(&args, strcmp(active, "true") == 0);
	pg_arg_int4(&args, page.limit);
	pg_arg_int4(&args, page.offset);
	pg_arg_int4(&args, page.page);
	api_arg_confined(exchange, &args);
	api_read(exchange, "workflows_list", &args, api_on_json);
	pg_args_fini(&args);
}

/* What may be seen of the file: not the secrets of its webhooks, see trigger.h. */
static struct json *
source_shown(const struct workflow *workflow, const char *source, size_t len)
{
	struct mask *mask = mask_new();
	struct buf shown = { 0 };
	struct json *json;

	trigger_hide_secrets(workflow, mask);
	mask_text(mask, source, len, &shown);
	json = json_new_str_len(buf_text(&shown), shown.len);
	buf_fini(&shown);
	mask_free(&mask);
	return json;
}

/* The stored row, and the graph as the engine reads it. */
static void
on_row(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	struct problems problems = { 0 };
	struct json *row;
	struct doc *doc;
	struct workflow *workflow = NULL;
	const char *source;
	size_t len;

	if (rows == NULL || pg_count(rows) == 0) {
		api_on_json(context, rows, err);
		return;
	}
	row = pg_json(rows, 0, 0);
	source = pg_text(rows, 0, 1, &len);
	doc = yaml_parse(source, len, &problems);
	if (doc != NULL)
		workflow = workflow_read(doc, &problems);
	json_set(row, "graph", workflow ? workflow_graph(workflow) : NULL);
	if (workflow != NULL)
		json_set(row, "source", source_shown(workflow, source, len));
	reply_json(exchange, 200, row);
	workflow_free(&workflow);
	doc_free(&doc);
	problems_fini(&problems);
}

static void
read_by_name(struct exchange *exchange, const char *statement, pg_done_fn *done)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_text(&args, exchange_param(exchange, "id"));
	api_arg_confined(exchange, &args);
	api_read(exchange, statement, &args, done);
	pg_args_fini(&args);
}

static void
on_get(struct exchange *exchange)
{
	read_by_name(exchange, "workflows_get", on_row);
}

static void
on_versions(struct exchange *exchange)
{
	read_by_name(exchange, "workflows_versions", api_on_json);
}

/* ---- registering ---- */

/* What found it before the commit read the former version. */
static void
look_again(struct front *front, void *context)
{
	catalog_outdate(front->catalog, context);
}

void
api_reply_registered(struct exchange *exchange, int status,
		     const struct registered *registered)
{
	struct json *body = json_new_object();
	char text[UUID_TEXT];

	json_set(body, "id", json_new_str(uuid_format(&registered->workflow_id, text)));
	json_set(body, "definitionId",
		 json_new_str(uuid_format(&registered->definition, text)));
	json_set(body, "name", json_new_str(registered->name));
	json_set(body, "version", json_new_int(registered->version));
	json_set(body, "created", json_new_bool(registered->is_new));
	reply_json(exchange, status, body);
}

static void
on_registered(void *context, const struct registered *registered, const struct err *err)
{
	struct exchange *exchange = context;

	if (err->kind != ERR_NONE) {
		reply_err(exchange, err);
		return;
	}
	log_info("workflow.registered", F_STR("workflow", registered->name),
		 F_INT("version", registered->version));
	change_after(exchange_change(exchange), look_again, xstrdup(registered->name),
		     free);
	exchange_audit(exchange, registered->name, NULL);
	api_reply_registered(exchange, registered->is_new ? 201 : 200, registered);
}

void
api_refuse_workflow(struct exchange *exchange, struct problems *problems)
{
	reply_problem(exchange, 422, api_problems(problems),
		      "the workflow has %zu error%s; nothing was registered",
		      problems->count, problems->count == 1 ? "" : "s");
	problems_fini(problems);
}

/* JSON is YAML too, and what has no type is taken for it. What a page elsewhere may
 * send without asking first (forms, plain text) is refused. */
int
api_check_workflow_type(struct exchange *exchange)
{
	static const char *const types[] = { "application/yaml",   "text/yaml",
					     "application/x-yaml", "text/x-yaml",
					     "text/vnd.yaml",      "application/json" };
	const char *type = exchange_header(exchange, "Content-Type");
	size_t len = type != NULL ? strcspn(type, "; \t") : 0;

	if (type == NULL)
		return 0;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (strlen(types[i]) == len && strncasecmp(type, types[i], len) == 0)
			return 0;
	reply_problem(exchange, 415, NULL,
		      "a workflow must be application/yaml or application/json, "
		      "not %.100s",
		      type);
	return -1;
}

static void
on_register(struct exchange *exchange)
{
	struct problems problems = { 0 };
	size_t len;
	const char *source = exchange_body(exchange, &len);

	if (api_check_workflow_type(exchange) < 0)
		return;
	if (catalog_register(exchange_front(exchange)->catalog, exchange_pg(exchange),
			     exchange_project(exchange), source, len, "", &problems,
			     on_registered, exchange) < 0)
		api_refuse_workflow(exchange, &problems);
	else
		problems_fini(&problems);
}

static void
on_validate(struct exchange *exchange)
{
	struct problems problems = { 0 };
	size_t len;
	const char *source = exchange_body(exchange, &len);
	struct workflow *workflow;
	struct json *body;

	if (api_check_workflow_type(exchange) < 0)
		return;
	workflow =
	    catalog_read(exchange_front(exchange)->catalog, source, len, &problems);
	if (workflow == NULL) {
		reply_problem(exchange, 422, api_problems(&problems),
			      "the workflow has %zu error%s", problems.count,
			      problems.count == 1 ? "" : "s");
	} else {
		body = json_new_object();
		json_set(body, "valid", json_new_bool(true));
		json_set(body, "name", json_new_str(workflow->name));
		json_set(body, "config", json_ref(workflow->config));
		json_set(body, "graph", workflow_graph(workflow));
		reply_json(exchange, 200, body);
	}
	workflow_free(&workflow);
	problems_fini(&problems);
}

/* ---- executing ---- */

static void
gone(void *state)
{
	struct trigger *trigger = state;

	trigger_forget(&trigger);
}

static void
reply_started(struct exchange *exchange, const struct triggered *triggered)
{
	if (triggered->read_after != NULL)
		reply_header(exchange, "Stepmill-Read-After", triggered->read_after);
	api_reply_status(exchange, 202, &triggered->run, triggered->run_status);
}

static void
on_triggered(void *context, const struct triggered *triggered)
{
	struct exchange *exchange = context;

	exchange_set_state(exchange, NULL, NULL);
	if (triggered->status == 202)
		reply_started(exchange, triggered);
	else if (triggered->status == 0)
		reply_err(exchange, triggered->err);
	else
		reply_problem(exchange, triggered->status,
			      triggered->problems != NULL
				  ? api_problems(triggered->problems)
				  : NULL,
			      "%s", triggered->text);
}

void
api_start_run(struct exchange *exchange, const struct trigger_call *call)
{
	exchange_set_state(
	    exchange,
	    trigger_begin(exchange_front(exchange), call, on_triggered, exchange),
	    gone);
}

static int
read_execute(struct trigger_call *call, const struct json *body, struct uuid *project,
	     struct err *err)
{
	const char *run_at = NULL;

	if (call->key != NULL &&
	    (call->key[0] == '\0' || strlen(call->key) > CHANGE_KEY_MAX))
		return err_set(err, ERR_INPUT,
			       "Idempotency-Key: expected 1 to %d characters",
			       CHANGE_KEY_MAX);
	if (body != NULL && json_type(body) != JSON_OBJECT)
		return err_set(err, ERR_INPUT,
			       "expected an object {input, priority, ...}");
	if (json_want_str(body, "runAt", &run_at, err) < 0 ||
	    start_read_priority(body, &call->has_priority, &call->priority, err) < 0 ||
	    start_read_project(body, call->confined, project, &call->project, err) < 0)
		return -1;
	if (run_at != NULL && !rfc3339_parse(run_at, strlen(run_at), &call->run_at))
		return err_set(err, ERR_INPUT,
			       "runAt: expected a time such as 2026-01-31T09:00:00Z");
	call->input = json_get(body, "input");
	return 0;
}

/* The audit log hears of it with the run (trigger.h), not as a change. */
static void
on_execute(struct exchange *exchange)
{
	struct trigger_call call = {
		.workflow = exchange_param(exchange, "id"),
		.confined = exchange_project(exchange),
		.requested_by = exchange_who(exchange),
		.tools = exchange_tools(exchange),
		.address = exchange_address(exchange),
		.key = exchange_header(exchange, "Idempotency-Key"),
		.read_after = exchange_read_after(exchange),
	};
	const char *parent = exchange_header(exchange, "traceparent");
	char trace[TRACE_ID];
	struct uuid project;
	struct err err = { 0 };
	struct json *body;

	if (exchange_json(exchange, &body) < 0)
		return;
	if (parent != NULL && trace_parse(parent, trace))
		call.trace_id = trace;
	if (read_execute(&call, body, &project, &err) < 0) {
		reply_err(exchange, &err);
		return;
	}
	api_start_run(exchange, &call);
}

/* clang-format off */
const struct route routes_workflows[] = {
	{ "GET",  "/api/workflows",              ROLE_VIEWER,   0, false, on_list, NULL },
	{ "POST", "/api/workflows",              ROLE_ADMIN,    0, false, on_register, "workflow.register" },
	{ "POST", "/api/workflows/validate",     ROLE_VIEWER,   0, false, on_validate, NULL },
	{ "GET",  "/api/workflows/:id",          ROLE_VIEWER,   0, false, on_get, NULL },
	{ "GET",  "/api/workflows/:id/versions", ROLE_VIEWER,   0, false, on_versions, NULL },
	{ "POST", "/api/workflows/:id/execute",  ROLE_OPERATOR, 0, false, on_execute, NULL },
	{ "POST", "/api/workflows/:id/trigger",  ROLE_OPERATOR, 0, false, on_execute, NULL },
	{ 0 },
};
/* clang-format on */
