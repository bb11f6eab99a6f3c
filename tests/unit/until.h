/* For tests of rooms with a loop: runs it until something became true, with a deadline
 * that fails the test. Nothing here sleeps. */
#ifndef TESTS_UNIT_UNTIL_H
#define TESTS_UNIT_UNTIL_H

#include "loop/loop.h"

#define UNTIL_DEADLINE (20 * USEC_SECOND)
#define UNTIL_LOOK     USEC_MS

struct until {
	struct loop *loop;
	struct timer *timer;
	bool (*is_true)(void *context);
	void *context;
	usec_t deadline;
	bool became_true;
};

static inline void
until_look(void *context)
{
	struct until *until = context;

	until->became_true = until->is_true(until->context);
	if (until->became_true || loop_mono(until->loop) > until->deadline)
		loop_stop(until->loop);
	else
		timer_set(until->timer, UNTIL_LOOK);
}

static inline bool
run_until(struct loop *loop, bool (*is_true)(void *context), void *context)
{
	struct until until = { .loop = loop, .is_true = is_true, .context = context };

	until.deadline = loop_mono(loop) + UNTIL_DEADLINE;
	until.timer = timer_new(loop, until_look, &until);
	timer_set(until.timer, 0);
	loop_run(loop);
	timer_free(&until.timer);
	return until.became_true;
}

static inline bool
until_nonzero(void *context)
{
	return *(const int *)context != 0;
}

static inline bool
run_until_nonzero(struct loop *loop, int *number)
{
	return run_until(loop, until_nonzero, number);
}

/* A few turns, for what should not happen. */
static inline bool
until_counted(void *context)
{
	int *left = context;

	return --*left <= 0;
}

static inline void
run_turns(struct loop *loop, int turns)
{
	run_until(loop, until_counted, &turns);
}

#endif
