/*
 * The events of a run. One cursor for all ways of reading: the number of the last event
 * that was read; `since`, or in a stream Last-Event-ID. See api_execution_events.h.
 */
#include "front/api_execution_events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/xalloc.h"
#include "engine/status.h"
#include "front/api.h"
#include "front/feed.h"

#define EVENTS_WAIT_MAX (60 * USEC_SECOND)
/* So often a stream shows that it is alive, to proxies that cut what is silent. */
#define HEARTBEAT (15 * USEC_SECOND)
/* Unread by the client: then it gets no more until it has read. */
#define UNSENT_MAX (64 * 1024)

/* ---- once, or as a long poll ---- */

struct watching {
	struct exchange *exchange;
	struct front *front;
	struct uuid run;
	int64_t since;
	usec_t until; /* monotonic */
	struct feed_wait *wait;
	bool looking; /* a query is under way */
	bool again;   /* something was heard meanwhile: its answer may be too old */
};

static void
watching_free(void *state)
{
	struct watching *watching = state;

	pg_forget(watching->front->read, watching);
	feed_wait_cancel(&watching->wait);
	free(watching);
}

static void look(struct watching *watching);

static void
on_events(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct watching *watching = context;
	struct exchange *exchange = watching->exchange;
	usec_t left = watching->until - loop_mono(watching->front->loop);
	struct buf body = { 0 };
	const char *text;
	size_t len;

	watching->looking = false;
	if (rows == NULL) {
		reply_err(exchange, err);
		return;
	}
	text = pg_text(rows, 0, 0, &len);
	/* "[]", and more may come: wait. Nothing comes after the end. */
	if (len <= 2 && left > 0 && !pg_bool(rows, 0, 1)) {
		if (watching->again)
			look(watching);
		return;
	}
	buf_str(&body, "{\"data\":");
	buf_add(&body, text, len);
	buf_printf(&body, ",\"over\":%s,\"lastSeq\":%lld}",
		   pg_bool(rows, 0, 1) ? "true" : "false",
		   (long long)pg_int(rows, 0, 2));
	reply_json_text(exchange, 200, body.data, body.len);
	buf_fini(&body);
}

static void
on_heard(void *context)
{
	struct watching *watching = context;

	watching->wait = NULL;
	watching->again = true;
	if (!watching->looking)
		look(watching);
}

/* Listens first and looks then: an event in between would be heard by nobody. */
static void
look(struct watching *watching)
{
	usec_t left = watching->until - loop_mono(watching->front->loop);
	struct pg_args args;

	watching->looking = true;
	watching->again = false;
	if (left > 0 && watching->wait == NULL)
		watching->wait = feed_wait(watching->front->feed, &watching->run,
					   watching->since, left, on_heard, watching);
	pg_args_init(&args);
	pg_arg_uuid(&args, &watching->run);
	pg_arg_int8(&args, watching->since);
	pg_query(watching->front->read, "events_since", &args, on_events, watching);
	pg_args_fini(&args);
}

static void
watch(struct exchange *exchange, const struct uuid *run, int64_t since)
{
	const char *wait = exchange_query(exchange, "wait");
	struct watching *watching;
	struct err bad = { 0 };
	usec_t most = 0;

	if (wait != NULL && duration_parse(wait, strlen(wait), &most, &bad) < 0) {
		err_in(&bad, "wait");
		reply_err(exchange, &bad);
		return;
	}
	watching = xcalloc(1, sizeof *watching);
	watching->exchange = exchange;
	watching->front = exchange_front(exchange);
	watching->run = *run;
	watching->since = since;
	watching->until = loop_mono(watching->front->loop) +
			  (most > EVENTS_WAIT_MAX ? EVENTS_WAIT_MAX : most);
	api_unguard(exchange);
	exchange_set_state(exchange, watching, watching_free);
	look(watching);
}

/* ---- as a stream ---- */

struct streaming {
	struct exchange *exchange;
	struct feed_sub *sub;
	struct timer *heartbeat;
};

static void
streaming_free(void *state)
{
	struct streaming *streaming = state;

	feed_unsubscribe(&streaming->sub);
	timer_free(&streaming->heartbeat);
	free(streaming);
}

static void
say(struct exchange *exchange, const char *text)
{
	reply_piece(exchange, text, strlen(text));
}

