/* What http_conn.c and http_requests.c share; nobody else includes it. */
#ifndef FRONT_HTTP_CONN_PRIV_H
#define FRONT_HTTP_CONN_PRIV_H

#include "front/exchange.h"
#include "front/http_conn.h"
#include "loop/stream.h"

enum phase {
	PHASE_IDLE,   /* nothing of a request has come */
	PHASE_HEAD,   /* the head is coming */
	PHASE_CHECK,  /* the key is looked up */
	PHASE_BODY,   /* the body is coming */
	PHASE_WORK,   /* the handler has it, or the answer is on its way */
	PHASE_HEIR,   /* it speaks another protocol now */
	PHASE_LINGER, /* the last answer is given: what still comes is dropped */
	PHASES
};

struct http_conn {
	struct http_conn_links links; /* the listener's */
	struct listener *listener;
	struct front *front;
	struct peer peer;
	struct stream *stream; /* NULL: closed */
	struct timer *timer;
	struct http_parser parser;
	struct exchange exchange;
	const struct http_heir *heir; /* NULL: it still speaks HTTP */
	void *heir_context;
	struct buf output; /* gathered, not yet with the stream */
	enum phase phase;
	usec_t deadline;        /* of the phase */
	usec_t output_deadline; /* USEC_NEVER: the client has taken all */
	usec_t timer_at;        /* when the timer comes; USEC_NEVER: it is off */
	uint64_t written;       /* given to the stream */
	uint64_t taken;         /* of it by the client, at the last look */
	uint64_t owed;          /* written at the last look */
	size_t input_used;      /* of the stream's input, in the work in hand */
	bool unnamed;           /* a proxy's, and not yet said for whom */
	bool busy;              /* a request has begun and is not answered */
	bool complete;          /* it has been read to its end */
	bool working;
	bool close_after;
	bool look_wanted; /* something was written since the last look */
	bool input_ended;
	bool cut, go_on_queued, flush_queued; /* deferred to the end of the turn */
};

usec_t http_conn_now(const struct http_conn *conn);
void http_conn_phase(struct http_conn *conn, enum phase phase, usec_t deadline);
void http_conn_refuse(struct http_conn *conn, int status, const char *why);
void http_conn_linger(struct http_conn *conn);
void http_conn_end_reading(struct http_conn *conn); /* after work on the input */

/* http_intro.c: for whom a proxy has opened the connection, if it has to say so. */
enum http_intro {
	HTTP_INTRO_DONE,
	HTTP_INTRO_MORE,    /* to come; or it was nonsense, and the end comes */
	HTTP_INTRO_CROWDED, /* that address has too many already */
	HTTP_INTROS
};
enum http_intro http_intro_read(struct http_conn *conn);

/* http_requests.c: as many requests as there are, in order, until one stays with its
 * handler. */
void http_requests_work(struct http_conn *conn);

#endif
