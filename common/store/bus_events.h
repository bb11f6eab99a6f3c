/* What happens outside, and the steps that wait for it. */
#ifndef STORE_BUS_EVENTS_H
#define STORE_BUS_EVENTS_H

#include "store/workers.h"

/* err ERR_NONE: stored; then bus_events_wake, as a transaction of its own. project
 * NULL: for the runs of all. */
void bus_events_insert(struct pg *pg, const struct uuid *id, const struct uuid *project,
		       const char *source, const char *type, const struct json *data,
		       pg_end_fn *done, void *context);
/* The steps that wait for this type look at what came. done may be NULL. */
void bus_events_wake(struct pg *pg, const char *type, ready_fn *done, void *context);

/* Those of a type since a run started, the oldest first, as a list (borrowed); as_of:
 * when that was looked at. */
typedef void bus_events_fn(void *context, struct json *list, usec_t as_of,
			   const struct err *err);
void bus_events_since(struct pg *pg, const struct uuid *run, const char *type,
		      bus_events_fn *done, void *context);

#endif
