/* Figures for people: what became of the runs of late, and what waits in the queues. */
#include "front/api.h"

#define SINCE_DEFAULT (24 * 3600 * USEC_SECOND)

static void
on_stats(struct exchange *exchange)
{
	usec_t since, now = loop_now(exchange_front(exchange)->loop);
	struct pg_args args;

	if (api_query_time(exchange, "since", &since) < 0)
		return;
	pg_args_init(&args);
	pg_arg_time(&args, since > 0 ? since : now - SINCE_DEFAULT);
	api_arg_confined(exchange, &args);
	api_add_up(exchange, "stats_get", &args, api_on_json);
	pg_args_fini(&args);
}

static void
on_queues(struct exchange *exchange)
{
	struct pg_args args;

	pg_args_init(&args);
	api_arg_confined(exchange, &args);
	api_add_up(exchange, "queues_list", &args, api_on_json);
	pg_args_fini(&args);
}

/* clang-format off */
const struct route routes_stats[] = {
	{ "GET", "/api/stats",  ROLE_VIEWER, 0, false, on_stats,  NULL },
	{ "GET", "/api/queues", ROLE_VIEWER, 0, false, on_queues, NULL },
	{ 0 },
};
/* clang-format on */
