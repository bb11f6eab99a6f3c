/*
 * POST /api/events: something happened outside. It is stored first; then the steps that
 * wait for its type look at it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "front/api.h"
#include "store/bus_events.h"

#define NAME_MAX_LEN 200

struct telling {
	struct exchange
	    *exchange; /* NULL: the client is gone; it happened all the same */
	struct front *front;
	struct uuid id;
	char *type;
};

static void
telling_gone(void *state)
{
	((struct telling *)state)->exchange = NULL;
}

static void
on_woken(void *context, const struct ready_ref *refs, size_t count,
	 const struct err *err)
{
	struct front *front = context;

	/* Where this fails the scheduler's sweep does it. */
	for (size_t i = 0; err->kind == ERR_NONE && i < count; i++)
		queue_push(front->queue, refs[i].queue, refs[i].priority, &refs[i].ref,
			   1);
}

static void
on_stored(void *context, const struct err *err)
{
	struct telling *telling = context;
	struct exchange *exchange = telling->exchange;
	struct json *body;
	char id[UUID_TEXT];

	if (err->kind == ERR_NONE)
		bus_events_wake(telling->front->write, telling->type, on_woken,
				telling->front);
	uuid_format(&telling->id, id);
	if (exchange != NULL)
		exchange_set_state(exchange, NULL, NULL);
	free(telling->type);
	free(telling);
	if (exchange == NULL)
		return;
	if (err->kind != ERR_NONE) {
		reply_err(exchange, err);
		return;
	}
	body = json_new_object();
	json_set(body, "id", json_new_str(id));
	reply_json(exchange, 202, body);
}

/* NULL: it was refused, and that was said. */
static const char *
text_of(struct exchange *exchange, const struct json *body, const char *name)
{
	const char *text = json_str(json_get(body, name));

	if (text != NULL && *text != '\0' && strlen(text) <= NAME_MAX_LEN &&
	    strlen(text) == json_str_len(json_get(body, name)))
		return text;
	reply_problem(exchange, 400, NULL, "%s: expected a text of 1 to %d bytes", name,
		      NAME_MAX_LEN);
	return NULL;
}

static int
check_keys(struct exchange *exchange, const struct json *body)
{
	for (struct json_iter it = json_iter(body); json_next(&it);) {
		if (strcmp(it.key, "source") == 0 || strcmp(it.key, "type") == 0 ||
		    strcmp(it.key, "data") == 0)
			continue;
		reply_problem(exchange, 400, NULL, "unknown key \"%.100s\"", it.key);
		return -1;
	}
	return 0;
}

static void
on_event(struct exchange *exchange)
{
	struct front *front = exchange_front(exchange);
	struct telling *telling;
	struct json *body, *data;
	const char *source, *type;

	if (exchange_json(exchange, &body) < 0)
		return;
	if (json_type(body) != JSON_OBJECT) {
		reply_problem(exchange, 400, NULL, "expected {source, type, data}");
		return;
	}
	if (check_keys(exchange, body) < 0 ||
	    (source = text_of(exchange, body, "source")) == NULL ||
	    (type = text_of(exchange, body, "type")) == NULL)
		return;
	telling = xcalloc(1, sizeof *telling);
	telling->exchange = exchange;
	telling->front = front;
	telling->id = uuid7_new(loop_now(front->loop));
	telling->type = xstrdup(type);
	exchange_set_state(exchange, telling, telling_gone);
	data = json_storable(json_ref(json_get(body, "data")), NULL);
	bus_events_insert(front->write, &telling->id, exchange_project(exchange),
			  source, type, data, on_stored, telling);
	json_unref(&data);
}

/* clang-format off */
const struct route routes_events[] = {
	{ "POST", "/api/events", ROLE_OPERATOR, 0, false, on_event },
	{ 0 },
};
/* clang-format on */
