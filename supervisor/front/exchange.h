/*
 * One request and its answer, from the inside: what the rooms of the HTTP server share.
 * Handlers see it through route.h only.
 *
 * A handler holds the exchange from on_request until it has answered, or until its
 * free_state was called. When the client goes earlier and no state was set, the
 * exchange stays until the handler's answer, which is dropped.
 */
#ifndef FRONT_EXCHANGE_H
#define FRONT_EXCHANGE_H

#include "base/buf.h"
#include "base/usec.h"
#include "front/front.h"
#include "front/http_core.h"
#include "front/peers.h"
#include "front/route.h"
#include "front/router.h"

#define EXCHANGE_ID_MAX  128
#define EXCHANGE_WHO_MAX 128

struct change; /* change.h */
struct http_conn;
struct http_heir;  /* http_conn.h */
struct stream;     /* loop/stream.h */
struct file_reply; /* http_file.c */

enum answer { ANSWER_NONE, ANSWER_STREAM, ANSWER_DONE };

struct exchange {
	struct http_conn *conn;
	struct front *front;
	const struct http_head *head;
	const struct route *route; /* NULL: none was found */
	size_t route_skip; /* segments before the route's second: 1 for /api/v1 */
	char request_id[EXCHANGE_ID_MAX + 1];
	char who[EXCHANGE_WHO_MAX + 1];
	struct uuid project; /* that the key is bound to; nil: to none */
	struct json *tools;  /* that runs may use; NULL: all */
	struct peer client;  /* when named: whom a trusted proxy asks for */
	bool named, counted; /* counted: in the listener's peers */
	bool has_key;        /* who is a key's name */
	usec_t began;        /* monotonic */
	struct buf body;
	struct json *json; /* the body, once it was asked for */
	bool json_read;

	/* the answer */
	enum answer answer;
	int status;
	struct buf headers; /* of the handler */
	bool cacheable;     /* the handler said something about caching */
	bool bodiless;      /* HEAD, 204, 304 */
	bool chunked;
	void (*on_drained)(struct exchange *exchange);
	void (*on_stop)(struct exchange *exchange);
	struct file_reply *file;

	/* the handler */
	void *state;
	void (*free_state)(void *state);
	void *kept;
	const struct body_taker *taker;        /* NULL: the body is read whole */
	void (*go)(struct exchange *exchange); /* within the change; NULL: on_request */
	struct json *once;                     /* exchange_show_once; or NULL */
	bool held;              /* it will answer, or free_state will be called */
	bool apart;             /* the change is a long one */
	struct change *change;  /* of a route that changes something; NULL: ended */
	exchange_made_fn *made; /* answers once that is committed; or NULL */
	bool gone;              /* nobody waits for the answer any more */
};

/* Begins: everything empty, a request id of our own. */
void exchange_begin(struct exchange *exchange, struct http_conn *conn);
/* The head is there: takes the client's request id when it is a decent one. */
void exchange_head(struct exchange *exchange, const struct http_head *head);
/* Finds its route. False: there is none, and that was answered. */
bool exchange_route(struct exchange *exchange, const struct router *router);
/* Whether what the head asks for can be read. False: not, and that was answered. */
bool exchange_conditions(struct exchange *exchange);
/* Is answered: logs, counts, frees what the handler kept. */
void exchange_end(struct exchange *exchange);
/* The handler has done its part: frees its state. */
void exchange_let_go(struct exchange *exchange);
/* Will not be answered any more: tells the handler. False: it still holds on. */
bool exchange_abandon(struct exchange *exchange);

/* The handler took too long: answers 503 in its place, and takes the exchange from it.
 * A handler without state keeps what it borrowed until it answers, to nobody. */
void exchange_time_out(struct exchange *exchange);

/* An answer without handler: a refusal, after which the connection is closed. */
void reply_refusal(struct exchange *exchange, int status, const char *why);
const char *reply_status_text(int status); /* "Not Found" */

/* ---- exchange_change.c: what it changes ---- */

/* Begins the change; the handler is called when its turn has come. */
void exchange_change_begin(struct exchange *exchange);
/* Takes the handler's answer, which is given after the commit. False: nothing is
 * changed here, answer at once. */
bool exchange_change_takes(struct exchange *exchange, int status, const char *text,
			   size_t len);
/* Undoes what was not answered yet. */
void exchange_change_drop(struct exchange *exchange);
/* The handler has not been called yet, and need not be: nobody waits any more. */
void exchange_change_leave(struct exchange *exchange);

/* Answers 101 with the headers given before, and hands the connection over; the
 * exchange is over then. NULL: the client is gone. */
struct stream *reply_upgrade(struct exchange *exchange, const struct http_heir *heir,
			     void *context);

/* ---- for the rooms that answer ---- */

/* Whether an answer can still be given; when not, the handler lets go with this call.
 */
bool reply_possible(struct exchange *exchange);
/* The head of an answer. body_len -1: unknown, chunked where the client can read it. */
void reply_head(struct exchange *exchange, int status, const char *content_type,
		int64_t body_len);

/* http_file.c: what was sent has gone, go on; and the end, sent or not. */
void file_reply_go_on(struct exchange *exchange);
void file_reply_free(struct file_reply **file_p);

#endif
