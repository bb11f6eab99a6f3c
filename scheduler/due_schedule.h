/* A schedule whose time has come, or soon will, with all that it takes to fire it. */
#ifndef SCHEDULER_DUE_SCHEDULE_H
#define SCHEDULER_DUE_SCHEDULE_H

#include "definitions.h"
#include "firing_core.h"
#include "store/firings.h"

struct due_schedule {
	struct due_row row; /* its texts and JSON are owned */
	struct schedule_rule rule;
	usec_t due;
};

/* -1: what is stored cannot be read (ERR_INPUT). Copies the row. */
int due_schedule_read(struct due_schedule *schedule, const struct due_row *row,
		      struct err *err);
void due_schedule_fini(struct due_schedule *schedule);
/* What the run sees as `trigger`; the caller's. */
struct json *due_schedule_trigger(const struct due_schedule *schedule,
				  usec_t fire_time);
/* Why its workflow cannot be run, if it cannot. */
void due_schedule_check(const struct due_schedule *schedule,
			const struct definitions *definitions, struct err *why);
struct firing_case due_schedule_case(const struct due_schedule *schedule, usec_t now,
				     bool refused);

#endif
