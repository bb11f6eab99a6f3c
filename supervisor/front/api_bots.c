/*
 * Bots over HTTP: looked at by who may look, made and changed by admins. A key bound to
 * a project sees its project's and those of all, and changes only the former. What is
 * said to them is api_messages.c's.
 */
#include <string.h>

#include "front/api.h"
#include "front/bot_fields_core.h"

/* ---- look ---- */

static int
arg_project(struct exchange *exchange, struct pg_args *args)
{
	const char *text = exchange_query(exchange, "projectId");
	struct uuid id;

	if (text != NULL && !uuid_parse(text, strlen(text), &id)) {
		reply_problem(exchange, 400, NULL, "projectId: expected a UUID");
		return -1;
	}
	pg_arg_uuid(args, text != NULL ? &id : NULL);
	return 0;
}

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
	if (arg_project(exchange, &args) == 0) {
		api_arg_confined(exchange, &args);
		api_read(exchange, "bots_page", &args, api_on_json);
	}
	pg_args_fini(&args);
}

static void
arg_named(struct exchange *exchange, const char *name, struct pg_args *args)
{
	pg_args_init(args);
	pg_arg_text(args, name);
	api_arg_confined(exchange, args);
}

static void
on_get(struct exchange *exchange)
{
	struct pg_args args;

	arg_named(exchange, exchange_param(exchange, "id"), &args);
	api_read(exchange, "bots_get", &args, api_on_json);
	pg_args_fini(&args);
}

/* ---- change ---- */

struct changing {
	struct exchange *exchange;
	struct uuid id;
	int status; /* of the answer */
	bool whole; /* PUT: what is left out gets its preset */
};

static struct changing *
changing_new(struct exchange *exchange, int status)
{
	struct changing *changing = exchange_keep(exchange, sizeof *changing);

	changing->exchange = exchange;
	changing->status = status;
	return changing;
}

/* The object that was sent, borrowed; NULL: it is none, and that was said. */
static const struct json *
body_of(struct exchange *exchange)
{
	struct json *body;

	if (exchange_json(exchange, &body) < 0)
		return NULL;
	if (json_type(body) == JSON_OBJECT)
		return body;
	reply_problem(exchange, 400, NULL, "the body: expected an object");
	return NULL;
}

/* False: it was refused, and that was said. bot_fields_fini in any case. */
static bool
read_fields(struct exchange *exchange, const struct field *table,
	    const struct json *object, struct bot_fields *fields)
{
	struct problems problems = { 0 };
	bool good = bot_fields_read(table, object, fields, &problems);

	if (!good)
		reply_problem(exchange, 422, api_problems(&problems),
			      "the bot is not right");
	problems_fini(&problems);
	return good;
}

static void
on_read_back(void *context, const struct pg_rows *rows, const struct err *err)
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

static void
on_stored(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct changing *changing = context;
	struct exchange *exchange = changing->exchange;
	struct pg_args args;
	char id[UUID_TEXT];

	if (rows == NULL && err->kind == ERR_CONFLICT &&
	    strncmp(err->text, "bots_slug_key", strlen("bots_slug_key")) == 0) {
		reply_problem(exchange, 409, NULL,
			      "there is another bot of this slug already");
		return;
	}
	if (rows == NULL && err->kind == ERR_CONFLICT) {
		reply_problem(exchange, 404, NULL, "there is no such project");
		return;
	}
	if (rows == NULL) {
		reply_err(exchange, err);
		return;
	}
	exchange_audit(exchange, uuid_format(&changing->id, id), NULL);
	arg_named(exchange, id, &args);
	pg_query(exchange_pg(exchange), "bots_get", &args, on_read_back, changing);
	pg_args_fini(&args);
}

static void
arg_fields(struct pg_args *args, const struct uuid *id, const char *name,
	   const struct bot_fields *fields)
{
	pg_args_init(args);
	pg_arg_uuid(args, id);
	pg_arg_text(args, name);
	pg_arg_text(args, fields->system);
	pg_arg_text(args, fields->model);
	pg_arg_json(args, fields->tools);
	pg_arg_text(args, fields->handler);
}

static void
insert(struct exchange *exchange, const struct bot_fields *fields)
{
	struct changing *changing = changing_new(exchange, 201);
	const struct uuid *confined = exchange_project(exchange);
	struct pg_args args;

	changing->id = uuid7_new(loop_now(exchange_front(exchange)->loop));
	arg_fields(&args, &changing->id,
		   fields->name != NULL ? fields->name : fields->slug, fields);
	pg_arg_text(&args, fields->slug);
	pg_arg_uuid(&args, confined != NULL      ? confined
			   : fields->has_project ? &fields->project
						 : NULL);
	pg_arg_text(&args, exchange_who(exchange));
	pg_query(exchange_pg(exchange), "bots_insert", &args, on_stored, changing);
	pg_args_fini(&args);
}

