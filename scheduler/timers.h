/*
 * Timers: steps to be tried again, steps that wait, runs that start later. Reads ahead
 * what is due within a short window, again and again, so that a new timer nearer than
 * the window is noticed without anybody telling; asks the database to fire what is due.
 */
#ifndef SCHEDULER_TIMERS_H
#define SCHEDULER_TIMERS_H

#include <stdbool.h>

#include "clock_core.h"
#include "loop/loop.h"
#include "queue/queue.h"

struct timers;

struct timers_conf {
	const char *url;
	usec_t statement_timeout;
	struct queue *queue; /* or NULL */
	loop_fn *wake;       /* something came: tick again */
	void *context;
};

struct timers *timers_new(struct loop *loop, const struct timers_conf *conf,
			  struct err *err);
void timers_free(struct timers **timers_p);
/* Only while leading. Does what is due; returns when to come again (monotonic). */
usec_t timers_tick(struct timers *timers, const struct clock_core *clock, usec_t now);
void timers_forget(struct timers *timers);     /* we lead no more */
bool timers_busy(const struct timers *timers); /* some fly */

#endif
