/* Bytes in and out, and time. See http_conn.h; what the bytes mean: http_requests.c. */
#include "front/http_conn.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/point.h"
#include "base/xalloc.h"
#include "front/caller.h"
#include "front/http_conn_priv.h"
#include "front/listen.h"
#include "front/pace_core.h"

#define INPUT_MAX         (32 * 1024) /* unread while a request is in work */
#define KEPT_CAPACITY     4096
#define KERNEL_UNSENT_MAX (128 * 1024)
#define OUTPUT_GRACE      (10 * USEC_SECOND)
#define OUTPUT_SAMPLE     (5 * USEC_SECOND)
#define LINGER            (1 * USEC_SECOND)
#define IDLE_GRACE        (1 * USEC_SECOND)

static void on_time(void *context);

/* ---- small things ---- */

const struct peer *
http_conn_peer(const struct http_conn *conn)
{
	return &conn->peer;
}

struct listener *
http_conn_listener(const struct http_conn *conn)
{
	return conn->listener;
}

struct http_conn_links *
http_conn_links(struct http_conn *conn)
{
	return &conn->links;
}

struct buf *
http_conn_output(struct http_conn *conn)
{
	return &conn->output;
}

size_t
http_conn_unsent(const struct http_conn *conn)
{
	return conn->output.len + stream_unsent(conn->stream);
}

void
http_conn_close_after(struct http_conn *conn)
{
	conn->close_after = true;
}

bool
http_conn_will_close(const struct http_conn *conn)
{
	const struct http_head *head = conn->exchange.head;

	return conn->close_after || head == NULL || !head->keep_alive ||
	       !conn->complete || conn->front->draining ||
	       conn->front->settings->http_keepalive_timeout == 0;
}

/* ---- time ---- */

usec_t
http_conn_now(const struct http_conn *conn)
{
	return loop_mono(conn->front->loop);
}

void
http_conn_phase(struct http_conn *conn, enum phase phase, usec_t deadline)
{
	if ((phase == PHASE_IDLE) != (conn->phase == PHASE_IDLE))
		listener_idle(conn->listener, conn, phase == PHASE_IDLE);
	conn->phase = phase;
	conn->deadline = deadline;
}

/* The timer is moved forward only; when it comes too early it is set again. */
static void
arm(struct http_conn *conn)
{
	usec_t at = conn->deadline, sample = http_conn_now(conn) + OUTPUT_SAMPLE;

	if ((conn->look_wanted || conn->output_deadline != USEC_NEVER) && sample < at)
		at = sample;
	if (at >= conn->timer_at)
		return;
	conn->timer_at = at;
	timer_set(conn->timer, at - http_conn_now(conn));
}

/* How far the client has taken what was written. The kernel's part counts: who lets an
 * answer lie there is no idle client, but a slow one; who has taken all that was there
 * at the last look is none. */
static void
look_at_output(struct http_conn *conn)
{
	size_t untaken = stream_untaken(conn->stream);
	uint64_t taken = untaken < conn->written ? conn->written - untaken : 0;

	conn->look_wanted = false;
	if (untaken == 0)
		conn->output_deadline = USEC_NEVER;
	else if (conn->output_deadline == USEC_NEVER || taken >= conn->owed)
		conn->output_deadline = http_conn_now(conn) + OUTPUT_GRACE;
	else
		conn->output_deadline =
		    pace_pay(conn->output_deadline, http_conn_now(conn), OUTPUT_GRACE,
			     taken > conn->taken ? taken - conn->taken : 0);
	conn->taken = taken;
	conn->owed = conn->written;
}

/* ---- output ---- */

static void
flush(struct http_conn *conn)
{
	struct buf *output = &conn->output;

	if (output->len > 0) {
		POINT("reply.before");
		conn->written += output->len;
		stream_write(conn->stream, output->data, output->len);
		POINT("reply.after");
		conn->look_wanted = true; /* not now: it costs a system call */
	}
	buf_clear(output);
	if (output->capacity > KEPT_CAPACITY)
		buf_fini(output);
}

static void
on_flush(void *context)
{
	struct http_conn *conn = context;

	conn->flush_queued = false;
	if (conn->stream == NULL)
		return;
	flush(conn);
	arm(conn);
}

/* At the end of the turn: small pieces go together, and who writes until something
 * stays unsent comes to an end, however fast the client reads. */
void
http_conn_flush(struct http_conn *conn)
{
	if (conn->flush_queued)
		return;
	conn->flush_queued = true;
	loop_defer(conn->front->loop, on_flush, conn);
}

/* ---- the end ---- */

static void
free_memory(void *context)
{
	struct http_conn *conn = context;

	http_parser_fini(&conn->parser);
	buf_fini(&conn->output);
	free(conn);
}

void
http_conn_close(struct http_conn *conn)
{
	bool let_go = !conn->exchange.held;

	if (conn->stream == NULL)
		return;
	stream_free(&conn->stream);
	timer_free(&conn->timer);
	http_conn_phase(conn, PHASE_LINGER, USEC_NEVER);
	listener_closed(conn->listener, conn);
	if (conn->heir != NULL)
		conn->heir->on_closed(conn->heir_context);
	if (conn->busy)
		let_go = exchange_abandon(&conn->exchange);
	if (let_go)
		loop_defer(conn->front->loop, free_memory, conn);
	else
		listener_keep(conn->listener, conn);
}

