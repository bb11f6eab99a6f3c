/*
 * One connection: reads requests, one at a time, gives them to their routes, sends the
 * answers, and cuts off who is slow, silent or gone.
 *
 *	idle -> head -> check -> body -> work -> idle
 *	                                 work -> heir (another protocol) -> closed
 *	                  any of them -> linger -> closed
 *
 * Deadlines: head http.header_timeout from its first byte; body at least 1 KiB/s after
 * 10 s; all of it http.request_timeout unless the route says no_timeout; idle
 * http.keepalive_timeout; output at least 1 KiB/s after 30 s; linger 1 s.
 */
#ifndef FRONT_HTTP_CONN_H
#define FRONT_HTTP_CONN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "base/usec.h"
#include "front/front.h"
#include "front/peers.h"

struct http_conn;

struct http_conn_links {
	struct list all, idle;
	usec_t idle_since; /* monotonic */
	struct http_conn *conn;
};

/* Takes the descriptor. Tells the listener when it is idle (listener_idle) and when it
 * is closed (listener_closed). */
struct http_conn *http_conn_new(struct listener *listener, struct front *front, int fd,
				const struct peer *peer);
void http_conn_close(struct http_conn *conn); /* at once; freed when nobody holds it */
/* At once, and what is with the kernel goes as well. */
void http_conn_reset(struct http_conn *conn);
/* Frees a closed one although a handler holds it: that one will never answer. */
void http_conn_forget(struct http_conn *conn);
/* The supervisor is about to stop: ends long polls and streams; closes after what is in
 * work, or at once when nothing is. */
void http_conn_drain(struct http_conn *conn);
const struct peer *http_conn_peer(const struct http_conn *conn);
struct listener *http_conn_listener(const struct http_conn *conn);
/* The links are the listener's: it keeps its lists with them. */
struct http_conn_links *http_conn_links(struct http_conn *conn);

/* ---- another protocol on the same connection ---- */

struct stream_events;

/* Who takes a connection over. It stays with the listener, which counts it and may
 * close it; the heir closes it with http_conn_close. */
struct http_heir {
	const struct stream_events *stream; /* from now on */
	void (*on_drain)(void *context);    /* the supervisor is about to stop */
	void (*on_closed)(void *context);   /* the stream is gone */
};

/* After an answer. The stream stays the connection's; in its input stands what came
 * behind the request, from the next turn on. */
struct stream *http_conn_hand_over(struct http_conn *conn, const struct http_heir *heir,
				   void *context);

/* ---- for the rooms that answer ---- */

/* Gathered, and sent at the end of the work in hand. */
struct buf *http_conn_output(struct http_conn *conn);
void http_conn_flush(struct http_conn *conn);
size_t http_conn_unsent(const struct http_conn *conn);
bool http_conn_will_close(const struct http_conn *conn); /* after this answer */
void http_conn_close_after(struct http_conn *conn);      /* it shall */
void http_conn_answered(struct http_conn *conn);         /* the answer is complete */
void http_conn_released(struct http_conn *conn);         /* the handler let go */
void http_conn_cut(struct http_conn *conn); /* at the end of this turn, without more */

#endif
