/* Events that triggers may wait for, as the scheduler reads and clears them. */
#ifndef STORE_EVENT_TRIGGERS_H
#define STORE_EVENT_TRIGGERS_H

#include "store/pg.h"

/* Of event_triggers_pending.sql: an event and a trigger that may want it. */
struct event_row {
	struct uuid id, project; /* project: nil, everybody's */
	char *source, *type;
	struct json *data;
	usec_t at;
	int depth;
	bool wanted; /* else what follows is empty: no trigger has its type */
	int place;
	struct uuid workflow_project; /* nil: everybody's */
	struct uuid definition;
	char *workflow;
};

/* rows are the callback's to free (event_rows_free). */
typedef void event_rows_fn(void *context, struct event_row *rows, size_t count,
			   const struct err *err);
void event_triggers_pending(struct pg *pg, int most, event_rows_fn *done,
			    void *context);
void event_rows_free(struct event_row *rows, size_t count);
/* Part of a transaction; ERR_RETRY when a guard does not hold. ids: each once. */
void event_triggers_clear_into(struct pg_batch *batch, int64_t epoch,
			       const struct uuid *ids, size_t count);

#endif
