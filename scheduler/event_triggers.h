/*
 * Starts runs of the workflows whose triggers wait for events: reads those that came,
 * asks each trigger, and stores the runs together with the note that the events were
 * looked at, so that each is looked at once. Sleeps until an event comes (it listens).
 */
#ifndef SCHEDULER_EVENT_TRIGGERS_H
#define SCHEDULER_EVENT_TRIGGERS_H

#include "loop/loop.h"
#include "queue/queue.h"

struct event_triggers;

struct event_triggers_conf {
	const char *url;
	usec_t statement_timeout;
	struct queue *queue; /* or NULL */
	loop_fn *wake;       /* something came: tick again */
	bool (*may_act)(const void *context);
	int64_t (*epoch)(const void *context); /* of the leadership */
	void *context;
};

struct event_triggers *event_triggers_new(struct loop *loop,
					  const struct event_triggers_conf *conf,
					  struct err *err);
void event_triggers_free(struct event_triggers **events_p);
/* Only while leading. Does what is due; returns when to come again (monotonic). */
usec_t event_triggers_tick(struct event_triggers *events, usec_t now);
void event_triggers_forget(struct event_triggers *events); /* we lead no more */
bool event_triggers_busy(const struct event_triggers *events);

#endif
