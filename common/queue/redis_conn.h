/*
 * One connection to Redis that comes back by itself: resolving, connecting, greeting
 * (AUTH, SELECT, PING), commands with a watchdog, backoff. It reads replies with
 * hiredis' reader; hiredis' own asynchronous context is not used, because it takes a
 * message for the reply to a command, asserts on what the server sends and cannot be
 * freed from its callbacks.
 */
#ifndef QUEUE_REDIS_CONN_H
#define QUEUE_REDIS_CONN_H

#include <hiredis/hiredis.h>

#include "loop/loop.h"
#include "queue/redis_url.h"

struct redis_conn;

struct redis_conn_events {
	void (*on_attempt)(void *context); /* it begins to connect */
	void (*on_up)(void *context);
	void (*on_down)(void *context);
	/* A reply that no call waits for: a message. May be NULL. */
	void (*on_message)(void *context, const redisReply *reply);
};

struct redis_call {
	/* reply is NULL when the connection was lost first; valid for the call only. */
	void (*done)(struct redis_call *call, const redisReply *reply);
	void *owner, *subject; /* the asker's */
	size_t count;
	usec_t patience; /* without a reply for so long the connection is cut */
};

/* name tells connections apart in the log. Takes the URL's parts: *url is empty after.
 */
struct redis_conn *redis_conn_new(struct loop *loop, struct redis_url *url,
				  const char *name,
				  const struct redis_conn_events *events,
				  void *context);
void redis_conn_free(struct redis_conn **conn_p); /* calls under way are forgotten */
bool redis_conn_is_up(const struct redis_conn *conn); /* and not refusing */
bool redis_conn_is_connected(const struct redis_conn *conn);
size_t redis_conn_waiting(const struct redis_conn *conn); /* calls under way */

/* A command is begun, gets its arguments, and is sent at the end of the turn. Only
 * while connected. call NULL: no reply of its own is expected. */
void redis_conn_begin(struct redis_conn *conn, size_t arguments);
void redis_conn_add(struct redis_conn *conn, const void *data, size_t len);
void redis_conn_add_str(struct redis_conn *conn, const char *text);
void redis_conn_send(struct redis_conn *conn, const struct redis_call *call);

/* What replies said about Redis as a whole: refused ("READONLY ...") or served. */
void redis_conn_refused(struct redis_conn *conn, const char *why);
void redis_conn_served(struct redis_conn *conn);
void redis_conn_cut(struct redis_conn *conn, const char *why);

bool redis_reply_is_wrong_type(const redisReply *reply);

#endif
