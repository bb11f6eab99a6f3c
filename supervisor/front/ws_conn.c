/*
 * See ws_conn.h. ws_frames.c gets bytes from the stream's input and may always write,
 * into a buffer that goes to the stream at the end of the turn: only as many messages
 * are framed as are on their way, the others wait in the outbox, where they can still
 * be dropped.
 */
#include "front/ws_conn.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "front/exchange.h"
#include "front/http_conn.h"
#include "front/ws_pulse_core.h"
#include "loop/stream.h"

#define SENDING_MAX   (64 * 1024) /* framed and not yet with the kernel */
#define KEPT_CAPACITY 4096
#define LOOK_EVERY    (5 * USEC_SECOND)
#define CLOSE_WAIT    (5 * USEC_SECOND)  /* for the answer to our close */
#define DEAF_WAIT     (30 * USEC_SECOND) /* for who did not read, to see why */
#define MESSAGE_TIME  (60 * USEC_SECOND) /* for the whole of one */
#define LINGER        (1 * USEC_SECOND)

enum ws_state { WS_OPEN, WS_CLOSING, WS_LINGER, WS_OVER };

struct ws_conn {
	struct loop *loop;
	struct http_conn *http;
	struct stream *stream; /* the http_conn's */
	struct ws_frames *frames;
	const struct ws_conn_events *events;
	void *context;
	struct ws_outbox outbox;
	struct buf output; /* framed, goes to the stream at the end of the turn */
	struct timer *timer;
	enum ws_state state;
	usec_t deadline; /* of closing and lingering */
	enum ws_close code;
	char reason[WS_REASON_MAX + 1];
	struct ws_pulse pulse;
	uint64_t written;
	size_t input_used;
	bool paused, full, work_queued;
};

static void work_later(struct ws_conn *conn);

static usec_t
now_of(const struct ws_conn *conn)
{
	return loop_mono(conn->loop);
}

static size_t
sending(const struct ws_conn *conn)
{
	return conn->output.len + stream_unsent(conn->stream);
}

size_t
ws_conn_unsent(const struct ws_conn *conn)
{
	return conn->state == WS_OVER ? 0 : conn->outbox.bytes + sending(conn);
}

/* ---- the end ---- */

static void
free_memory(void *context)
{
	free(context);
}

static void
on_closed(void *context)
{
	struct ws_conn *conn = context;

	conn->state = WS_OVER;
	conn->stream = NULL;
	timer_free(&conn->timer);
	ws_frames_free(&conn->frames);
	ws_outbox_fini(&conn->outbox);
	buf_fini(&conn->output);
	conn->events->on_closed(conn->context);
	loop_defer(conn->loop, free_memory, conn);
}

/* The time is over. Who has not taken all gets a reset: the kernel would keep it for
 * nobody. */
static void
cut(struct ws_conn *conn)
{
	if (stream_untaken(conn->stream) > 0)
		http_conn_reset(conn->http);
	else
		http_conn_close(conn->http);
}

/* ---- out ---- */

static void
flush(struct ws_conn *conn)
{
	struct buf *output = &conn->output;

	if (output->len > 0) {
		conn->written += output->len;
		stream_write(conn->stream, output->data, output->len);
	}
	buf_clear(output);
	if (output->capacity > KEPT_CAPACITY)
		buf_fini(output);
}

static void
on_write(void *context, const void *data, size_t len)
{
	struct ws_conn *conn = context;

	buf_add(&conn->output, data, len);
}

static void
empty_outbox(struct ws_conn *conn)
{
	struct ws_text *text;

	while (conn->state <= WS_CLOSING && sending(conn) < SENDING_MAX &&
	       (text = ws_outbox_take(&conn->outbox)) != NULL) {
		ws_frames_send(conn->frames, text);
		ws_text_unref(&text);
	}
}

/* Not only at the end of the turn: many large events may come in one, and be dropped
 * although the client would take them. */
static void
send_much(struct ws_conn *conn)
{
	while (!ws_outbox_empty(&conn->outbox) && sending(conn) < SENDING_MAX) {
		empty_outbox(conn);
		flush(conn);
	}
}