static void
on_add(struct exchange *exchange)
{
	const struct json *body = body_of(exchange);
	const struct uuid *confined = exchange_project(exchange);
	struct bot_fields fields;

	if (body == NULL)
		return;
	if (!read_fields(exchange, bot_fields, body, &fields)) {
		bot_fields_fini(&fields);
		return;
	}
	if (confined != NULL && fields.has_project &&
	    !uuid_equal(confined, &fields.project))
		reply_problem(exchange, 404, NULL, "there is no such project");
	else
		insert(exchange, &fields);
	bot_fields_fini(&fields);
}

/* ---- one that is there ---- */

/* False: there is none, or this key may not change it, and that was said. */
static bool
found(struct changing *changing, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = changing->exchange;
	char id[UUID_TEXT];

	if (rows == NULL) {
		reply_err(exchange, err);
		return false;
	}
	if (pg_count(rows) == 0) {
		reply_problem(exchange, 404, NULL, "there is no such bot");
		return false;
	}
	if (!pg_bool(rows, 0, 2)) {
		reply_problem(exchange, 403, NULL,
			      "the bot is there for all projects, and the key is bound "
			      "to one");
		return false;
	}
	changing->id = pg_uuid(rows, 0, 1);
	exchange_audit(exchange, uuid_format(&changing->id, id), NULL);
	return true;
}

static void
lock(struct exchange *exchange, struct changing *changing, pg_done_fn *done)
{
	struct pg_args args;

	arg_named(exchange, exchange_param(exchange, "id"), &args);
	pg_query(exchange_pg(exchange), "bots_lock", &args, done, changing);
	pg_args_fini(&args);
}

/* A name that is cleared is that which it has. */
static void
update(struct changing *changing, const struct json *stored, const struct json *wanted)
{
	struct exchange *exchange = changing->exchange;
	struct bot_fields fields;
	struct pg_args args;

	if (read_fields(exchange, bot_put_fields, wanted, &fields)) {
		arg_fields(&args, &changing->id,
			   fields.name != NULL ? fields.name
					       : json_str(json_get(stored, "name")),
			   &fields);
		pg_query(exchange_pg(exchange), "bots_update", &args, on_stored,
			 changing);
		pg_args_fini(&args);
	}
	bot_fields_fini(&fields);
}

static void
on_locked(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct changing *changing = context;
	const struct json *body;
	struct json *stored = NULL, *wanted;
	struct err why = { 0 };
	const char *text;
	size_t len;

	if (!found(changing, rows, err) || (body = body_of(changing->exchange)) == NULL)
		return;
	text = pg_text(rows, 0, 0, &len);
	if (json_parse(text, len, &stored, &why) < 0) {
		reply_err(changing->exchange, &why);
		return;
	}
	wanted = bot_fields_merge(changing->whole ? NULL : stored, body);
	update(changing, stored, wanted);
	json_unref(&wanted);
	json_unref(&stored);
}

static void
change(struct exchange *exchange, bool whole)
{
	struct changing *changing;

	if (body_of(exchange) == NULL)
		return;
	changing = changing_new(exchange, 200);
	changing->whole = whole;
	lock(exchange, changing, on_locked);
}

static void
on_put(struct exchange *exchange)
{
	change(exchange, true);
}

static void
on_patch(struct exchange *exchange)
{
	change(exchange, false);
}

static void
on_deleted(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct changing *changing = context;

	if (rows == NULL)
		reply_err(changing->exchange, err);
	else
		reply_empty(changing->exchange, 204);
}

static void
on_delete_locked(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct changing *changing = context;
	struct pg_args args;

	if (!found(changing, rows, err))
		return;
	pg_args_init(&args);
	pg_arg_uuid(&args, &changing->id);
	pg_query(exchange_pg(changing->exchange), "bots_delete", &args, on_deleted,
		 changing);
	pg_args_fini(&args);
}

static void
on_delete(struct exchange *exchange)
{
	lock(exchange, changing_new(exchange, 204), on_delete_locked);
}

/* clang-format off */
const struct route routes_bots[] = {
	{ "GET",    "/api/bots",     ROLE_VIEWER, 0, false, on_list,   NULL },
	{ "POST",   "/api/bots",     ROLE_ADMIN,  0, false, on_add,    "bot.add" },
	{ "GET",    "/api/bots/:id", ROLE_VIEWER, 0, false, on_get,    NULL },
	{ "PUT",    "/api/bots/:id", ROLE_ADMIN,  0, false, on_put,    "bot.change" },
	{ "PATCH",  "/api/bots/:id", ROLE_ADMIN,  0, false, on_patch,  "bot.change" },
	{ "DELETE", "/api/bots/:id", ROLE_ADMIN,  0, false, on_delete, "bot.remove" },
	{ 0 },
};
/* clang-format on */