void
http_conn_released(struct http_conn *conn)
{
	exchange_abandon(&conn->exchange);
	if (conn->stream != NULL)
		return;
	list_remove(&conn->links.all);
	loop_defer(conn->front->loop, free_memory, conn);
}

void
http_conn_forget(struct http_conn *conn)
{
	exchange_let_go(&conn->exchange);
	http_conn_released(conn);
}

static void
on_cut(void *context)
{
	http_conn_close(context);
}

void
http_conn_cut(struct http_conn *conn)
{
	if (conn->cut || conn->stream == NULL)
		return;
	conn->cut = true;
	loop_defer(conn->front->loop, on_cut, conn);
}

/* After work on the input: makes room in it, so that more is read. */
void
http_conn_end_reading(struct http_conn *conn)
{
	struct buf *input = stream_input(conn->stream);

	if (conn->phase == PHASE_LINGER)
		buf_clear(input);
	else
		buf_consume(input, conn->input_used);
	conn->input_used = 0;
	stream_pause(conn->stream, false);
}

/* Closing at once could make the kernel throw away our last answer, as long as the
 * other side is still sending: so our half is closed, and theirs is read for a while.
 */
void
http_conn_linger(struct http_conn *conn)
{
	flush(conn);
	stream_shutdown(conn->stream);
	http_conn_phase(conn, PHASE_LINGER, USEC_NEVER);
	if (!conn->working)
		http_conn_end_reading(conn);
	if (stream_unsent(conn->stream) > 0)
		return;
	conn->deadline = http_conn_now(conn) + LINGER;
	if (conn->input_ended)
		http_conn_cut(conn);
}

/* ---- requests ---- */

/* Also of a head that never came to its end: who asks by HEAD takes no body, and would
 * read one as the beginning of another answer. */
void
http_conn_refuse(struct http_conn *conn, int status, const char *why)
{
	conn->exchange.bodiless = http_parser_is_head(&conn->parser);
	reply_refusal(&conn->exchange, status, why);
}

static void
on_go_on(void *context)
{
	struct http_conn *conn = context;

	conn->go_on_queued = false;
	if (conn->stream != NULL)
		http_requests_work(conn);
}

/* Not from inside the handler that answered: the next request waits for the end of the
 * turn. */
static void
go_on_later(struct http_conn *conn)
{
	if (conn->working || conn->go_on_queued ||
	    (stream_input(conn->stream)->len == 0 && !conn->input_ended))
		return;
	conn->go_on_queued = true;
	loop_defer(conn->front->loop, on_go_on, conn);
}

void
http_conn_answered(struct http_conn *conn)
{
	bool close = http_conn_will_close(conn);

	exchange_end(&conn->exchange);
	conn->busy = false;
	if (close) {
		http_conn_linger(conn);
		arm(conn);
		return;
	}
	http_parser_next(&conn->parser);
	http_conn_phase(conn, PHASE_IDLE,
			http_conn_now(conn) +
			    conn->front->settings->http_keepalive_timeout);
	http_conn_flush(conn);
	go_on_later(conn);
}

struct stream *
http_conn_hand_over(struct http_conn *conn, const struct http_heir *heir, void *context)
{
	if (caller_stays(&conn->exchange))
		conn->peer = conn->exchange.client;
	exchange_end(&conn->exchange);
	conn->busy = false;
	conn->heir = heir;
	conn->heir_context = context;
	flush(conn);
	conn->look_wanted = false;
	conn->output_deadline = USEC_NEVER;
	timer_stop(conn->timer);
	conn->timer_at = USEC_NEVER;
	http_conn_phase(conn, PHASE_HEIR, USEC_NEVER);
	stream_hand_over(conn->stream, heir->stream, context);
	if (conn->close_after) /* the drain had begun */
		loop_defer(conn->front->loop, heir->on_drain, context);
	return conn->stream;
}

/* ---- what comes from the stream ---- */

static void
on_input(void *context)
{
	struct http_conn *conn = context;

	if (conn->phase == PHASE_LINGER)
		http_conn_end_reading(conn);
	else
		http_requests_work(conn);
}

static void
on_drained(void *context)
{
	struct http_conn *conn = context;
	struct exchange *exchange = &conn->exchange;

	if (conn->phase == PHASE_LINGER) {
		conn->deadline = http_conn_now(conn) + LINGER;
		arm(conn);
		if (conn->input_ended)
			http_conn_close(conn);
	} else if (conn->phase == PHASE_WORK && exchange->file != NULL) {
		file_reply_go_on(exchange);
	} else if (conn->phase == PHASE_WORK && exchange->on_drained != NULL) {
		exchange->on_drained(exchange);
	} else if (stream_input(conn->stream)->len > 0 || conn->input_ended) {
		http_requests_work(conn);
	}
}

/* The other side will send no more. It may still read; who waits in a long poll or a
 * stream and has closed its half is taken to be gone. */
