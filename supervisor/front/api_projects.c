/*
 * Projects: where the files of runs lie. Only keys that are bound to none may change
 * them, for a path says which files a run can reach.
 */
#include <string.h>

#include "front/api.h"
#include "front/api_body.h"

#define NAME_MOST   200
#define PATH_MOST   4000
#define BRANCH_MOST 255
#define RUNS_A_CALL 10000

/* ---- look ---- */

static void
on_list(struct exchange *exchange)
{
	struct api_page page;
	struct pg_args args;

	if (api_page(exchange, &page) < 0)
		return;
	pg_args_init(&args);
	pg_arg_int4(&args, page.limit);
	pg_arg_int4(&args, page.offset);
	pg_arg_int4(&args, page.page);
	api_arg_confined(exchange, &args);
	api_read(exchange, "projects_list", &args, api_on_json);
	pg_args_fini(&args);
}

static void
find(struct exchange *exchange, pg_done_fn *done)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_text(&args, exchange_param(exchange, "id"));
	api_arg_confined(exchange, &args);
	api_read(exchange, "projects_get", &args, done);
	pg_args_fini(&args);
}

static void
on_get(struct exchange *exchange)
{
	find(exchange, api_on_json);
}

/* ---- what is sent ---- */

struct project_words {
	const char *name, *path, *branch; /* NULL: not given */
};

/* False: it was refused, and that was said. */
static bool
is_line(struct exchange *exchange, const char *key, const char *text)
{
	if (text == NULL)
		return true;
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f) {
			reply_problem(exchange, 400, NULL,
				      "%s: control characters are not allowed", key);
			return false;
		}
	return true;
}

static bool
is_absolute(struct exchange *exchange, const char *path)
{
	if (path == NULL || path[0] == '/')
		return true;
	reply_problem(exchange, 400, NULL,
		      "path: expected an absolute path, as the workers' hosts see it");
	return false;
}

/* Borrowed from the body, which is the exchange's. -1: refused, and that was said. */
static int
read_words(struct exchange *exchange, enum api_presence presence,
	   struct project_words *words)
{
	static const char *const keys[] = { "name", "path", "defaultBranch", NULL };
	struct json *body;
	bool good;

	*words = (struct project_words){ 0 };
	if (api_body(exchange, keys, &body) < 0)
		return -1;
	good = api_body_text(exchange, body, "name", 1, NAME_MOST, presence,
			     &words->name) == 0 &&
	       api_body_text(exchange, body, "path", 1, PATH_MOST, presence,
			     &words->path) == 0 &&
	       api_body_text(exchange, body, "defaultBranch", 1, BRANCH_MOST,
			     API_OPTIONAL, &words->branch) == 0 &&
	       is_line(exchange, "name", words->name) &&
	       is_line(exchange, "path", words->path) &&
	       is_line(exchange, "defaultBranch", words->branch) &&
	       is_absolute(exchange, words->path);
	json_unref(&body);
	return good ? 0 : -1;
}

/* ---- changes ---- */

struct changing {
	struct exchange *exchange;
	struct uuid id;
	int status; /* of the answer */
	struct project_words words;
};

static void
on_row(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct changing *changing = context;
	const char *text;
	size_t len;

	if (rows == NULL || pg_count(rows) == 0) {
		api_on_json(changing->exchange, rows, err);
		return;
	}
	text = pg_text(rows, 0, 0, &len);
	reply_json_text(changing->exchange, changing->status, text, len);
}

/* Whatever went wrong in the transaction, once. */
static bool
went_wrong(struct changing *changing, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = changing->exchange;

	if (rows != NULL)
		return false;
	if (err->kind == ERR_CONFLICT)
		reply_problem(exchange, 409, NULL,
			      "there is another project \"%s\" already",
			      changing->words.name);
	else
		reply_err(exchange, err);
	return true;
}

static void
read_back(struct changing *changing)
{
	struct pg_args args;
	char id[UUID_TEXT];

	uuid_format(&changing->id, id);
	exchange_audit(changing->exchange, id, NULL);
	pg_args_init(&args);
	pg_arg_text(&args, id);
	pg_arg_null(&args, PG_UUID);
	pg_query(exchange_pg(changing->exchange), "projects_get", &args, on_row,
		 changing);
	pg_args_fini(&args);
}

static void
on_inserted(void *context, const struct pg_rows *rows, const struct err *err)
{
	if (!went_wrong(context, rows, err))
		read_back(context);
}

static struct changing *
changing_new(struct exchange *exchange, int status, const struct project_words *words)
{
	struct changing *changing = exchange_keep(exchange, sizeof *changing);

	changing->exchange = exchange;
	changing->status = status;
	changing->words = *words;
	return changing;
}

static void
arg_words(struct pg_args *args, const struct changing *changing)
{
	pg_args_init(args);
	pg_arg_uuid(args, &changing->id);
	pg_arg_text(args, changing->words.name);
	pg_arg_text(args, changing->words.path);
	pg_arg_text(args, changing->words.branch);
}

