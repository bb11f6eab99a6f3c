/*
 * The shell around timers_core: one look and one firing under way at a time; what comes
 * due meanwhile goes with the next firing.
 */
#include "timers.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/point.h"
#include "base/xalloc.h"
#include "ready.h"
#include "store/pg.h"
#include "store/runs.h"
#include "timers_core.h"

#define LOOK_EVERY  (50 * USEC_MS)
#define LOOK_FAILED (250 * USEC_MS)

struct timers {
	struct loop *loop;
	struct timers_conf conf;
	struct pg *pg;
	struct timers_core core;
	struct clock_core clock; /* as of the last tick */
	bool up, looking, full;  /* full: a look found more than it may bring */
	bool failing;            /* and that was said */
	usec_t next_look;
	struct step_ref flying[TIMERS_FIRE];
	size_t flying_count;
};

static void
wake(struct timers *timers)
{
	timers->conf.wake(timers->conf.context);
}

/* Once per change, not per call. */
static void
note_result(struct timers *timers, const struct err *err)
{
	bool failed = err->kind != ERR_NONE;

	if (failed && !timers->failing)
		log_warn("timers.failed", F_STR("why", err->text));
	if (!failed && timers->failing)
		log_info("timers.recovered",
			 F_INT("held", timers_core_count(&timers->core)));
	timers->failing = failed;
}

/* ---- reading ahead ---- */

static void
on_look(void *context, const struct timer_row *rows, size_t count,
	const struct err *err)
{
	struct timers *timers = context;
	usec_t now = loop_mono(timers->loop);

	timers->looking = false;
	timers->full = count == TIMERS_LOOK;
	timers->next_look = now + (err->kind == ERR_NONE ? LOOK_EVERY : LOOK_FAILED);
	note_result(timers, err);
	for (size_t i = 0; i < count; i++)
		timers_core_add(&timers->core, &rows[i].ref, rows[i].run_at);
	wake(timers);
}

static void
look(struct timers *timers, usec_t now)
{
	if (timers->looking || now < timers->next_look)
		return;
	timers->looking = true;
	timers_load(timers->pg, clock_core_surely(&timers->clock, now) + TIMERS_WINDOW,
		    TIMERS_LOOK, on_look, timers);
}

/* ---- firing ---- */

static void
on_fired(void *context, const struct ready_ref *refs, size_t count,
	 const struct err *err)
{
	struct timers *timers = context;
	usec_t now = loop_mono(timers->loop);

	note_result(timers, err);
	POINT("timers.fired.before_bell");
	ready_push(timers->conf.queue, refs, count);
	for (size_t i = 0; i < count; i++)
		timers_core_fired(&timers->core, &refs[i].ref);
	if (err->kind == ERR_NONE)
		timers_core_landed(&timers->core, timers->flying, timers->flying_count,
				   clock_core_surely(&timers->clock, now));
	else
		timers_core_dropped(&timers->core, timers->flying,
				    timers->flying_count);
	if (count > 0)
		log_debug("timers.fired", F_INT("count", count));
	timers->flying_count = 0;
	if (timers->full && err->kind == ERR_NONE)
		timers->next_look = now; /* what stood behind them */
	POINT("timers.fired.after_bell");
	wake(timers);
}

static void
fire(struct timers *timers, usec_t now)
{
	if (timers->flying_count > 0)
		return;
	timers->flying_count =
	    timers_core_take(&timers->core, clock_core_surely(&timers->clock, now),
			     timers->flying, TIMERS_FIRE);
	if (timers->flying_count > 0)
		timers_fire(timers->pg, timers->flying, timers->flying_count, on_fired,
			    timers);
}

usec_t
timers_tick(struct timers *timers, const struct clock_core *clock, usec_t now)
{
	usec_t next = USEC_NEVER, due;

	if (!timers->up)
		return USEC_NEVER;
	timers->clock = *clock;
	fire(timers, now);
	look(timers, now);
	if (!timers->looking)
		next = timers->next_look;
	due = timers_core_next(&timers->core);
	if (timers->flying_count == 0 && due != USEC_NEVER &&
	    clock_core_when(clock, due) < next)
		next = clock_core_when(clock, due);
	return next;
}

/* ---- life ---- */

static void
on_state(void *context, bool up)
{
	struct timers *timers = context;

	timers->up = up;
	timers->next_look = loop_mono(timers->loop);
	wake(timers);
}

struct timers *
timers_new(struct loop *loop, const struct timers_conf *conf, struct err *err)
{
	struct timers *timers = xcalloc(1, sizeof *timers);
	struct pg_conf pg = { .url = conf->url,
			      .application = "stepmill scheduler timers",
			      .statement_timeout = conf->statement_timeout,
			      .hot = true,
			      .on_state = on_state,
			      .context = timers };

	timers->loop = loop;
	timers->conf = *conf;
	timers_core_init(&timers->core);
	timers->pg = pg_new(loop, &pg, err);
	if (timers->pg == NULL)
		timers_free(&timers);
	return timers;
}

void
timers_free(struct timers **timers_p)
{
	struct timers *timers = *timers_p;

	if (timers == NULL)
		return;
	*timers_p = NULL;
	pg_free(&timers->pg);
	timers_core_fini(&timers->core);
	free(timers);
}

void
timers_forget(struct timers *timers)
{
	pg_forget(timers->pg, timers);
	timers_core_clear(&timers->core);
	timers->flying_count = 0;
	timers->looking = timers->full = false;
	timers->next_look = 0;
}

bool
timers_busy(const struct timers *timers)
{
	return timers->flying_count > 0;
}