static void
after_add(struct ws_conn *conn, bool fits)
{
	if (conn->outbox.bytes >= SENDING_MAX)
		send_much(conn);
	if (ws_conn_unsent(conn) >= WS_FULL_MARK)
		conn->full = true;
	if (!fits)
		ws_conn_close(conn, WS_CLOSE_TRY_LATER, "too much is unread");
	work_later(conn);
}

void
ws_conn_send(struct ws_conn *conn, struct ws_text **text_p,
	     const struct ws_origin *origin)
{
	if (conn->state != WS_OPEN)
		ws_text_unref(text_p);
	else
		after_add(conn,
			  ws_outbox_add(&conn->outbox, text_p, origin, sending(conn)));
}

void
ws_conn_send_gap(struct ws_conn *conn, const struct ws_origin *origin)
{
	if (conn->state == WS_OPEN)
		after_add(conn,
			  ws_outbox_add_gap(&conn->outbox, origin, sending(conn)));
}

/* ---- closing ---- */

static void
arm(struct ws_conn *conn)
{
	usec_t delay = LOOK_EVERY;

	if (conn->state >= WS_CLOSING && conn->deadline - now_of(conn) < delay)
		delay = conn->deadline - now_of(conn);
	timer_set(conn->timer, delay > 0 ? delay : 0);
}

static void
set_state(struct ws_conn *conn, enum ws_state state, usec_t wait)
{
	conn->state = state;
	conn->deadline = now_of(conn) + wait;
	arm(conn);
}

/* All is said: our half is closed, theirs is read for a while, so that closing does not
 * become a reset that takes our last frame away. */
static void
linger(struct ws_conn *conn)
{
	if (conn->state == WS_LINGER)
		return;
	ws_outbox_clear(&conn->outbox);
	flush(conn);
	stream_shutdown(conn->stream);
	buf_clear(stream_input(conn->stream));
	conn->input_used = 0;
	stream_pause(conn->stream, false);
	set_state(conn, WS_LINGER,
		  stream_unsent(conn->stream) > 0 ? CLOSE_WAIT : LINGER);
}

void
ws_conn_close(struct ws_conn *conn, enum ws_close code, const char *reason)
{
	if (conn->state != WS_OPEN)
		return;
	log_info("ws.closing", F_STR("address", http_conn_peer(conn->http)->address),
		 F_INT("code", code), F_STR("why", reason));
	conn->code = code;
	strncpy(conn->reason, reason, WS_REASON_MAX);
	if (code == WS_CLOSE_TRY_LATER)
		ws_outbox_clear(&conn->outbox);
	conn->paused = false; /* the answer is to be read */
	set_state(conn, WS_CLOSING,
		  code == WS_CLOSE_TRY_LATER ? DEAF_WAIT : CLOSE_WAIT);
	work_later(conn);
}

/* The rest is sent, then our close. */
static void
go_on_closing(struct ws_conn *conn)
{
	if (conn->state != WS_CLOSING || !ws_outbox_empty(&conn->outbox) ||
	    ws_frames_has_closed(conn->frames))
		return;
	ws_frames_close(conn->frames, conn->code, conn->reason);
}

/* ---- in ---- */

static size_t
on_read(void *context, void *data, size_t len)
{
	struct ws_conn *conn = context;
	const struct buf *input = stream_input(conn->stream);
	size_t left = input->len - conn->input_used;

	/* Each ping makes a pong: who reads none of them sends no more. */
	if (conn->paused || sending(conn) >= WS_FULL_MARK)
		left = 0;
	if (len > left)
		len = left;
	if (len > 0)
		memcpy(data, input->data + conn->input_used, len);
	conn->input_used += len;
	return len;
}

static void
on_message(void *context, const char *text, size_t len)
{
	struct ws_conn *conn = context;

	if (conn->state == WS_OPEN)
		conn->events->on_message(conn->context, text, len);
}

static void
on_pong(void *context)
{
	struct ws_conn *conn = context;

	ws_pulse_pong(&conn->pulse);
}

static void
read_frames(struct ws_conn *conn)
{
	bool goes_on = ws_frames_read(conn->frames, now_of(conn));

	buf_consume(stream_input(conn->stream), conn->input_used);
	conn->input_used = 0;
	if (!goes_on)
		linger(conn);
}

/* ---- what comes from the stream, and time ---- */

