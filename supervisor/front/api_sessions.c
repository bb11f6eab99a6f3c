/* Conversations with models, agents and bots over HTTP, and what was said in them:
 * looked at only. */
#include <string.h>

#include "front/api.h"

#define MESSAGES_SHOWN 200

static const char *const types[] = { "cli", "model", "chat", "bot-to-bot" };

/* -1: a 400 was answered. */
static int
arg_type(struct exchange *exchange, struct pg_args *args)
{
	const char *type = exchange_query(exchange, "type");

	for (size_t i = 0; type != NULL; i++) {
		if (i == sizeof types / sizeof types[0]) {
			reply_problem(exchange, 400, NULL,
				      "type: expected cli, model, chat or bot-to-bot");
			return -1;
		}
		if (strcmp(types[i], type) == 0)
			break;
	}
	pg_arg_text(args, type);
	return 0;
}

static int
fill(struct exchange *exchange, struct pg_args *args)
{
	const char *run = exchange_query(exchange, "executionId");
	struct api_page page;

	if (api_page(exchange, &page) < 0)
		return -1;
	api_arg_run_named(args, run != NULL ? run : "", exchange_project(exchange));
	pg_arg_bool(args, run != NULL);
	if (arg_type(exchange, args) < 0 || api_arg_uuid(exchange, "bot", args) < 0)
		return -1;
	pg_arg_int4(args, page.limit);
	pg_arg_int4(args, exchange_query(exchange, "cursor") ? 0 : page.offset);
	pg_arg_int4(args, page.page);
	return api_arg_uuid(exchange, "cursor", args);
}

static void
on_list(struct exchange *exchange)
{
	struct pg_args args;

	pg_args_init(&args);
	if (fill(exchange, &args) == 0)
		api_add_up(exchange, "sessions_page", &args, api_on_json);
	pg_args_fini(&args);
}

static void
on_get(struct exchange *exchange)
{
	const char *text = exchange_param(exchange, "id");
	struct pg_args args;
	struct uuid id;

	if (!uuid_parse(text, strlen(text), &id)) {
		reply_problem(exchange, 404, NULL, "there is no such session");
		return;
	}
	pg_args_init(&args);
	pg_arg_uuid(&args, &id);
	api_arg_confined(exchange, &args);
	pg_arg_int4(&args, MESSAGES_SHOWN);
	api_read(exchange, "sessions_get", &args, api_on_json);
	pg_args_fini(&args);
}

/* clang-format off */
const struct route routes_sessions[] = {
	{ "GET", "/api/sessions",     ROLE_VIEWER, 0, false, on_list, NULL },
	{ "GET", "/api/sessions/:id", ROLE_VIEWER, 0, false, on_get, NULL },
	{ 0 },
};
/* clang-format on */