static void
on_started(void *context, int64_t last_seq, const struct err *err)
{
	struct streaming *streaming = context;

	(void)last_seq;
	if (err->kind != ERR_NONE || feed_at_end(streaming->sub))
		reply_end(streaming->exchange);
}

static void
on_event(void *context, const struct feed_event *event)
{
	struct streaming *streaming = context;
	struct exchange *exchange = streaming->exchange;
	struct buf text = { 0 };

	buf_printf(&text, "id: %lld\nevent: %s\ndata: ", (long long)event->seq,
		   event->type);
	json_write(event->event, &text); /* without line ends */
	buf_str(&text, "\n\n");
	reply_piece(exchange, text.data, text.len);
	buf_fini(&text);
	if (feed_at_end(streaming->sub))
		reply_end(exchange);
	else if (reply_unsent(exchange) > UNSENT_MAX)
		feed_pause(streaming->sub, true);
}

static void
on_drained(struct exchange *exchange)
{
	struct streaming *streaming = exchange_state(exchange);

	feed_pause(streaming->sub, false);
}

/* Also the place to see that the run was deleted. */
static void
on_heartbeat(void *context)
{
	struct streaming *streaming = context;

	if (feed_at_end(streaming->sub)) {
		reply_end(streaming->exchange);
		return;
	}
	if (reply_unsent(streaming->exchange) == 0)
		say(streaming->exchange, ": alive\n\n");
	timer_set(streaming->heartbeat, HEARTBEAT);
}

static void
on_stopping(struct exchange *exchange)
{
	say(exchange, ": this server is stopping; go on with Last-Event-ID\n\n");
}

static void
stream(struct exchange *exchange, const struct uuid *run, int64_t since)
{
	struct front *front = exchange_front(exchange);
	struct feed_filter filter = { .run = *run, .bare = true };
	struct streaming *streaming = xcalloc(1, sizeof *streaming);

	streaming->exchange = exchange;
	api_unguard(exchange);
	exchange_set_state(exchange, streaming, streaming_free);
	reply_header(exchange, "X-Accel-Buffering",
		     "no"); /* nginx would hold it back */
	reply_begin(exchange, 200, "text/event-stream", on_drained);
	if (strcmp(exchange_method(exchange), "HEAD") == 0) {
		reply_end(exchange);
		return;
	}
	reply_on_stop(exchange, on_stopping);
	say(exchange, "retry: 1000\n\n");
	streaming->heartbeat = timer_new(front->loop, on_heartbeat, streaming);
	timer_set(streaming->heartbeat, HEARTBEAT);
	streaming->sub = feed_subscribe(front->feed, &filter, since, on_started,
					on_event, streaming);
}

static bool
wants_stream(struct exchange *exchange)
{
	const char *accept = exchange_header(exchange, "Accept");

	return accept != NULL && strcasestr(accept, "text/event-stream") != NULL;
}

/* ---- what was asked ---- */

/* A browser that connects again sends both: the number it began with, and the header.
 * -1: a 400 was answered. */
static int
ask_since(struct exchange *exchange, bool streams, int64_t *since)
{
	const char *header = exchange_header(exchange, "Last-Event-ID");
	char *end;

	if (!streams || header == NULL || *header == '\0')
		return api_query_int(exchange, "since", 0, INT64_MAX, 0, since);
	errno = 0;
	*since = strtoll(header, &end, 10);
	if (*end == '\0' && *header >= '0' && *header <= '9' && errno == 0)
		return 0;
	reply_problem(exchange, 400, NULL,
		      "Last-Event-ID: expected the number of an event");
	return -1;
}

static void
on_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	bool streams = wants_stream(exchange);
	struct uuid run;
	int64_t since;

	if (rows == NULL || pg_count(rows) == 0) {
		api_on_json(context, rows, err);
		return;
	}
	if (ask_since(exchange, streams, &since) < 0)
		return;
	run = pg_uuid(rows, 0, 0);
	if (!streams)
		watch(exchange, &run, since);
	else if (run_is_over((enum run_status)pg_int(rows, 0, 1)) &&
		 since >= pg_int(rows, 0, 2))
		reply_empty(exchange, 204); /* tells a browser not to come again */
	else
		stream(exchange, &run, since);
}

void
api_execution_events(struct exchange *exchange)
{
	api_find_run(exchange, on_found);
}
