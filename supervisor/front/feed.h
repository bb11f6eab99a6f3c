/*
 * Events to whoever waits for them: first from the events table, then live. Redis only
 * says "look again"; without it the table is looked at every half second. With nobody
 * waiting PostgreSQL is asked nothing.
 *
 * A wait is told once that there may be something (the long poll reads by itself). A
 * subscription is given the events: subscribers of one run share one tail, all tails of
 * a turn are looked up by one statement.
 */
#ifndef FRONT_FEED_H
#define FRONT_FEED_H

#include "base/uuid7.h"
#include "front/feed_event_core.h"
#include "front/front.h"

struct feed;
struct feed_wait;
struct feed_sub;

/* Called once: there may be events after `since` (or the time is over). */
typedef void feed_fn(void *context);

struct feed *feed_new(struct front *front, struct err *err);
void feed_free(struct feed **feed_p);
struct feed_wait *feed_wait(struct feed *feed, const struct uuid *run, int64_t since,
			    usec_t most, feed_fn *fn, void *context);
void feed_wait_cancel(struct feed_wait **wait_p);
/* Tells the other supervisors and our own waiters: the run got events up to seq. */
void feed_announce(struct feed *feed, const struct uuid *run, int64_t seq);

/* ---- subscriptions ---- */

struct feed_filter {
	bool every; /* false: of `run` only */
	struct uuid run;
	struct uuid workflow, project; /* nil: any; with every */
	struct uuid confined;          /* the project a key may not leave; nil: none */
	const char *requested_by;      /* NULL: any; with every: runs that this client
					  triggered. Copied. */
	bool alive_only; /* with every: no runs that had ended before, though somebody
			    may still comment on them */
	bool bare;       /* the events alone: run_doc, row and approval are NULL */
};

/* Once: how far the run's log was when the subscription stood (0 with every). err
 * NOT_FOUND: the run is not there, or not in `confined`; the subscription is over, free
 * it with feed_unsubscribe. */
typedef void feed_started_fn(void *context, int64_t last_seq, const struct err *err);
/* In order of seq per run. */
typedef void feed_event_fn(void *context, const struct feed_event *event);

/* since >= 0: what the log holds after that number first, then live, without gap and
 * without repeat (single run); a number beyond its end is taken for the end. since < 0:
 * from now on; always so with every. Never calls back from inside the call. */
struct feed_sub *feed_subscribe(struct feed *feed, const struct feed_filter *filter,
				int64_t since, feed_started_fn *on_started,
				feed_event_fn *on_event, void *context);
/* No callback comes after it; may be called inside its callbacks. Accepts NULL. */
void feed_unsubscribe(struct feed_sub **sub_p);
/* A reader that cannot take more: nothing is read for it until it may go on; then what
 * came meanwhile is read from the table, so of a single run nothing is lost. With every
 * it goes on with what comes then. */
void feed_pause(struct feed_sub *sub, bool pause);
/* Single run, in its callbacks or later: the run was over at the last look (or deleted
 * since) and what its log held was given. A crashed run may be resumed all the same. */
bool feed_at_end(const struct feed_sub *sub);

#endif
