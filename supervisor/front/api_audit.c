/* Who did what, when, from where: the audit log, newest first. It is only read here. */
#include <string.h>

#include "front/api.h"

/* The id of the last row of the page before. -1: a 400 was answered. */
static int
arg_cursor(struct exchange *exchange, struct pg_args *args)
{
	const char *text = exchange_query(exchange, "cursor");
	struct uuid id;

	if (text == NULL) {
		pg_arg_uuid(args, NULL);
		return 0;
	}
	if (!uuid_parse(text, strlen(text), &id)) {
		reply_problem(exchange, 400, NULL,
			      "cursor: expected the nextCursor of a page");
		return -1;
	}
	pg_arg_uuid(args, &id);
	return 0;
}

static int
fill(struct exchange *exchange, struct pg_args *args)
{
	struct api_page page;
	usec_t since, until;

	if (api_page(exchange, &page) < 0 ||
	    api_query_time(exchange, "since", &since) < 0 ||
	    api_query_time(exchange, "until", &until) < 0)
		return -1;
	pg_arg_text(args, exchange_query(exchange, "who"));
	pg_arg_text(args, exchange_query(exchange, "what"));
	pg_arg_text(args, exchange_query(exchange, "target"));
	pg_arg_time(args, since);
	pg_arg_time(args, until);
	if (arg_cursor(exchange, args) < 0)
		return -1;
	pg_arg_int4(args, page.limit);
	pg_arg_int4(args, page.offset);
	pg_arg_int4(args, page.page);
	return 0;
}

static void
on_list(struct exchange *exchange)
{
	struct pg_args args;

	if (api_needs_all(exchange) < 0)
		return;
	pg_args_init(&args);
	if (fill(exchange, &args) == 0)
		api_add_up(exchange, "audit_list", &args, api_on_json);
	pg_args_fini(&args);
}

/* clang-format off */
const struct route routes_audit[] = {
	{ "GET", "/api/audit", ROLE_VIEWER, 0, false, on_list, NULL },
	{ 0 },
};
/* clang-format on */
