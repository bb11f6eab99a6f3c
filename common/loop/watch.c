/*
 * Watches on descriptors. Reading and writing are two events of libevent, so that
 * switching one of them is a single system call; a descriptor that is ready for both
 * therefore calls twice.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "loop/loop.h"
#include "loop/loop_priv.h"

struct watch {
	struct event read, write;
	struct loop *loop;
	watch_fn *fn;
	void *context;
	unsigned want;
};

static void
on_ready(evutil_socket_t fd, short what, void *context)
{
	struct watch *watch = context;

	(void)fd;
	loop_begin_turn(watch->loop);
	watch->fn(watch->context, (what & EV_READ) != 0 ? WATCH_READ : WATCH_WRITE);
}

struct watch *
watch_new(struct loop *loop, int fd, unsigned want, watch_fn *fn, void *context)
{
	struct watch *watch = xcalloc(1, sizeof *watch);

	watch->loop = loop;
	watch->fn = fn;
	watch->context = context;
	event_assign(&watch->read, loop->base, fd, EV_READ | EV_PERSIST, on_ready,
		     watch);
	event_assign(&watch->write, loop->base, fd, EV_WRITE | EV_PERSIST, on_ready,
		     watch);
	watch_want(watch, want);
	return watch;
}

static void
set_event(struct event *event, bool on)
{
	if (on && event_add(event, NULL) < 0)
		bug("cannot watch descriptor %d: %s", (int)event_get_fd(event),
		    strerror(errno));
	if (!on)
		event_del(event);
}

void
watch_want(struct watch *watch, unsigned want)
{
	unsigned changed = watch->want ^ want;

	watch->want = want;
	if ((changed & WATCH_READ) != 0)
		set_event(&watch->read, (want & WATCH_READ) != 0);
	if ((changed & WATCH_WRITE) != 0)
		set_event(&watch->write, (want & WATCH_WRITE) != 0);
}

void
watch_free(struct watch **watch_p)
{
	struct watch *watch = *watch_p;

	if (watch == NULL)
		return;
	*watch_p = NULL;
	watch_want(watch, 0);
	free(watch);
}
