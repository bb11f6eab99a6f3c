/*
 * Those who are told of the runs that a client triggered: all its connections here. One
 * subscription serves them; on other supervisors others have theirs. A change of a run
 * is told with its whole status, which is looked up; what was heard first is told
 * first.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "front/ws_priv.h"
#include "store/pg.h"

#define TELLINGS_CALM 256  /* waiting: further changes of a run are told as one */
#define TELLINGS_MAX  4096 /* waiting: what comes is told as a gap */

struct ws_audience {
	struct ws *ws;
	struct buf key;      /* project, who */
	struct uuid project; /* that their key is bound to; nil: none */
	struct feed_sub *feed;
	struct list members;
	bool asking;          /* for pending approvals */
	struct list tellings; /* oldest first */
	size_t tellings_count;
};

/* One event on its way. What it borrowed of the feed is held by references. */
struct telling {
	struct list link;
	struct ws_audience *audience;
	struct feed_event event;
	char type[32];
	struct json *parts[4]; /* event, run_doc, row, approval */
	struct json *status;   /* once it was looked up */
	bool looking, again, gap;
};

/* ---- one event ---- */

static void
telling_set(struct telling *telling, const struct feed_event *event)
{
	struct json *parts[4] = { json_ref((struct json *)event->event),
				  json_ref((struct json *)event->run_doc),
				  json_ref((struct json *)event->row),
				  json_ref((struct json *)event->approval) };

	for (size_t i = 0; i < 4; i++)
		json_unref(&telling->parts[i]);
	memcpy(telling->parts, parts, sizeof parts);
	telling->event = *event;
	strncpy(telling->type, event->type, sizeof telling->type - 1);
	telling->event.type = telling->type;
}

static void
telling_free(struct telling *telling)
{
	list_remove(&telling->link);
	telling->audience->tellings_count--;
	pg_forget(telling->audience->ws->front->read, telling);
	for (size_t i = 0; i < 4; i++)
		json_unref(&telling->parts[i]);
	json_unref(&telling->status);
	free(telling);
}

static void
tell_member(struct ws_client *client, const struct telling *telling,
	    struct ws_text *text)
{
	const struct ws_origin origin = { telling->event.run, telling->event.seq };

	if (client->triggering > 0 && strcmp(telling->type, "run.started") == 0)
		return; /* the answer says it */
	if (strcmp(telling->type, "approval.requested") == 0)
		ws_client_send_text(client, text, NULL);
	else
		ws_client_send_text(client, text, &origin);
}

static void
tell_members(struct ws_audience *audience, const struct telling *telling)
{
	struct json *messages = json_new_array();

	dialect_encode(DIALECT_STATUS, &telling->event, telling->status, messages);
	for (size_t i = 0; i < json_count(messages); i++) {
		struct ws_text *text = ws_text_of(json_at(messages, i));

		list_each (link, &audience->members)
			tell_member(container_of(link, struct ws_client, audience_link),
				    telling, text);
		ws_text_unref(&text);
	}
	json_unref(&messages);
}

static void
tell_gap(struct ws_audience *audience, const struct feed_event *event)
{
	const struct ws_origin origin = { event->run, event->seq };

	list_each (link, &audience->members)
		ws_conn_send_gap(
		    container_of(link, struct ws_client, audience_link)->conn, &origin);
}

/* As far as what is needed is there. */
static void
tell(struct ws_audience *audience)
{
	while (!list_empty(&audience->tellings)) {
		struct telling *telling =
		    container_of(audience->tellings.next, struct telling, link);

		if (telling->looking)
			return;
		if (telling->gap)
			tell_gap(audience, &telling->event);
		else
			tell_members(audience, telling);
		telling_free(telling);
	}
}

/* ---- the status of its run ---- */

static void look(struct telling *telling);

static void
on_status(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct telling *telling = context;

	(void)err; /* PostgreSQL is away, which many others say */
	telling->looking = false;
	if (telling->again) {
		look(telling);
		return;
	}
	if (rows == NULL)
		telling->gap = true;
	else if (pg_count(rows) > 0)
		telling->status = pg_json(rows, 0, 1);
	tell(telling->audience);
}

static void
look(struct telling *telling)
{
	struct ws_audience *audience = telling->audience;
	struct pg_args args;

	telling->looking = true;
	telling->again = false;
	pg_args_init(&args);
	pg_array_begin(&args, PG_UUID);
	pg_arg_uuid(&args, &telling->event.run);
	pg_array_end(&args);
	pg_arg_uuid(&args, uuid_is_nil(&audience->project) ? NULL : &audience->project);
	pg_query(audience->ws->front->read, "runs_status", &args, on_status, telling);
	pg_args_fini(&args);
}

/* One of this run that is still looked up, and need not be told by itself. */
static struct telling *
find_waiting(struct ws_audience *audience, const struct uuid *run)
{
	for (struct list *link = audience->tellings.prev; link != &audience->tellings;
	     link = link->prev) {
		struct telling *telling = container_of(link, struct telling, link);

		if (uuid_equal(&telling->event.run, run))
			return telling->looking ? telling : NULL;
	}
	return NULL;
}

