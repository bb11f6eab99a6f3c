/* Workflows over HTTP: list, look, register, validate, execute. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "conf/yaml.h"
#include "engine/advance_core.h"
#include "front/api.h"
#include "front/catalog.h"
#include "front/inserts.h"
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

struct registering {
	struct exchange *exchange; /* NULL: the client is gone */
};

static void
registering_gone(void *state)
{
	((struct registering *)state)->exchange = NULL;
}

static void
on_registered(void *context, const struct registered *registered, const struct err *err)
{
	struct registering *registering = context;
	struct exchange *exchange = registering->exchange;
	struct json *body;
	char text[UUID_TEXT];

	if (err->kind == ERR_NONE)
		log_info("workflow.registered", F_STR("workflow", registered->name),
			 F_INT("version", registered->version));
	if (exchange == NULL) {
		free(registering);
		return;
	}
	exchange_set_state(exchange, NULL, NULL);
	free(registering);
	if (err->kind != ERR_NONE) {
		reply_err(exchange, err);
		return;
	}
	body = json_new_object();
	json_set(body, "id", json_new_str(uuid_format(&registered->workflow_id, text)));
	json_set(body, "definitionId",
		 json_new_str(uuid_format(&registered->definition, text)));
	json_set(body, "name", json_new_str(registered->name));
	json_set(body, "version", json_new_int(registered->version));
	json_set(body, "created", json_new_bool(registered->is_new));
	reply_json(exchange, registered->is_new ? 201 : 200, body);
}

static void
refuse(struct exchange *exchange, struct problems *problems)
{
	reply_problem(exchange, 422, api_problems(problems),
		      "the workflow has %zu error%s; nothing was registered",
		      problems->count, problems->count == 1 ? "" : "s");
	problems_fini(problems);
}

/* JSON is YAML too, and what has no type is taken for it. What a page elsewhere may
 * send without asking first (forms, plain text) is refused. */
static int
check_type(struct exchange *exchange)
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
	struct registering *registering;
	struct problems problems = { 0 };
	size_t len;
	const char *source = exchange_body(exchange, &len);

	if (check_type(exchange) < 0)
		return;
	registering = xcalloc(1, sizeof *registering);
	registering->exchange = exchange;
	if (catalog_register(exchange_front(exchange)->catalog,
			     exchange_project(exchange), source, len, "", &problems,
			     on_registered, registering) < 0) {
		free(registering);
		refuse(exchange, &problems);
		return;
	}
	problems_fini(&problems);
	exchange_set_state(exchange, registering, registering_gone);
}

static void
on_validate(struct exchange *exchange)
{
	struct problems problems = { 0 };
	size_t len;
	const char *source = exchange_body(exchange, &len);
	struct workflow *workflow = NULL;
	struct json *body;
	struct doc *doc;

	if (check_type(exchange) < 0)
		return;
	doc = yaml_parse(source, len, &problems);
	if (doc != NULL)
		workflow = workflow_read(doc, &problems);
	doc_free(&doc);
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

#define KEY_MAX 255 /* of an Idempotency-Key */

struct executing {
	struct exchange *exchange;
	struct front *front;
	struct json *input;
	enum priority priority;
	bool has_priority, has_project;
	bool waits;    /* for others of its concurrency key, perhaps */
	bool confined; /* the key knows no other project than this */
	struct uuid id, project;
	struct uuid definition, of_project; /* what was inserted, should it be there */
	bool has_of_project;
	usec_t run_at;
	char *requested_by;
	char *key; /* Idempotency-Key; NULL: none */
};

static void
executing_free(struct executing *executing)
{
	json_unref(&executing->input);
	free(executing->requested_by);
	free(executing->key);
	free(executing);
}

/* The client is gone: what is accepted already is stored all the same. */
static void
executing_gone(void *state)
{
	struct executing *executing = state;

	catalog_forget(executing->front->catalog, executing);
	inserts_forget(executing->front->inserts, executing);
	pg_forget(executing->front->write, executing);
	executing_free(executing);
}

static struct exchange *
executing_end(struct executing *executing)
{
	struct exchange *exchange = executing->exchange;

	exchange_set_state(exchange, NULL, NULL);
	executing_free(executing);
	return exchange;
}

static void
reply_started(struct exchange *exchange, const struct uuid *id, const char *status)
{
	struct json *body = json_new_object();
	char text[UUID_TEXT];

	json_set(body, "executionId", json_new_str(uuid_format(id, text)));
	json_set(body, "status", json_new_str(status));
	reply_json(exchange, 202, body);
}

/* The key was used before: the same call gets the same answer, another is refused. */
static void
on_known(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = executing_end(context);
	struct uuid id;

	if (rows == NULL) {
		reply_err(exchange, err);
	} else if (pg_count(rows) == 0) {
		reply_problem(exchange, 409, NULL,
			      "the run of this Idempotency-Key was deleted");
	} else if (!pg_bool(rows, 0, 2)) {
		reply_problem(exchange, 422, NULL,
			      "this Idempotency-Key was used for another call");
	} else {
		id = pg_uuid(rows, 0, 0);
		reply_started(exchange, &id,
			      pg_int(rows, 0, 1) == RUN_PENDING ? "PENDING"
								: "RUNNING");
	}
}

static void
find_known(struct executing *executing)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, executing->has_of_project ? &executing->of_project : NULL);
	pg_arg_text(&args, executing->key);
	pg_arg_uuid(&args, &executing->definition);
	pg_arg_json(&args, executing->input);
	pg_query(executing->front->write, "runs_find_key", &args, on_known, executing);
	pg_args_fini(&args);
}

