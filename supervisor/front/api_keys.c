/*
 * API keys over HTTP. A key is shown in the answer that makes it and never again: what
 * is stored is its hash, and the answer without it. Keys that are bound to a project
 * have no business here.
 */
#include <string.h>

#include "digest/api_key.h"
#include "digest/digest.h"
#include "front/api.h"
#include "front/api_body.h"
#include "front/auth.h"
#include "front/change.h"
#include "zone/zone.h"

#define NAME_MOST  100
#define TOOLS_MOST 100
#define TOOL_MOST  100

static void
on_list(struct exchange *exchange)
{
	struct api_page page;
	struct pg_args args;

	if (api_needs_all(exchange) < 0 || api_page(exchange, &page) < 0)
		return;
	pg_args_init(&args);
	pg_arg_int4(&args, page.limit);
	pg_arg_int4(&args, page.offset);
	pg_arg_int4(&args, page.page);
	api_read(exchange, "api_keys_page", &args, api_on_json);
	pg_args_fini(&args);
}

/* ---- what is sent ---- */

/* Names of tools, with * for any part: "git.*". */
static bool
is_pattern(const struct json *item)
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789._-*";
	const char *text = json_str(item);
	size_t len = json_str_len(item);

	return text != NULL && len > 0 && len <= TOOL_MOST &&
	       strspn(text, allowed) == len;
}

/* False: it was refused, and that was said. */
static bool
good_tools(struct exchange *exchange, const struct json *tools)
{
	bool good = tools == NULL ||
		    (json_type(tools) == JSON_ARRAY && json_count(tools) <= TOOLS_MOST);

	for (size_t i = 0; good && i < json_count(tools); i++)
		good = is_pattern(json_at(tools, i));
	if (!good)
		reply_problem(exchange, 400, NULL,
			      "tools: expected a list of at most %d names such as "
			      "\"git.log\" or \"git.*\"",
			      TOOLS_MOST);
	return good;
}

static bool
good_expiry(struct exchange *exchange, const char *text, usec_t *out)
{
	*out = 0;
	if (text == NULL)
		return true;
	if (rfc3339_parse(text, strlen(text), out) &&
	    *out > loop_now(exchange_front(exchange)->loop))
		return true;
	reply_problem(exchange, 400, NULL,
		      "expiresAt: expected a time to come, such as "
		      "2027-01-31T00:00:00Z");
	return false;
}

static bool
good_name(struct exchange *exchange, const char *name)
{
	const char *c = name;

	while ((unsigned char)*c >= ' ' && *c != 0x7f && *c != '/')
		c++;
	if (*c == '\0')
		return true;
	reply_problem(exchange, 400, NULL,
		      "name: expected one line without \"/\", which separates a key's "
		      "name from its client's");
	return false;
}

static bool
good_role(struct exchange *exchange, const char *text)
{
	enum role role;

	if (auth_role_parse(text, &role))
		return true;
	reply_problem(exchange, 400, NULL, "role: expected viewer, operator or admin");
	return false;
}

struct key_words {
	const char *name, *role;
	struct uuid project;
	bool has_project;
	usec_t expires; /* 0: never */
	const struct json *tools;
};

/* Borrowed from the body. */
static bool
read_words(struct exchange *exchange, const struct json *body, struct key_words *words)
{
	const char *expires = NULL;

	*words = (struct key_words){ .tools = json_get(body, "tools") };
	return api_body_text(exchange, body, "name", 1, NAME_MOST, API_NEEDED,
			     &words->name) == 0 &&
	       api_body_text(exchange, body, "role", 1, 20, API_NEEDED, &words->role) ==
		   0 &&
	       api_body_text(exchange, body, "expiresAt", 1, 40, API_OPTIONAL,
			     &expires) == 0 &&
	       api_body_uuid(exchange, body, "projectId", &words->project,
			     &words->has_project) == 0 &&
	       good_name(exchange, words->name) && good_role(exchange, words->role) &&
	       good_expiry(exchange, expires, &words->expires) &&
	       good_tools(exchange, words->tools);
}

/* ---- make ---- */

struct making {
	struct exchange *exchange;
	char key[API_KEY_TEXT];
};

static void
on_row(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct making *making = context;
	const char *text;
	size_t len;

	if (rows == NULL || pg_count(rows) == 0) {
		explicit_bzero(making->key, sizeof making->key);
		api_on_json(making->exchange, rows, err);
		return;
	}
	text = pg_text(rows, 0, 0, &len);
	exchange_show_once(making->exchange, "key", making->key);
	explicit_bzero(making->key, sizeof making->key);
	reply_json_text(making->exchange, 201, text, len);
}

