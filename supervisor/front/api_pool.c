/*
 * The workers of this node over HTTP: look, scale, drain. Wishes go up to the parent;
 * those for another node go through its row, and its supervisor hears of them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "front/api.h"
#include "front/change.h"

#define NODE_MOST    255
#define WORKERS_MOST 1024 /* the limit of pool.workers_max */

static void
on_get(struct exchange *exchange)
{
	struct front *front = exchange_front(exchange);
	struct json *body;
	char text[UUID_TEXT];

	if (front->pool == NULL) {
		reply_problem(exchange, 503, NULL,
			      "this front has no parent that keeps workers");
		return;
	}
	body = json_copy(front->pool);
	json_set(body, "node", json_new_str(uuid_format(&front->node, text)));
	json_set(body, "nodes",
		 front->nodes != NULL ? json_ref(front->nodes) : json_new_array());
	reply_json(exchange, 200, body);
}

static void
scale(struct front *front, void *context)
{
	parent_say(front->parent, "scale %lld", (long long)*(const int64_t *)context);
}

static void
drain(struct front *front, void *context)
{
	(void)context;
	parent_say(front->parent, "drain");
}

/* ---- another node ---- */

static void
on_wished(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	struct json *answer;
	char text[UUID_TEXT];
	struct uuid node;

	if (rows == NULL) {
		reply_err(exchange, err);
	} else if (pg_int(rows, 0, 0) == 0) {
		reply_problem(exchange, 404, NULL,
			      "there is no such node that keeps workers now");
	} else if (pg_is_null(rows, 0, 1)) {
		reply_problem(exchange, 409, NULL,
			      "%lld nodes have this host: name one by its id",
			      (long long)pg_int(rows, 0, 0));
	} else {
		node = pg_uuid(rows, 0, 1);
		answer = json_new_object();
		json_set(answer, "desired", json_new_int(pg_int(rows, 0, 2)));
		json_set(answer, "node", json_new_str(uuid_format(&node, text)));
		reply_json(exchange, 202, answer);
	}
}

static void
wish(struct exchange *exchange, const char *node, int64_t workers)
{
	struct json *details = json_new_object();
	struct pg_args args;

	json_set(details, "workers", json_new_int(workers));
	exchange_audit(exchange, node, details);
	pg_args_init(&args);
	pg_arg_text(&args, node);
	pg_arg_int4(&args, (int32_t)workers);
	pg_query(exchange_pg(exchange), "nodes_wish", &args, on_wished, exchange);
	pg_args_fini(&args);
}

/* What another node may have at most it knows itself. */
static int
read_wish(const struct front *front, const struct json *body, const char **node,
	  int64_t *workers, struct err *err)
{
	if (json_want_str(body, "node", node, err) < 0)
		return -1;
	if (*node != NULL && (**node == '\0' || strlen(*node) > NODE_MOST))
		return err_set(err, ERR_INPUT, "node: expected the id or host of one");
	return json_want_int(body, "workers", 0,
			     *node != NULL ? WORKERS_MOST
					   : front->settings->pool_workers_max,
			     workers, err);
}

static void
on_put(struct exchange *exchange)
{
	const char *node = NULL;
	struct front *front = exchange_front(exchange);
	struct err err = { 0 };
	int64_t workers = -1;
	struct json *body, *answer;

	if (api_needs_all(exchange) < 0 || exchange_json(exchange, &body) < 0)
		return;
	if (json_type(body) != JSON_OBJECT || json_get(body, "workers") == NULL) {
		reply_problem(exchange, 400, NULL, "expected {\"workers\": NUMBER}");
		return;
	}
	if (read_wish(front, body, &node, &workers, &err) < 0) {
		reply_err(exchange, &err);
		return;
	}
	if (node != NULL) {
		wish(exchange, node, workers);
		return;
	}
	if (front->parent == NULL) {
		reply_problem(exchange, 503, NULL,
			      "this front has no parent that keeps workers");
		return;
	}
	change_after(exchange_change(exchange), scale,
		     xmemdup(&workers, sizeof workers), free);
	answer = json_new_object();
	json_set(answer, "desired", json_new_int(workers));
	reply_json(exchange, 202, answer);
}

static void
on_drain(struct exchange *exchange)
{
	struct front *front = exchange_front(exchange);
	struct json *answer;

	if (api_needs_all(exchange) < 0)
		return;
	if (front->parent == NULL) {
		reply_problem(exchange, 503, NULL,
			      "this front has no parent that keeps workers");
		return;
	}
	change_after(exchange_change(exchange), drain, NULL, NULL);
	answer = json_new_object();
	json_set(answer, "draining", json_new_bool(true));
	reply_json(exchange, 202, answer);
}

/* clang-format off */
const struct route routes_pool[] = {
	{ "GET",  "/api/pool",       ROLE_VIEWER, 0, false, on_get, NULL },
	{ "PUT",  "/api/pool",       ROLE_ADMIN,  0, false, on_put, "pool.scale" },
	{ "POST", "/api/pool/drain", ROLE_ADMIN,  0, false, on_drain, "pool.drain" },
	{ 0 },
};
/* clang-format on */
