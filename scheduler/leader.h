/*
 * One scheduler leads, the others stand by: an advisory lock of PostgreSQL on a session
 * that does nothing else. A leader that dies loses it at once; one that hangs, or whose
 * host is gone, is unseated after 4 s, and itself stops acting 3 s after its last sign
 * of life. Leading is for order, not for safety: every statement of a scheduler is
 * guarded by the rows it changes.
 */
#ifndef SCHEDULER_LEADER_H
#define SCHEDULER_LEADER_H

#include <stdbool.h>

#include "clock_core.h"
#include "loop/loop.h"

struct leader;

struct leader_conf {
	const char *url;
	const char *host;
	void (*on_change)(void *context, bool leads);
	loop_fn *wake; /* something came: tick again */
	void *context;
};

struct leader *leader_new(struct loop *loop, const struct leader_conf *conf,
			  struct err *err);
void leader_free(struct leader **leader_p); /* gives it up too, by ending the session */
/* Does what is due; returns when to come again (monotonic). */
usec_t leader_tick(struct leader *leader, usec_t now);
bool leader_may_act(const struct leader *leader, usec_t now);
int64_t leader_epoch(const struct leader *leader); /* 0: stands by */
bool leader_knows(const struct leader *leader);    /* has had an answer, whichever */
/* The database's clock, or NULL before the first beat. */
const struct clock_core *leader_clock(const struct leader *leader);
/* Gives the leadership up; done comes when the database knows, or cannot be asked. */
void leader_leave(struct leader *leader, loop_fn *done);

#endif