static void
on_inserted(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct making *making = context;
	struct exchange *exchange = making->exchange;
	struct pg_args args;
	struct uuid id;
	char text[UUID_TEXT];

	if (rows == NULL) {
		explicit_bzero(making->key, sizeof making->key);
		if (err->kind != ERR_CONFLICT)
			reply_err(exchange, err);
		else if (strncmp(err->text, "api_keys_project", 16) == 0)
			reply_problem(exchange, 404, NULL, "there is no such project");
		else
			reply_problem(exchange, 409, NULL,
				      "there is, or was, a key of this name");
		return;
	}
	id = pg_uuid(rows, 0, 0);
	exchange_audit(exchange, uuid_format(&id, text), NULL);
	pg_args_init(&args);
	pg_arg_uuid(&args, &id);
	pg_query(exchange_pg(exchange), "api_keys_get", &args, on_row, making);
	pg_args_fini(&args);
}

static void
insert(struct making *making, const struct key_words *words)
{
	struct exchange *exchange = making->exchange;
	struct uuid id = uuid7_new(loop_now(exchange_front(exchange)->loop));
	unsigned char hash[SHA256_BYTES];
	struct pg_args args;

	api_key_new(making->key);
	sha256(making->key, strlen(making->key), hash);
	pg_args_init(&args);
	pg_arg_uuid(&args, &id);
	pg_arg_text(&args, words->name);
	pg_arg_bytes(&args, hash, sizeof hash);
	pg_arg_text(&args, words->role);
	pg_arg_uuid(&args, words->has_project ? &words->project : NULL);
	pg_arg_time(&args, words->expires);
	pg_arg_json(&args, words->tools);
	pg_query(exchange_pg(exchange), "api_keys_insert", &args, on_inserted, making);
	pg_args_fini(&args);
}

/* Who may use some tools only makes no key that may use others. */
static bool
may_make(struct exchange *exchange)
{
	if (api_needs_all(exchange) < 0)
		return false;
	if (exchange_tools(exchange) == NULL)
		return true;
	reply_problem(exchange, 403, NULL,
		      "the key is bound to some tools: it makes no other keys");
	return false;
}

static void
on_make(struct exchange *exchange)
{
	static const char *const keys[] = { "name",  "role",      "projectId",
					    "tools", "expiresAt", NULL };
	struct key_words words;
	struct making *making;
	struct json *body;

	if (!may_make(exchange) || api_body(exchange, keys, &body) < 0)
		return;
	if (read_words(exchange, body, &words)) {
		making = exchange_keep(exchange, sizeof *making);
		making->exchange = exchange;
		insert(making, &words);
	}
	json_unref(&body);
}

/* ---- revoke ---- */

/* Other supervisors believe it for five seconds more. */
static void
forget_keys(struct front *front, void *context)
{
	(void)context;
	auth_forget(front->auth);
}

static void
on_revoked(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;

	if (rows == NULL || pg_count(rows) == 0) {
		api_on_json(exchange, rows, err);
		return;
	}
	change_after(exchange_change(exchange), forget_keys, NULL, NULL);
	reply_empty(exchange, 204);
}

static void
on_revoke(struct exchange *exchange)
{
	const char *text = exchange_param(exchange, "id");
	struct pg_args args;
	struct uuid id;

	if (api_needs_all(exchange) < 0)
		return;
	if (!uuid_parse(text, strlen(text), &id)) {
		reply_problem(exchange, 404, NULL, "there is no key \"%.100s\"", text);
		return;
	}
	exchange_audit(exchange, text, NULL);
	pg_args_init(&args);
	pg_arg_uuid(&args, &id);
	pg_query(exchange_pg(exchange), "api_keys_end", &args, on_revoked, exchange);
	pg_args_fini(&args);
}

/* clang-format off */
const struct route routes_keys[] = {
	{ "GET",    "/api/api-keys",     ROLE_ADMIN, 0, false, on_list,   NULL },
	{ "POST",   "/api/api-keys",     ROLE_ADMIN, 0, false, on_make,   "key.create" },
	{ "DELETE", "/api/api-keys/:id", ROLE_ADMIN, 0, false, on_revoke, "key.revoke" },
	{ 0 },
};
/* clang-format on */
