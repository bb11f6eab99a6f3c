/*
 * Fires schedules: looks for those whose time has come, decides what becomes of each
 * expected firing (firing_core.h), stores ledger, runs and how the schedules go on in
 * one transaction, and rings the bells. Between the firings it sleeps until the next
 * one is due, or a schedule was changed (it listens).
 */
#ifndef SCHEDULER_SCHEDULES_H
#define SCHEDULER_SCHEDULES_H

#include "clock_core.h"
#include "loop/loop.h"
#include "queue/queue.h"

struct schedules;

struct schedules_conf {
	const char *url;
	usec_t statement_timeout;
	struct queue *queue; /* or NULL */
	loop_fn *wake;       /* something came: tick again */
	bool (*may_act)(const void *context);
	int64_t (*epoch)(
	    const void *context); /* of the leadership; 0: we do not lead */
	void *context;
};

struct schedules *schedules_new(struct loop *loop, const struct schedules_conf *conf,
				struct err *err);
void schedules_free(struct schedules **schedules_p);
/* Only while leading. Does what is due; returns when to come again (monotonic). */
usec_t schedules_tick(struct schedules *schedules, const struct clock_core *clock,
		      usec_t now);
void schedules_forget(struct schedules *schedules); /* we lead no more */
bool schedules_busy(const struct schedules *schedules);

#endif
