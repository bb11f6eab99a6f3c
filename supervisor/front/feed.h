/*
 * Events to whoever waits for them: first from the events table, then live. Redis only
 * says "look again"; without it the table is looked at every half second.
 */
#ifndef FRONT_FEED_H
#define FRONT_FEED_H

#include "front/front.h"

struct feed;
struct feed_wait;

/* Called once: there may be events after `since` (or the time is over). */
typedef void feed_fn(void *context);

struct feed *feed_new(struct front *front, struct err *err);
void feed_free(struct feed **feed_p);
struct feed_wait *feed_wait(struct feed *feed, const struct uuid *run, int64_t since,
			    usec_t most, feed_fn *fn, void *context);
void feed_wait_cancel(struct feed_wait **wait_p);
/* Tells the other supervisors and our own waiters: the run got events up to seq. */
void feed_announce(struct feed *feed, const struct uuid *run, int64_t seq);

#endif