static void
on_end(void *context, const char *error)
{
	struct http_conn *conn = context;

	conn->input_ended = true;
	if (error != NULL)
		http_conn_close(conn);
	else if (conn->phase == PHASE_WORK && conn->exchange.route->no_timeout)
		http_conn_close(conn);
	else if (conn->phase == PHASE_LINGER && stream_unsent(conn->stream) == 0)
		http_conn_close(conn);
	else
		http_requests_work(conn);
}

static const struct stream_events events = { on_input, on_drained, on_end };

/* The kernel would take megabytes for a client that reads nothing, and give them to
 * nobody else. On a Unix socket neither means anything. */
static void
set_tcp_options(int fd)
{
	int on = 1, unsent_max = KERNEL_UNSENT_MAX;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_max,
			 sizeof unsent_max);
}

struct http_conn *
http_conn_new(struct listener *listener, struct front *front, int fd,
	      const struct peer *peer)
{
	struct http_conn *conn = xcalloc(1, sizeof *conn);

	set_tcp_options(fd);
	conn->listener = listener;
	conn->front = front;
	conn->peer = *peer;
	conn->unnamed = peer->proxy && front->settings->http_proxy_protocol;
	conn->phase = PHASE_LINGER; /* until it is idle */
	conn->output_deadline = USEC_NEVER;
	conn->timer_at = USEC_NEVER;
	conn->links.conn = conn;
	list_init(&conn->links.all);
	list_init(&conn->links.idle);
	http_parser_init(&conn->parser, (size_t)front->settings->http_header_max);
	conn->stream = stream_new(front->loop, fd, &events, conn);
	stream_limit(conn->stream, INPUT_MAX);
	conn->timer = timer_new(front->loop, on_time, conn);
	http_conn_phase(conn, PHASE_IDLE,
			http_conn_now(conn) + front->settings->http_header_timeout);
	arm(conn);
	return conn;
}

/* ---- what takes too long ---- */

/* The other side does not know yet that we would rather close: what it has sent in this
 * moment is answered, with Connection: close. */
static void
expire_idle(struct http_conn *conn)
{
	char byte;

	conn->close_after = true;
	if (recv(stream_fd(conn->stream), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
		conn->deadline =
		    http_conn_now(conn) + conn->front->settings->http_header_timeout;
	else
		http_conn_close(conn);
}

static void
expire_check(struct http_conn *conn)
{
	exchange_time_out(&conn->exchange);
}

static void
expire_read(struct http_conn *conn)
{
	http_conn_refuse(conn, 408, "the request came too slowly");
}

static void
expire_work(struct http_conn *conn)
{
	if (conn->exchange.answer == ANSWER_NONE)
		exchange_time_out(&conn->exchange);
	else if (conn->exchange.file == NULL)
		http_conn_close(conn);
	else /* a download lasts as long as somebody reads */
		conn->deadline = USEC_NEVER;
}

static void (*const on_expired[PHASES])(struct http_conn *conn) = {
	[PHASE_IDLE] = expire_idle,   [PHASE_HEAD] = expire_read,
	[PHASE_CHECK] = expire_check, [PHASE_BODY] = expire_read,
	[PHASE_WORK] = expire_work,   [PHASE_LINGER] = http_conn_close,
};

/* By a reset: closing would leave the kernel with an answer that nobody takes, for as
 * long as the client likes. */
void
http_conn_reset(struct http_conn *conn)
{
	struct linger none = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(stream_fd(conn->stream), SOL_SOCKET, SO_LINGER, &none,
			 sizeof none);
	http_conn_close(conn);
}

static void
on_time(void *context)
{
	struct http_conn *conn = context;

	conn->timer_at = USEC_NEVER;
	look_at_output(conn);
	if (conn->output_deadline <= http_conn_now(conn)) {
		http_conn_reset(conn);
		return;
	}
	if (conn->deadline <= http_conn_now(conn))
		on_expired[conn->phase](conn);
	if (conn->stream != NULL)
		arm(conn);
}

static void
drain_work(struct exchange *exchange)
{
	if (!exchange->route->no_timeout || exchange->file != NULL)
		return;
	if (exchange->answer == ANSWER_NONE) {
		exchange_time_out(exchange);
	} else if (exchange->free_state != NULL) {
		if (exchange->on_stop != NULL)
			exchange->on_stop(exchange);
		reply_end(exchange);
	}
}

/* Who has just connected, or is a proxy that keeps connections for the next request,
 * may have one on the way: it is answered, and told to come elsewhere. */
static void
drain_idle(struct http_conn *conn)
{
	usec_t until = http_conn_now(conn) + IDLE_GRACE;

	if (conn->deadline > until)
		conn->deadline = until;
}

void
http_conn_drain(struct http_conn *conn)
{
	conn->close_after = true;
	if (conn->heir != NULL) {
		conn->heir->on_drain(conn->heir_context);
		return;
	}
	if (conn->phase == PHASE_WORK)
		drain_work(&conn->exchange);
	if (conn->phase == PHASE_IDLE)
		drain_idle(conn);
	arm(conn);
}
