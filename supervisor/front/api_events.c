/*
 * POST /api/events: something happened outside. It is stored first; then the steps that
 * wait for its type look at it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "front/api.h"
#include "front/change.h"
#include "store/bus_events.h"

#define NAME_MAX_LEN 200
#define ENGINE       "stepmill" /* of events that the engine tells itself */

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
wake(struct front *front, void *context)
{
	bus_events_wake(front->write, context, on_woken, front);
}

static void
on_stored(void *context, const struct err *err)
{
	struct exchange *exchange = context;
	const struct uuid *event = exchange_kept(exchange);
	struct json *request, *body;
	char id[UUID_TEXT];

	if (err->kind != ERR_NONE) {
		reply_err(exchange, err);
		return;
	}
	exchange_json(exchange, &request);
	change_after(exchange_change(exchange), wake,
		     xstrdup(json_str(json_get(request, "type"))), free);
	uuid_format(event, id);
	exchange_audit(exchange, id, NULL);
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
	struct json *body, *data;
	struct uuid *id;
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
	if (strcmp(source, ENGINE) == 0) {
		reply_problem(exchange, 400, NULL, "source: \"%s\" is the engine's own",
			      ENGINE);
		return;
	}
	id = exchange_keep(exchange, sizeof *id);
	*id = uuid7_new(loop_now(exchange_front(exchange)->loop));
	data = json_storable(json_ref(json_get(body, "data")), NULL);
	bus_events_insert(exchange_pg(exchange), id, exchange_project(exchange), source,
			  type, data, on_stored, exchange);
	json_unref(&data);
}

/* clang-format off */
const struct route routes_events[] = {
	{ "POST", "/api/events", ROLE_OPERATOR, 0, false, on_event, "event.tell" },
	{ 0 },
};
/* clang-format on */
