/*
 * One look into the logs of many runs: collects who asks for what, sends one statement
 * (feed_look.sql), hands its answer out. What is asked again, and when, is decided by
 * those who ask.
 */
#ifndef FRONT_FEED_LOOK_H
#define FRONT_FEED_LOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/usec.h"
#include "front/feed_event_core.h"
#include "store/pg.h"

#define FEED_LOOK_MAX 500 /* places in one look */

struct feed_ask {
	struct uuid run;
	int64_t since; /* FEED_NOTHING: only where the run stands */
	bool whole;    /* with rows, the run and approvals */
	bool first;    /* with the project of the run */
};

#define FEED_NOTHING INT64_MAX

struct feed_state {
	bool there;
	bool over;
	int64_t last_seq;
	struct uuid project; /* nil unless asked for */
	usec_t now;          /* PostgreSQL's */
};

/* In this order: on_state once for each place, after it that place's events; on_end
 * once, without the others when it failed. Nothing new, or no room: no events. */
struct feed_look_events {
	void (*on_state)(void *context, size_t place, const struct feed_state *state);
	void (*on_event)(void *context, size_t place, const struct feed_event *event,
			 usec_t at);
	void (*on_end)(void *context, const struct err *err);
};

struct feed_look;

/* events are borrowed for its life. */
struct feed_look *feed_look_new(struct pg *pg, const struct feed_look_events *events,
				void *context);
void feed_look_free(struct feed_look **look_p); /* nothing is handed out after it */
bool feed_look_is_busy(const struct feed_look *look); /* sent, or being handed out */
bool feed_look_is_full(const struct feed_look *look);
/* Its place. Neither busy nor full. */
size_t feed_look_add(struct feed_look *look, const struct feed_ask *ask);
/* False: there was nothing to ask. */
bool feed_look_send(struct feed_look *look);
size_t feed_look_count(const struct feed_look *look);
const struct feed_ask *feed_look_asked(const struct feed_look *look, size_t place);

#endif