static void
on_add(struct exchange *exchange)
{
	struct project_words words;
	struct changing *changing;
	struct pg_args args;

	if (api_needs_all(exchange) < 0 || read_words(exchange, API_NEEDED, &words) < 0)
		return;
	if (words.branch == NULL)
		words.branch = "main";
	changing = changing_new(exchange, 201, &words);
	changing->id = uuid7_new(loop_now(exchange_front(exchange)->loop));
	arg_words(&args, changing);
	pg_query(exchange_pg(exchange), "projects_insert", &args, on_inserted,
		 changing);
	pg_args_fini(&args);
}

static void
on_updated(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct changing *changing = context;

	if (went_wrong(changing, rows, err))
		return;
	if (pg_count(rows) > 0)
		read_back(changing);
	else
		reply_problem(changing->exchange, 409, NULL,
			      "the project \"default\" keeps its name");
}

static void
update(struct exchange *exchange, const struct pg_rows *rows, const struct err *err,
       enum api_presence presence)
{
	struct project_words words;
	struct changing *changing;
	struct pg_args args;

	if (rows == NULL || pg_count(rows) == 0) {
		api_on_json(exchange, rows, err);
		return;
	}
	if (read_words(exchange, presence, &words) < 0)
		return;
	if (presence == API_NEEDED && words.branch == NULL)
		words.branch = "main";
	changing = changing_new(exchange, 200, &words);
	changing->id = pg_uuid(rows, 0, 1);
	api_unguard(exchange);
	arg_words(&args, changing);
	pg_query(exchange_pg(exchange), "projects_update", &args, on_updated, changing);
	pg_args_fini(&args);
}

static void
on_put_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	update(context, rows, err, API_NEEDED);
}

static void
on_patch_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	update(context, rows, err, API_OPTIONAL);
}

static void
on_put(struct exchange *exchange)
{
	if (api_needs_all(exchange) == 0)
		find(exchange, on_put_found);
}

static void
on_patch(struct exchange *exchange)
{
	if (api_needs_all(exchange) == 0)
		find(exchange, on_patch_found);
}

/* ---- delete: the runs first, so many a call that nobody waits for long ---- */

struct deleting {
	struct exchange *exchange;
	bool alive;
	int64_t runs; /* that went */
};

static void
on_runs_deleted(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct deleting *deleting = context;

	(void)err; /* the next statement tells */
	if (rows == NULL)
		return;
	deleting->alive = pg_bool(rows, 0, 0);
	deleting->runs = pg_int(rows, 0, 1);
}

static void
answer_part(struct deleting *deleting)
{
	struct json *body = json_new_object();

	json_set(body, "deletedExecutions", json_new_int(deleting->runs));
	json_set(body, "done", json_new_bool(false));
	reply_json(deleting->exchange, 202, body);
}

static void
on_deleted(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct deleting *deleting = context;
	struct exchange *exchange = deleting->exchange;

	if (rows == NULL)
		reply_err(exchange, err);
	else if (deleting->alive)
		reply_problem(exchange, 409, NULL,
			      "executions of the project are not over: cancel them "
			      "first");
	else if (pg_count(rows) > 0)
		reply_empty(exchange, 204);
	else if (deleting->runs > 0)
		answer_part(deleting);
	else
		reply_problem(exchange, 404, NULL, "there is no such project");
}

static void
delete_some(struct deleting *deleting, const struct uuid *id)
{
	struct pg_batch *batch = pg_batch_new(exchange_pg(deleting->exchange));
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, id);
	pg_arg_int4(&args, RUNS_A_CALL);
	pg_batch_add(batch, "projects_lock", &args, NULL, NULL);
	pg_batch_add(batch, "projects_delete_runs", &args, on_runs_deleted, deleting);
	pg_args_fini(&args);
	pg_args_init(&args);
	pg_arg_uuid(&args, id);
	pg_batch_add(batch, "projects_delete", &args, on_deleted, deleting);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}

static void
on_delete_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	struct deleting *deleting;
	struct uuid id;
	char text[UUID_TEXT];

	if (rows == NULL || pg_count(rows) == 0) {
		api_on_json(exchange, rows, err);
		return;
	}
	if (strcmp(pg_text(rows, 0, 2, NULL), "default") == 0) {
		reply_problem(exchange, 409, NULL,
			      "the project \"default\" cannot be deleted");
		return;
	}
	id = pg_uuid(rows, 0, 1);
	api_unguard(exchange);
	exchange_audit(exchange, uuid_format(&id, text), NULL);
	deleting = exchange_keep(exchange, sizeof *deleting);
	deleting->exchange = exchange;
	delete_some(deleting, &id);
}

static void
on_delete(struct exchange *exchange)
{
	if (api_needs_all(exchange) == 0)
		find(exchange, on_delete_found);
}

/* clang-format off */
const struct route routes_projects[] = {
	{ "GET",    "/api/projects",     ROLE_VIEWER, 0, false, on_list,   NULL },
	{ "POST",   "/api/projects",     ROLE_ADMIN,  0, false, on_add,    "project.add" },
	{ "GET",    "/api/projects/:id", ROLE_VIEWER, 0, false, on_get,    NULL },
	{ "PUT",    "/api/projects/:id", ROLE_ADMIN,  0, false, on_put,    "project.change" },
	{ "PATCH",  "/api/projects/:id", ROLE_ADMIN,  0, false, on_patch,  "project.change" },
	{ "DELETE", "/api/projects/:id", ROLE_ADMIN,  0, false, on_delete, "project.remove" },
	{ 0 },
};
/* clang-format on */
