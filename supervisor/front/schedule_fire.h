/*
 * A schedule fired by hand, within a change: the run, the entry of the ledger, and the
 * schedule's count are one transaction. Also one that is disabled can be fired; one
 * without runs left cannot, nor one whose last run is alive, if overlap is skip.
 */
#ifndef FRONT_SCHEDULE_FIRE_H
#define FRONT_SCHEDULE_FIRE_H

#include "front/schedule_edit.h"

struct schedule_fired {
	int status; /* 202; or 404, 409, 422 (text, and problems or NULL); or 0: err */
	const char *text;
	const struct problems *problems;
	const struct err *err;
	struct uuid run;
	bool waits; /* for others of its concurrency key */
};
typedef void schedule_fired_fn(void *context, const struct schedule_fired *fired);

/* Of the call what is sent does not count. trace_id: of the run, or NULL; borrowed as
 * the rest is. done as of an edit, see there. */
void schedule_fire(const struct schedule_call *call, const char *trace_id,
		   schedule_fired_fn *done, void *context);

#endif
