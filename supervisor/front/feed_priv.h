/*
 * What the rooms of the feed share: feed.c (who asks, when it is looked), feed_tail.c
 * (subscriptions to one run), feed_every.c (to every run). Nobody else includes it.
 */
#ifndef FRONT_FEED_PRIV_H
#define FRONT_FEED_PRIV_H

#include "base/list.h"
#include "front/feed.h"

/* Of a subscription that is in no look. */
#define FEED_NO_PLACE SIZE_MAX

struct feed_sub {
	struct list link;      /* of its tail, or of all that want every run */
	struct list dead_link; /* of those that ended in this turn */
	struct feed *feed;
	struct feed_filter filter;
	char *requested_by;         /* the filter's */
	uint64_t requested_by_hash; /* 0: any */
	feed_started_fn *on_started;
	feed_event_fn *on_event;
	void *context;
	int64_t seq;      /* the last one given; before it started, what it asked for */
	int64_t last_seq; /* of the run, at the last look */
	size_t place;     /* in the look under way */
	usec_t called;    /* every: when, by our monotonic clock */
	/* The same by PostgreSQL's: what is for it. */
	usec_t made_since, logged_since;
	bool started, paused, dead;
	bool over; /* the run, or it is gone, at the last look */
};

/* Takes events at the moment. */
static inline bool
feed_sub_reads(const struct feed_sub *sub)
{
	return !sub->dead && !sub->paused;
}

/* At the end of this turn: those marked are looked up, the dead are buried. */
void feed_wake(struct feed *feed);
struct pg *feed_pg(const struct feed *feed);
uint64_t feed_hash(const char *text); /* of who asked for a run; never 0 */

#define FEED_ANY_SEQ INT64_MAX /* a hint that only says: look */

/* feed_tail.c */
struct tails;
struct tails *tails_new(struct feed *feed);
void tails_free(struct tails **tails_p);
void tails_add(struct tails *tails, struct feed_sub *sub);
/* Of a sub that dies; the tail goes with its last one. */
void tails_remove(struct tails *tails, struct feed_sub *sub);
void tails_mark(struct tails *tails, const struct uuid *run, int64_t seq);
void tails_mark_all(struct tails *tails);
void tails_look(struct tails *tails);
bool tails_are_read(const struct tails *tails); /* somebody takes events */

/* feed_every.c */
struct every;
struct every *every_new(struct feed *feed);
void every_free(struct every **every_p);
void every_add(struct every *every, struct feed_sub *sub);
void every_remove(struct every *every, struct feed_sub *sub);
void every_mark(struct every *every, const struct uuid *run, int64_t seq);
void every_mark_all(struct every *every);
void every_look(struct every *every);
bool every_is_read(const struct every *every);

#endif
