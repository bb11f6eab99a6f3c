/* The workers of this node over HTTP: look, scale, drain. Wishes go up to the parent.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "front/api.h"
#include "front/change.h"

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

static void
on_put(struct exchange *exchange)
{
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
	if (json_want_int(body, "workers", 0, front->settings->pool_workers_max,
			  &workers, &err) < 0) {
		reply_err(exchange, &err);
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
