/*
 * Which runs a subscription to every run has to follow, and from where. They are found
 * in three ways: a hint names one, new ones are the last by their ids, and those not
 * over stand in an index of their own. What was found is met once: there its numbers
 * are, and what subscriptions choose by.
 *
 * A run is begun after what was logged before the floor: a moment of PostgreSQL's clock
 * before which nothing can have been overlooked, since a whole sweep began later. One
 * that is over is forgotten when the floor has passed what was given of it, so nothing
 * comes twice if it is met again.
 */
#ifndef FRONT_FEED_RUNS_H
#define FRONT_FEED_RUNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "base/usec.h"
#include "base/uuid7.h"
#include "store/pg.h"

/* Past it runs are not followed until others are forgotten: about 20 MiB. */
#define FEED_RUNS_MAX 100000

struct feed_run {
	struct list link; /* of those to meet, or the owner's; alone when in neither */
	struct uuid id, workflow, project;
	uint64_t requested_by; /* feed_hash, 0: nobody */
	int64_t seq;           /* the last event that was given */
	int64_t last_seq;      /* at the last look */
	usec_t made_at;        /* by PostgreSQL's clock */
	usec_t met_at;         /* 0: not yet */
	usec_t settled_at;     /* of a run over: all was given at that moment; else 0 */
	unsigned unwanted;     /* the owner's: state in which nobody wants it */
	bool over;             /* at the last look */
	bool ended_before;     /* over since before the floor when it was met */
	bool stopped;          /* the owner's: no more of the page under way */
};

struct feed_runs_events {
	void (*on_send)(void *context); /* a page is asked for */
	/* It has come, with PostgreSQL's time. */
	void (*on_page)(void *context, usec_t now);
	/* May have events: it was met, or goes on after it was over. */
	void (*on_run)(void *context, struct feed_run *run);
	void (*on_wake)(void *context); /* feed_runs_ask has something to do */
};

struct feed_runs;

struct feed_runs *feed_runs_new(struct pg *pg, const struct feed_runs_events *events,
				void *context);
void feed_runs_free(struct feed_runs **runs_p);
void feed_runs_clear(struct feed_runs *runs); /* forgets all; begins anew */
/* A page of a sweep is wanted, and those not met yet are asked for again. */
void feed_runs_sweep(struct feed_runs *runs);
void feed_runs_ask(struct feed_runs *runs); /* sends what is wanted and not under way */
void feed_runs_hear(struct feed_runs *runs,
		    const struct uuid *id); /* of it, somebody */
struct feed_run *feed_runs_find(const struct feed_runs *runs, const struct uuid *id);
/* Those met; cursor starts at 0. The current one may be dropped meanwhile. */
struct feed_run *feed_runs_next(const struct feed_runs *runs, size_t *cursor);
/* Whether nothing will be missed, nor come twice, if it is dropped. */
bool feed_runs_is_past(const struct feed_runs *runs, const struct feed_run *run);
void feed_runs_drop(struct feed_runs *runs, struct feed_run *run);
usec_t feed_runs_now(const struct feed_runs *runs); /* at the last page; 0: none yet */

#endif
