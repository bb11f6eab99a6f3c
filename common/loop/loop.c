/*
 * The turn itself: wait, call what is ready, run what was deferred, measure. The clocks
 * are read by the first callback of a turn, because libevent 2.1 tells nobody when its
 * wait ends. Timers, watches and signals stand in rooms of their own.
 */
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "loop/loop.h"
#include "loop/loop_priv.h"

#define LAST_ROUNDS_MAX 1000 /* more at the end means that something defers itself */

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
	struct event_base *base;
	struct loop *loop;

	prepare_libevent();
	base = new_base();
	if (base == NULL) {
		err_errno(err, "cannot make an event loop");
		return NULL;
	}
	signal(SIGPIPE, SIG_IGN);
	loop = xcalloc(1, sizeof *loop);
	loop->base = base;
	return loop;
}

/* Runs the functions that were there when it began. What they defer waits for the next
 * round, so that descriptors get their turn in between. */
static void
run_deferred(struct loop *loop)
{
	struct deferred_list round = loop->deferred;

	if (round.count == 0)
		return;
	loop_begin_turn(loop);
	loop->deferred = loop->spare;
	loop->spare = (struct deferred_list){ 0 };
	for (size_t i = 0; i < round.count; i++)
		round.list[i].fn(round.list[i].context);
	round.count = 0;
	loop->spare = round;
}

void
loop_free(struct loop **loop_p)
{
	struct loop *loop = *loop_p;

	if (loop == NULL)
		return;
	for (int i = 0; loop->deferred.count > 0; i++) {
		if (i == LAST_ROUNDS_MAX)
			bug("something defers itself for ever");
		run_deferred(loop);
	}
	*loop_p = NULL;
	event_base_free(loop->base);
	free(loop->deferred.list);
	free(loop->spare.list);
	free(loop);
}

void
loop_begin_turn(struct loop *loop)
{
	if (loop->in_turn)
		return;
	loop->in_turn = true;
	loop->now = read_clock(CLOCK_REALTIME);
	loop->mono = read_clock(CLOCK_MONOTONIC);
}

/* One place per second; a place whose second has passed starts anew. */
static void
note_lag(struct loop *loop, usec_t end)
{
	int64_t second = end / USEC_SECOND;
	struct lag *lag = &loop->lags[second % LAG_SECONDS];

	if (lag->second != second)
		*lag = (struct lag){ .second = second };
	if (end - loop->mono > lag->longest)
		lag->longest = end - loop->mono;
}

static void
end_turn(struct loop *loop)
{
	if (!loop->in_turn)
		return;
	note_lag(loop, read_clock(CLOCK_MONOTONIC));
	loop->in_turn = false;
}

/* Without the last flag libevent would return at once, for ever, when nothing is
 * watched. */
static void
run_turn(struct loop *loop)
{
	int flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY;

	if (loop->deferred.count > 0)
		flags |= EVLOOP_NONBLOCK;
	if (event_base_loop(loop->base, flags) < 0)
		bug("the event loop cannot wait");
	run_deferred(loop);
	end_turn(loop);
}

void
loop_run(struct loop *loop)
{
	if (loop->running)
		bug("loop_run inside loop_run");
	loop->running = true;
	end_turn(loop);
	while (!loop->stopping)
		run_turn(loop);
	loop->stopping = false;
	loop->running = false;
}

void
loop_stop(struct loop *loop)
{
	loop->stopping = true;
}

usec_t
loop_now(const struct loop *loop)
{
	return loop->in_turn ? loop->now : read_clock(CLOCK_REALTIME);
}

usec_t
loop_mono(const struct loop *loop)
{
	return loop->in_turn ? loop->mono : read_clock(CLOCK_MONOTONIC);
}

usec_t
loop_lag(const struct loop *loop)
{
	int64_t second = loop_mono(loop) / USEC_SECOND;
	usec_t longest = 0;

	for (size_t i = 0; i < LAG_SECONDS; i++) {
		const struct lag *lag = &loop->lags[i];

		if (lag->second > second - LAG_SECONDS && lag->longest > longest)
			longest = lag->longest;
	}
	return longest;
}

void
loop_defer(struct loop *loop, loop_fn *fn, void *context)
{
	struct deferred_list *all = &loop->deferred;

	if (all->count == all->capacity) {
		all->capacity = all->capacity > 0 ? all->capacity * 2 : 64;
		all->list = xrealloc(all->list, all->capacity, sizeof *all->list);
	}
	all->list[all->count++] = (struct deferred){ fn, context };
}
