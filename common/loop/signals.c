/*
 * Signals as callbacks of the loop. The process sets its handlers here only; a child
 * gets the defaults back by exec, except for SIGPIPE, which stays ignored until the
 * child's maker resets it.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "loop/loop.h"
#include "loop/loop_priv.h"

struct signal_watch {
	struct event event;
	struct loop *loop;
	loop_fn *fn;
	void *context;
};

static void
on_signal(evutil_socket_t number, short what, void *context)
{
	struct signal_watch *watch = context;

	(void)number;
	(void)what;
	loop_begin_turn(watch->loop);
	watch->fn(watch->context);
}

struct signal_watch *
signal_watch_new(struct loop *loop, int signal, loop_fn *fn, void *context)
{
	struct signal_watch *watch = xcalloc(1, sizeof *watch);

	watch->loop = loop;
	watch->fn = fn;
	watch->context = context;
	evsignal_assign(&watch->event, loop->base, signal, on_signal, watch);
	if (evsignal_add(&watch->event, NULL) < 0)
		bug("cannot watch signal %d", signal);
	return watch;
}

void
signal_watch_free(struct signal_watch **watch_p)
{
	struct signal_watch *watch = *watch_p;

	if (watch == NULL)
		return;
	*watch_p = NULL;
	evsignal_del(&watch->event);
	free(watch);
}
