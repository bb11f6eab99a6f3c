/*
 * Timers, as exact as the kernel's. Thousands of them belong in a heap of their owner
 * with one timer for its top; these are for owners with a handful each.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "loop/loop.h"
#include "loop/loop_priv.h"

/* A hundred years: libevent adds it up safely. */
#define DELAY_MAX ((usec_t)36500 * 86400 * USEC_SECOND)

struct timer {
	struct event event;
	struct loop *loop;
	loop_fn *fn;
	void *context;
};

/* fn may free the timer: nothing is touched after it. */
static void
on_time(evutil_socket_t fd, short what, void *context)
{
	struct timer *timer = context;

	(void)fd;
	(void)what;
	loop_begin_turn(timer->loop);
	timer->fn(timer->context);
}

struct timer *
timer_new(struct loop *loop, loop_fn *fn, void *context)
{
	struct timer *timer = xcalloc(1, sizeof *timer);

	timer->loop = loop;
	timer->fn = fn;
	timer->context = context;
	evtimer_assign(&timer->event, loop->base, on_time, timer);
	return timer;
}

void
timer_set(struct timer *timer, usec_t delay)
{
	struct timeval tv;

	if (delay < 0)
		delay = 0;
	if (delay > DELAY_MAX)
		delay = DELAY_MAX;
	tv.tv_sec = delay / USEC_SECOND;
	tv.tv_usec = delay % USEC_SECOND;
	if (evtimer_add(&timer->event, &tv) < 0)
		bug("cannot set a timer");
}

void
timer_stop(struct timer *timer)
{
	evtimer_del(&timer->event);
}

bool
timer_is_set(const struct timer *timer)
{
	return evtimer_pending(&timer->event, NULL) != 0;
}

void
timer_free(struct timer **timer_p)
{
	struct timer *timer = *timer_p;

	if (timer == NULL)
		return;
	*timer_p = NULL;
	evtimer_del(&timer->event);
	free(timer);
}
