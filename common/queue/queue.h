/*
 * The one door to Redis (hiredis): "there is work". An entry names a step and entitles
 * to nothing; it may be late, doubled or lost. Redis is expendable: when it is away
 * pushes and messages are dropped and counted, and workers ask PostgreSQL themselves.
 *
 * A list holds the ready steps of one queue and priority, "PREFIX:q:NAME:PRIO", each
 * entry 20 bytes: the run's id and the step number in network order. Lists are bounded.
 */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/step_ref.h"
#include "loop/loop.h"

#define QUEUE_LIST_MAX 100000 /* past it nothing is pushed: PostgreSQL has it */
#define QUEUE_POP_MAX  256
#define QUEUE_NAME_MAX 64

struct queue_conf {
	const char
	    *url; /* redis://[[user]:password@]host[:port][/db] or unix:/path[?db=n] */
	const char *prefix; /* "stepmill" */
};

struct queue_stats {
	uint64_t pushed, popped, dropped, garbage, published, received, connects;
};

/*
 * Pushing and publishing. One connection that comes back by itself (backoff with full
 * jitter, 100 ms to 5 s, at most 2 connects a second), asynchronous name resolution or
 * numeric addresses and sockets, no call that waits. State changes are logged once.
 */
struct queue *queue_new(struct loop *loop, const struct queue_conf *conf,
			struct err *err);
void queue_free(struct queue **queue_p);
bool queue_is_up(const struct queue *queue);
const struct queue_stats *queue_stats(const struct queue *queue);
/* Never fails and never waits: one RPUSH per call, guarded by the bound on the list. */
void queue_push(struct queue *queue, const char *name, enum priority priority,
		const struct step_ref *refs, size_t count);
void queue_publish(struct queue *queue, const char *channel, const void *data,
		   size_t len);
/* Depths of a queue's lists by LLEN; done with all -1 when Redis is away. */
typedef void queue_depth_fn(void *context, const int64_t depth[static PRIORITIES]);
void queue_depth(struct queue *queue, const char *name, queue_depth_fn *done,
		 void *context);

/*
 * Popping: its own connection, since BLMPOP blocks it. One pop under way at a time.
 * names x priorities are the lists in order; the order of priorities is given per pop.
 * done gets 0 refs when the time is over, Redis is away (then after the same time, not
 * at once), or what was there was garbage (dropped, counted). A watchdog of time +
 * 400 ms cuts a connection that hangs.
 */
struct popper;
typedef void popper_fn(void *context, const struct step_ref *refs, size_t count);
struct popper *popper_new(struct loop *loop, const struct queue_conf *conf,
			  struct err *err);
void popper_free(struct popper **popper_p);
bool popper_is_busy(const struct popper *popper);
const struct queue_stats *popper_stats(const struct popper *popper);
void popper_pop(struct popper *popper, const char *const *names, size_t names_count,
		const enum priority order[static PRIORITIES], size_t most, usec_t wait,
		popper_fn *done, void *context);

/*
 * Subscribing: its own connection. Channels are "PREFIX:NAME", told without the prefix.
 * Each time all of them are subscribed, the first time too, on_message comes once with
 * data NULL and channel "": something may have been missed, look again.
 */
struct subscriber;
typedef void subscriber_fn(void *context, const char *channel, const void *data,
			   size_t len);
struct subscriber *subscriber_new(struct loop *loop, const struct queue_conf *conf,
				  const char *const *channels, size_t count,
				  subscriber_fn *on_message, void *context,
				  struct err *err);
void subscriber_free(struct subscriber **subscriber_p);
bool subscriber_is_up(const struct subscriber *subscriber);
const struct queue_stats *subscriber_stats(const struct subscriber *subscriber);

/* Channels: "events": concatenated 24-byte entries, run id and last seq (network
 * order); "control": one run id (16 bytes) whose status was changed from outside a
 * worker. */
#define CHANNEL_EVENTS  "events"
#define CHANNEL_CONTROL "control"

#endif