static void
tell_room(struct ws_conn *conn)
{
	if (!conn->full || ws_conn_unsent(conn) >= WS_ROOM_MARK)
		return;
	conn->full = false;
	conn->events->on_room(conn->context);
}

/* Everything that is to be done at the end of a turn. */
static void
on_work(void *context)
{
	struct ws_conn *conn = context;

	conn->work_queued = false;
	if (conn->state == WS_OVER)
		return;
	if (conn->state <= WS_CLOSING && !conn->paused)
		read_frames(conn);
	empty_outbox(conn);
	go_on_closing(conn);
	flush(conn);
	stream_pause(conn->stream, false);
	tell_room(conn);
}

static void
work_later(struct ws_conn *conn)
{
	if (conn->work_queued)
		return;
	conn->work_queued = true;
	loop_defer(conn->loop, on_work, conn);
}

void
ws_conn_pause(struct ws_conn *conn, bool pause)
{
	if (conn->paused == pause || conn->state != WS_OPEN)
		return;
	conn->paused = pause;
	if (!pause)
		work_later(conn);
}

static void
on_input(void *context)
{
	struct ws_conn *conn = context;

	if (conn->state == WS_LINGER)
		buf_clear(stream_input(conn->stream));
	else if (!conn->paused)
		read_frames(conn);
	work_later(conn);
}

static void
on_drained(void *context)
{
	work_later(context);
}

static void
on_end(void *context, const char *error)
{
	struct ws_conn *conn = context;

	(void)error;
	http_conn_close(conn->http);
}

/* The half of a message takes memory: it may not stay a half. */
static void
look_at_message(struct ws_conn *conn)
{
	usec_t since = ws_frames_half_since(conn->frames);

	if (since != USEC_NEVER && now_of(conn) - since >= MESSAGE_TIME)
		ws_conn_close(conn, WS_CLOSE_POLICY, "a message came too slowly");
}

static void
look(struct ws_conn *conn)
{
	switch (ws_pulse_look(&conn->pulse, now_of(conn), conn->written,
			      stream_untaken(conn->stream))) {
	case WS_PULSE_PING:
		ws_frames_ping(conn->frames);
		work_later(conn);
		break;
	case WS_PULSE_GONE:
		ws_conn_close(conn, WS_CLOSE_INTERNAL, "two pings without a pong");
		break;
	case WS_PULSE_DEAF:
		ws_conn_close(conn, WS_CLOSE_TRY_LATER, "nothing was read for 30 s");
		break;
	default:
		break;
	}
}

static void
on_time(void *context)
{
	struct ws_conn *conn = context;

	if (conn->state >= WS_CLOSING && conn->deadline <= now_of(conn)) {
		cut(conn);
		return;
	}
	if (conn->state == WS_OPEN)
		look(conn);
	if (conn->state == WS_OPEN)
		look_at_message(conn);
	arm(conn);
}

static void
on_drain(void *context)
{
	struct ws_conn *conn = context;

	if (conn->state == WS_OPEN)
		conn->events->on_drain(conn->context);
}

/* ---- the beginning ---- */

static const struct ws_frames_events frames_events = { on_read, on_write, on_message,
						       on_pong };
static const struct stream_events stream_events = { on_input, on_drained, on_end };
static const struct http_heir heir = { &stream_events, on_drain, on_closed };

static void
begin(struct ws_conn *conn, struct ws_deflate *packer)
{
	conn->frames = ws_frames_new(packer, &frames_events, conn);
	conn->timer = timer_new(conn->loop, on_time, conn);
	ws_outbox_init(&conn->outbox);
	ws_pulse_begin(&conn->pulse, now_of(conn));
	arm(conn);
	work_later(conn); /* frames may have come with the request */
}

struct ws_conn *
ws_conn_upgrade(struct exchange *exchange, struct ws_deflate *packer,
		const struct ws_conn_events *events, void *context)
{
	struct ws_conn *conn = xcalloc(1, sizeof *conn);

	conn->loop = exchange->front->loop;
	conn->http = exchange->conn;
	conn->events = events;
	conn->context = context;
	conn->stream = reply_upgrade(exchange, &heir, conn);
	if (conn->stream == NULL) {
		free(conn);
		return NULL;
	}
	begin(conn, packer);
	return conn;
}