static void
on_inserted(void *context, const struct err *err)
{
	struct executing *executing = context;
	bool later =
	    executing->waits || executing->run_at > loop_now(executing->front->loop);
	bool named = executing->has_project;
	struct uuid id = executing->id;
	struct exchange *exchange;

	if (err->kind == ERR_CONFLICT && executing->key != NULL) {
		find_known(executing);
		return;
	}
	exchange = executing_end(executing);
	if (err->kind == ERR_INPUT && named) {
		reply_problem(exchange, 404, NULL, "there is no such project");
		return;
	}
	if (err->kind != ERR_NONE) {
		reply_err(exchange, err);
		return;
	}
	reply_started(exchange, &id, later ? "PENDING" : "RUNNING");
}

static int
check_input(struct executing *executing, const struct workflow *workflow)
{
	struct problems problems = { 0 };

	if (workflow_check_input(workflow, executing->input, &problems)) {
		problems_fini(&problems);
		return 0;
	}
	reply_problem(executing_end(executing), 422, api_problems(&problems),
		      "the input does not fit the workflow's schema");
	problems_fini(&problems);
	return -1;
}

static void
on_workflow(void *context, const struct catalog_entry *entry, const struct err *err)
{
	struct executing *executing = context;
	const struct workflow *workflow;
	struct new_run run = { 0 };
	struct new_step *steps;
	struct err bad = { 0 };
	char *key;

	if (entry == NULL) {
		reply_err(executing_end(executing), err);
		return;
	}
	workflow = entry->workflow;
	if (executing->confined && entry->has_project &&
	    !uuid_equal(&entry->project, &executing->project)) {
		reply_problem(executing_end(executing), 404, NULL,
			      "there is no such workflow");
		return;
	}
	if (!entry->active) {
		reply_problem(executing_end(executing), 409, NULL,
			      "the workflow \"%s\" is not active: its file went away",
			      workflow->name);
		return;
	}
	if (check_input(executing, workflow) < 0)
		return;
	key = workflow_concurrency_key(workflow, executing->input, NULL, &bad);
	if (bad.kind != ERR_NONE) {
		reply_problem(executing_end(executing), 422, NULL, "%s", bad.text);
		return;
	}
	executing->waits = key != NULL;
	executing->id = uuid7_new(loop_now(executing->front->loop));
	executing->definition = entry->definition;
	executing->has_of_project = executing->has_project || entry->has_project;
	executing->of_project =
	    executing->has_project ? executing->project : entry->project;
	run = (struct new_run){
		.id = executing->id,
		.definition = entry->definition,
		.workflow_name = workflow->name,
		.project = executing->has_of_project ? &executing->of_project : NULL,
		.idempotency_key = executing->key,
		.input = executing->input,
		.priority =
		    executing->has_priority ? executing->priority : workflow->priority,
		.triggered_by = "manual",
		.requested_by = executing->requested_by,
		.timeout = workflow->timeout,
		.run_at = executing->run_at,
		.concurrency_key = key,
		.concurrency_limit = (int)workflow->concurrency,
		.crash_on_interrupt = workflow->crash_on_interrupt,
	};
	run.steps = steps = new_steps_of(workflow, &run.steps_count);
	inserts_add(executing->front->inserts, &run, on_inserted, executing);
	free(steps);
	free(key);
}

