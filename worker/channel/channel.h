/*
 * The worker's side of the channel of a child program: a stream socket over which the
 * program calls, and more of them that it sends (SCM_RIGHTS). Who owns the channel
 * answers calls, in any order. A program that does not read its answers, or asks more
 * than it may at once, is not read from until it does.
 */
#ifndef CHANNEL_CHANNEL_H
#define CHANNEL_CHANNEL_H

#include "channel/message_core.h"
#include "loop/loop.h"

#define CHANNEL_CALLS_MAX  256 /* outstanding, of one link */
#define CHANNEL_LINKS_MAX  33  /* the first one and 32 more */
#define CHANNEL_UNSENT_MAX (4 * 1024 * 1024)

struct channel;
struct channel_call; /* to be answered once */

struct channel_events {
	/* call is the receiver's: channel_result or channel_fail ends it, also of a
	 * notification, on which no answer is sent. method and params are borrowed. */
	void (*on_call)(void *context, struct channel_call *call, const char *method,
			struct json *params);
	/* What is no message, of the first link, with its newlines. NULL: there it is
	 * an error, as it is everywhere else. */
	void (*on_other)(void *context, const char *text, size_t len);
	/* The first link has ended: nobody has its other end. May be NULL. */
	void (*on_end)(void *context);
};

/* fd: our end, taken; made non-blocking here. */
struct channel *channel_new(struct loop *loop, int fd,
			    const struct channel_events *events, void *context);
/* Calls that are not answered yet may still be, to nobody. */
void channel_free(struct channel **channel_p);

/* Are the answer of a call; *call_p is NULL afterwards. result and data are taken. */
void channel_result(struct channel_call **call_p, struct json *result);
void channel_fail(struct channel_call **call_p, enum rpc_code code, struct json *data,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));
bool channel_is_first(const struct channel_call *call); /* by the first link */

/* To the first link. params is taken. */
void channel_notify(struct channel *channel, const char *method, struct json *params);
/* No call is without its answer. */
bool channel_is_idle(const struct channel *channel);
/* The other ends are gone: reads what they wrote before. */
void channel_drain(struct channel *channel);

#endif
