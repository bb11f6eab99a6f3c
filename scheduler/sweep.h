/*
 * The recovery sweep: workers whose lease ended are declared dead and their steps
 * queued again, runs past their time are ended, runs that nothing can move are marked
 * as crashed. It is also what resumes everything after a restart of the whole.
 */
#ifndef SCHEDULER_SWEEP_H
#define SCHEDULER_SWEEP_H

#include <stdbool.h>

#include "loop/loop.h"
#include "queue/queue.h"

struct sweep;

struct sweep_conf {
	const char *url;
	usec_t statement_timeout, interval;
	struct queue *queue;                  /* or NULL */
	loop_fn *wake;                        /* something came: tick again */
	bool (*may_act)(const void *context); /* we lead, at this very moment */
	void *context;
};

struct sweep *sweep_new(struct loop *loop, const struct sweep_conf *conf,
			struct err *err);
void sweep_free(struct sweep **sweep_p);
void sweep_set_interval(struct sweep *sweep, usec_t interval);
/* Only while leading. Does what is due; returns when to come again (monotonic). */
usec_t sweep_tick(struct sweep *sweep, usec_t now);
void sweep_stop(struct sweep *sweep); /* begins no other stage */
bool sweep_busy(const struct sweep *sweep);

#endif