static int
read_priority(struct executing *executing, const char *text, struct err *err)
{
	static const char *const names[PRIORITIES] = { "high", "normal", "low" };

	if (text == NULL)
		return 0;
	for (int i = 0; i < PRIORITIES; i++)
		if (strcmp(text, names[i]) == 0) {
			executing->priority = (enum priority)i;
			executing->has_priority = true;
			return 0;
		}
	return err_set(err, ERR_INPUT, "priority: expected high, normal or low");
}

static int
read_execute(struct executing *executing, const struct json *body, struct err *err)
{
	const char *priority = NULL, *project = NULL, *run_at = NULL;

	if (executing->key != NULL &&
	    (executing->key[0] == '\0' || strlen(executing->key) > KEY_MAX))
		return err_set(err, ERR_INPUT,
			       "Idempotency-Key: expected 1 to %d characters", KEY_MAX);
	if (body != NULL && json_type(body) != JSON_OBJECT)
		return err_set(err, ERR_INPUT,
			       "expected an object {input, priority, ...}");
	if (json_want_str(body, "priority", &priority, err) < 0 ||
	    json_want_str(body, "projectId", &project, err) < 0 ||
	    json_want_str(body, "runAt", &run_at, err) < 0 ||
	    read_priority(executing, priority, err) < 0)
		return -1;
	if (project != NULL) {
		executing->has_project = true;
		if (!uuid_parse(project, strlen(project), &executing->project))
			return err_set(err, ERR_INPUT, "projectId: expected a UUID");
	}
	if (run_at != NULL &&
	    !rfc3339_parse(run_at, strlen(run_at), &executing->run_at))
		return err_set(err, ERR_INPUT,
			       "runAt: expected a time such as 2026-01-31T09:00:00Z");
	if (json_get(body, "input") != NULL)
		executing->input =
		    json_storable(json_ref(json_get(body, "input")), NULL);
	else
		executing->input = json_new_object(); /* so has(input.x) can be asked */
	return 0;
}

/* A key that is bound to a project starts runs in that project only. */
static int
confine(struct executing *executing, const struct uuid *project, struct err *err)
{
	if (project == NULL)
		return 0;
	if (executing->has_project && !uuid_equal(&executing->project, project))
		return err_set(err, ERR_NOT_FOUND, "there is no such project");
	executing->has_project = executing->confined = true;
	executing->project = *project;
	return 0;
}

static void
on_execute(struct exchange *exchange)
{
	struct front *front = exchange_front(exchange);
	struct executing *executing;
	struct err err = { 0 };
	struct json *body;

	if (exchange_json(exchange, &body) < 0)
		return;
	executing = xcalloc(1, sizeof *executing);
	executing->exchange = exchange;
	executing->front = front;
	executing->requested_by = xstrdup(exchange_who(exchange));
	executing->key = xstrdup(exchange_header(exchange, "Idempotency-Key"));
	if (read_execute(executing, body, &err) < 0) {
		executing_free(executing);
		reply_err(exchange, &err);
		return;
	}
	if (confine(executing, exchange_project(exchange), &err) < 0) {
		executing_free(executing);
		reply_err(exchange, &err);
		return;
	}
	exchange_set_state(exchange, executing, executing_gone);
	catalog_find(front->catalog,
		     executing->has_project ? &executing->project : NULL,
		     exchange_param(exchange, "id"), on_workflow, executing);
}

/* clang-format off */
const struct route routes_workflows[] = {
	{ "GET",  "/api/workflows",              ROLE_VIEWER,   0, false, on_list },
	{ "POST", "/api/workflows",              ROLE_ADMIN,    0, false, on_register },
	{ "POST", "/api/workflows/validate",     ROLE_VIEWER,   0, false, on_validate },
	{ "GET",  "/api/workflows/:id",          ROLE_VIEWER,   0, false, on_get },
	{ "GET",  "/api/workflows/:id/versions", ROLE_VIEWER,   0, false, on_versions },
	{ "POST", "/api/workflows/:id/execute",  ROLE_OPERATOR, 0, false, on_execute },
	{ "POST", "/api/workflows/:id/trigger",  ROLE_OPERATOR, 0, false, on_execute },
	{ 0 },
};
/* clang-format on */
