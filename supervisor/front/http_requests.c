/*
 * Requests from the bytes of a connection, one after the other: head, key, body,
 * handler. What is read is decided by http_core, who may ask by auth, what is said by
 * the handler.
 */
#include "front/auth.h"
#include "front/caller.h"
#include "front/http_conn_priv.h"
#include "front/listen.h"
#include "front/pace_core.h"

#define OUTPUT_MAX (256 * 1024) /* unsent: no further request is begun */
#define BODY_GRACE (10 * USEC_SECOND)

static usec_t
earlier(usec_t a, usec_t b)
{
	return a < b ? a : b;
}

static void
begin_request(struct http_conn *conn)
{
	exchange_begin(&conn->exchange, conn);
	conn->busy = true;
	conn->complete = false;
	http_conn_phase(conn, PHASE_HEAD,
			http_conn_now(conn) +
			    conn->front->settings->http_header_timeout);
}

static usec_t
request_deadline(const struct http_conn *conn)
{
	const struct route *route = conn->exchange.route;

	if (conn->exchange.taker != NULL) /* as long as the pace is kept */
		return conn->complete ? http_conn_now(conn) +
					    conn->front->settings->http_request_timeout
				      : USEC_NEVER;
	if (route != NULL && route->no_timeout)
		return USEC_NEVER;
	return conn->exchange.began + conn->front->settings->http_request_timeout;
}

/* The body may come. */
static void
accept_body(struct http_conn *conn, size_t body_max)
{
	const struct http_head *head = &conn->parser.head;

	if (!http_accept_body(&conn->parser, body_max)) {
		http_conn_refuse(conn, conn->parser.status, conn->parser.why);
		return;
	}
	if (head->expects_continue && http_has_body(head) && head->minor > 0 &&
	    stream_input(conn->stream)->len == conn->input_used)
		buf_str(&conn->output, "HTTP/1.1 100 Continue\r\n\r\n");
	http_conn_phase(
	    conn, PHASE_BODY,
	    earlier(http_conn_now(conn) + BODY_GRACE, request_deadline(conn)));
}

/* The key is good. */
static void
admit(struct http_conn *conn)
{
	struct exchange *exchange = &conn->exchange;
	size_t body_max = exchange->route->body_max;

	if (!caller_may(exchange))
		return;
	if (body_max == BODY_IN_PIECES) {
		http_conn_phase(conn, PHASE_CHECK, request_deadline(conn));
		exchange->held = true;
		exchange->route->on_request(exchange);
		return;
	}
	accept_body(conn, body_max > 0 ? body_max
				       : (size_t)conn->front->settings->http_body_max);
}

static void
on_checked(struct exchange *exchange)
{
	struct http_conn *conn = exchange->conn;

	admit(conn);
	http_requests_work(conn);
}

/* All of these: whether to read on. */

static bool
on_head(struct http_conn *conn)
{
	struct exchange *exchange = &conn->exchange;
	enum auth_verdict verdict;

	exchange_head(exchange, &conn->parser.head);
	conn->complete = !http_has_body(&conn->parser.head);
	if (!caller_found(exchange) ||
	    !exchange_route(exchange, listener_router(conn->listener)) ||
	    !exchange_conditions(exchange))
		return true;
	verdict = auth_check(conn->front->auth, exchange, on_checked);
	if (verdict == AUTH_GRANTED)
		admit(conn);
	else if (verdict == AUTH_PENDING)
		http_conn_phase(conn, PHASE_CHECK, request_deadline(conn));
	return true;
}

static bool
on_piece(struct http_conn *conn)
{
	struct exchange *exchange = &conn->exchange;

	if (exchange->taker != NULL)
		exchange->taker->on_piece(exchange, conn->parser.piece,
					  conn->parser.piece_len);
	else
		buf_add(&exchange->body, conn->parser.piece, conn->parser.piece_len);
	return true;
}

static bool
on_request(struct http_conn *conn)
{
	struct exchange *exchange = &conn->exchange;

	conn->complete = true;
	http_conn_phase(conn, PHASE_WORK, request_deadline(conn));
	exchange->held = true;
	if (exchange->taker != NULL)
		exchange->taker->on_all(exchange);
	else if (exchange->route->changes != NULL)
		exchange_change_begin(exchange);
	else
		exchange->route->on_request(exchange);
	return true;
}

static bool
on_refused(struct http_conn *conn)
{
	http_conn_refuse(conn, conn->parser.status, conn->parser.why);
	return false;
}

static bool
on_all_read(struct http_conn *conn)
{
	if (!conn->input_ended)
		return false;
	if (conn->busy)
		http_conn_cut(conn); /* half a request */
	else
		http_conn_linger(conn);
	return false;
}

static bool (*const on_event[HTTP_EVENTS])(struct http_conn *conn) = {
	[HTTP_MORE] = on_all_read, [HTTP_HEAD] = on_head,     [HTTP_PIECE] = on_piece,
	[HTTP_END] = on_request,   [HTTP_ERROR] = on_refused,
};

static bool
may_read(const struct http_conn *conn)
{
	return (conn->phase == PHASE_IDLE || conn->phase == PHASE_HEAD ||
		conn->phase == PHASE_BODY) &&
	       http_conn_unsent(conn) < OUTPUT_MAX && !conn->cut;
}

static bool
read_on(struct http_conn *conn)
{
	const struct buf *input = stream_input(conn->stream);
	const char *data = input->data + conn->input_used;
	enum http_event event;
	size_t used;

	if (input->len == conn->input_used)
		data = "";
	event = http_parse(&conn->parser, data, input->len - conn->input_used, &used);
	conn->input_used += used;
	if (conn->phase == PHASE_IDLE &&
	    (event != HTTP_MORE || http_parser_started(&conn->parser)))
		begin_request(conn);
	if (conn->phase == PHASE_BODY)
		conn->deadline = earlier(
		    pace_pay(conn->deadline, http_conn_now(conn), BODY_GRACE, used),
		    request_deadline(conn));
	return on_event[event](conn);
}

/* Whether requests may be read: it is known for whom. */
static bool
is_named(struct http_conn *conn)
{
	enum http_intro intro = http_intro_read(conn);

	if (intro != HTTP_INTRO_CROWDED)
		return intro == HTTP_INTRO_DONE;
	begin_request(conn);
	http_conn_refuse(conn, 429, "too many connections of this address");
	return false;
}

void
http_requests_work(struct http_conn *conn)
{
	if (conn->working)
		return;
	conn->working = true;
	if (is_named(conn))
		while (may_read(conn) && read_on(conn))
			;
	conn->working = false;
	http_conn_end_reading(conn);
	http_conn_flush(conn);
}

/* ---- bodies that are taken in pieces ---- */

void
exchange_take_body(struct exchange *exchange, size_t max,
		   const struct body_taker *taker)
{
	exchange->taker = taker;
	accept_body(exchange->conn, max);
	http_requests_work(exchange->conn);
}

void
exchange_pause(struct exchange *exchange)
{
	struct http_conn *conn = exchange->conn;

	http_conn_phase(conn, PHASE_CHECK,
			http_conn_now(conn) +
			    conn->front->settings->http_request_timeout);
}

void
exchange_go_on(struct exchange *exchange)
{
	struct http_conn *conn = exchange->conn;

	http_conn_phase(conn, PHASE_BODY, http_conn_now(conn) + BODY_GRACE);
	http_requests_work(conn);
}