static void
on_event(void *context, const struct feed_event *event)
{
	struct ws_audience *audience = context;
	bool wants_status = dialect_wants_status(event->type);
	struct telling *telling = NULL;

	if (!dialect_speaks(DIALECT_STATUS, event->type))
		return;
	if (wants_status && audience->tellings_count >= TELLINGS_CALM)
		telling = find_waiting(audience, &event->run);
	if (telling != NULL) {
		telling_set(telling, event);
		telling->again = true;
		return;
	}
	if (audience->tellings_count >= TELLINGS_MAX) {
		tell_gap(audience, event);
		return;
	}
	telling = xcalloc(1, sizeof *telling);
	telling->audience = audience;
	telling_set(telling, event);
	list_push(&audience->tellings, &telling->link);
	audience->tellings_count++;
	if (wants_status)
		look(telling);
	else
		tell(audience);
}

static void
on_started(void *context, int64_t last_seq, const struct err *err)
{
	(void)context, (void)last_seq, (void)err;
}

/* ---- life ---- */

static struct buf
key_of(const struct ws_client *client)
{
	struct buf key = { 0 };

	buf_add(&key, &client->identity.project, sizeof client->identity.project);
	buf_str(&key, client->who);
	return key;
}

static struct ws_audience *
audience_new(struct ws *ws, const struct ws_client *client)
{
	struct ws_audience *audience = xcalloc(1, sizeof *audience);
	struct feed_filter filter = { .every = true, .requested_by = client->who };

	audience->ws = ws;
	audience->key = key_of(client);
	audience->project = filter.confined = client->identity.project;
	list_init(&audience->members);
	list_init(&audience->tellings);
	map_put(ws->audiences, audience->key.data, audience->key.len, audience);
	audience->feed = feed_subscribe(ws->front->feed, &filter, -1, on_started,
					on_event, audience);
	return audience;
}

static void
audience_free(struct ws_audience *audience)
{
	map_remove(audience->ws->audiences, audience->key.data, audience->key.len);
	feed_unsubscribe(&audience->feed);
	pg_forget(audience->ws->front->read, audience);
	list_each_safe (link, &audience->tellings)
		telling_free(container_of(link, struct telling, link));
	buf_fini(&audience->key);
	free(audience);
}

/* ---- what is still asked ---- */

static void ask_pending(struct ws_audience *audience);

static void
tell_pending(struct ws_audience *audience, const struct json *message)
{
	struct ws_text *text = ws_text_of(message);

	list_each (link, &audience->members) {
		struct ws_client *client =
		    container_of(link, struct ws_client, audience_link);

		if (client->asks == WS_ASKS_NOW)
			ws_client_send_text(client, text, NULL);
	}
	ws_text_unref(&text);
}

static void
on_pending(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct ws_audience *audience = context;

	(void)err; /* the next connection asks again */
	audience->asking = false;
	for (int i = 0; rows != NULL && i < pg_count(rows); i++) {
		struct json *message = pg_json(rows, i, 0);

		tell_pending(audience, message);
		json_unref(&message);
	}
	list_each (link, &audience->members) {
		struct ws_client *client =
		    container_of(link, struct ws_client, audience_link);

		if (client->asks == WS_ASKS_NOW)
			client->asks = WS_ASKS_NOTHING;
	}
	ask_pending(audience);
}

/* Once for all who came in the meantime: after an outage that is everybody. */
static void
ask_pending(struct ws_audience *audience)
{
	struct pg_args args;

	if (audience->asking)
		return;
	list_each (link, &audience->members) {
		struct ws_client *client =
		    container_of(link, struct ws_client, audience_link);

		if (client->asks == WS_ASKS_NEXT) {
			client->asks = WS_ASKS_NOW;
			audience->asking = true;
		}
	}
	if (!audience->asking)
		return;
	pg_args_init(&args);
	pg_arg_text(&args, audience->key.data + sizeof audience->project);
	pg_arg_uuid(&args, uuid_is_nil(&audience->project) ? NULL : &audience->project);
	pg_query(audience->ws->front->read, "approvals_pending_for", &args, on_pending,
		 audience);
	pg_args_fini(&args);
}

void
ws_audience_join(struct ws_client *client)
{
	struct ws *ws = client->ws;
	struct buf key = key_of(client);
	struct ws_audience *audience = map_get(ws->audiences, key.data, key.len);

	buf_fini(&key);
	if (audience == NULL)
		audience = audience_new(ws, client);
	client->audience = audience;
	list_push(&audience->members, &client->audience_link);
	client->asks = WS_ASKS_NEXT;
	ask_pending(audience);
}

void
ws_audience_leave(struct ws_client *client)
{
	struct ws_audience *audience = client->audience;

	if (audience == NULL)
		return;
	client->audience = NULL;
	list_remove(&client->audience_link);
	if (list_empty(&audience->members))
		audience_free(audience);
}
