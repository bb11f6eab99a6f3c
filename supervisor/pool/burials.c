/*
 * Kills orphans round by round, each round when the deaths of the former were reaped,
 * and tells the dead to the best listener there is. Orphans that will not die hold up
 * the telling for a bounded time only: the fence of the steps protects their results.
 */
#include "pool/burials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "pool/child.h"
#include "pool/deaths_core.h"
#include "pool/orphans.h"

#define ROUND_AGAIN  (10 * USEC_MS) /* when no death of an orphan wakes us before */
#define ORPHANS_TIME (2 * USEC_SECOND)

struct burials {
	struct loop *loop;
	struct pool_core *core;
	struct timer *timer;
	struct deaths deaths;
	bool clearing;      /* orphans may be left */
	bool gave_up;       /* they were left for too long, and that was said */
	usec_t began;       /* clearing, monotonic */
	int killed, rounds; /* since then */
};

static void
on_time(void *context)
{
	burials_go(context);
}

struct burials *
burials_new(struct loop *loop, struct pool_core *core)
{
	struct burials *burials = xcalloc(1, sizeof *burials);

	burials->loop = loop;
	burials->core = core;
	burials->timer = timer_new(loop, on_time, burials);
	deaths_init(&burials->deaths);
	return burials;
}

void
burials_free(struct burials **burials_p)
{
	struct burials *burials = *burials_p;
	struct death *death;

	if (burials == NULL)
		return;
	*burials_p = NULL;
	death = deaths_untold(&burials->deaths);
	if (death != NULL) /* found by its lease */
		log_info("death.untold", F_UUID("worker", &death->worker));
	timer_free(&burials->timer);
	deaths_fini(&burials->deaths);
	free(burials);
}

void
burials_add(struct burials *burials, pid_t child, const struct uuid *worker,
	    const struct ending *ending)
{
	deaths_listener_ended(&burials->deaths, child, loop_mono(burials->loop));
	if (worker != NULL)
		deaths_add(&burials->deaths, worker, ending);
	if (burials->clearing)
		return;
	burials->clearing = true;
	burials->gave_up = false;
	burials->began = loop_mono(burials->loop);
	burials->killed = burials->rounds = 0;
}

static bool
is_known(void *context, pid_t pid)
{
	struct burials *burials = context;

	return pool_core_find(burials->core, pid) != NULL;
}

static void
clear_ended(struct burials *burials)
{
	burials->clearing = false;
	timer_stop(burials->timer);
	if (burials->killed > 0)
		log_warn(
		    "orphans.killed", F_INT("signals", burials->killed),
		    F_INT("rounds", burials->rounds),
		    F_INT("ms", (loop_mono(burials->loop) - burials->began) / USEC_MS));
}

static void
clear_orphans(struct burials *burials)
{
	int found = orphans_kill(is_known, burials);

	if (found < 0 && !burials->gave_up) {
		burials->gave_up = true;
		log_error("orphans.unseen", F_STR("why", strerror(errno)));
	}
	if (found <= 0) {
		clear_ended(burials);
		return;
	}
	burials->killed += found;
	burials->rounds++;
	timer_set(burials->timer, ROUND_AGAIN);
	if (burials->gave_up ||
	    loop_mono(burials->loop) - burials->began < ORPHANS_TIME)
		return;
	burials->gave_up = true;
	log_error("orphans.undying", F_INT("count", found));
}

static void
tell_deaths(struct burials *burials)
{
	struct death *death;

	while ((death = deaths_untold(&burials->deaths)) != NULL) {
		struct seat *seat = pool_core_undertaker(burials->core);
		char line[ENDING_TEXT];

		if (seat == NULL ||
		    !child_say(seat->child, "dead %s",
			       ending_format(&death->worker, &death->ending, line)))
			return;
		log_debug("death.told", F_UUID("worker", &death->worker),
			  F_INT("child", seat->pid));
		deaths_told(&burials->deaths, death, seat->pid,
			    loop_mono(burials->loop));
	}
}

void
burials_go(struct burials *burials)
{
	if (burials->clearing)
		clear_orphans(burials);
	if (!burials->clearing || burials->gave_up)
		tell_deaths(burials);
}

bool
burials_orphans_left(const struct burials *burials)
{
	return burials->clearing;
}
