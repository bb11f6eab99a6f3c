/*
 * Pure: the timers that are due soon, read ahead from the database, in order of their
 * times. The rows stay the truth: whatever is forgotten here is read again, and what is
 * asked to fire is judged by the database. All times are the database's.
 */
#ifndef SCHEDULER_TIMERS_CORE_H
#define SCHEDULER_TIMERS_CORE_H

#include <stddef.h>

#include "base/heap.h"
#include "base/map.h"
#include "base/step_ref.h"
#include "base/usec.h"

#define TIMERS_WINDOW   (300 * USEC_MS) /* how far ahead is read */
#define TIMERS_LOOK     2048            /* rows at a time */
#define TIMERS_FIRE     512             /* timers at a time */
#define TIMERS_HELD_MAX 16384           /* what is past it is read later */
/* One that was asked to fire and did not is asked again: soon when its time had just
 * come (the clocks disagree), late when something else holds it up (its run is paused).
 */
#define TIMERS_AGAIN_SOON (20 * USEC_MS)
#define TIMERS_AGAIN_LATE (1 * USEC_SECOND)

struct timers_core {
	struct map *by_ref;
	struct heap due;    /* by run_at */
	struct heap parked; /* by when they are forgotten */
	size_t flying;      /* asked to fire, not answered */
};

void timers_core_init(struct timers_core *core);
void timers_core_fini(struct timers_core *core);
void timers_core_clear(struct timers_core *core); /* what flies is forgotten too */

/* A row as it was read. Known ones move to their new time, flying and parked ones stay.
 */
void timers_core_add(struct timers_core *core, const struct step_ref *ref,
		     usec_t run_at);
/* Those whose time has come, the earliest first; they fly from now on. */
size_t timers_core_take(struct timers_core *core, usec_t now, struct step_ref *out,
			size_t most);
/* That one fired. */
void timers_core_fired(struct timers_core *core, const struct step_ref *ref);
/* The answer is complete: of these, whatever still flies did not fire. */
void timers_core_landed(struct timers_core *core, const struct step_ref *refs,
			size_t count, usec_t now);
/* Nobody knows: they are forgotten, to be read again. */
void timers_core_dropped(struct timers_core *core, const struct step_ref *refs,
			 size_t count);
usec_t timers_core_next(const struct timers_core *core);  /* USEC_NEVER when none */
size_t timers_core_count(const struct timers_core *core); /* of those that wait */

#endif
