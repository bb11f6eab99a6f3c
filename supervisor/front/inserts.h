/*
 * Runs that wait to be stored: group commit. One flush is in flight, the next gathers;
 * whoever asked is answered when its run is committed.
 */
#ifndef FRONT_INSERTS_H
#define FRONT_INSERTS_H

#include "front/front.h"
#include "store/runs.h"

#define INSERTS_BATCH_MAX   256
#define INSERTS_WAITING_MAX 20000 /* past it ERR_RETRY: come back later */

struct inserts;

struct inserts *inserts_new(struct loop *loop, struct pg *write, struct queue *queue);
void inserts_free(struct inserts **inserts_p);
/* run's values are copied, its JSON referenced. done comes once, on a later turn; not
 * after inserts_forget, but the run is stored all the same. What was sent when the
 * connection broke is sent again under the same id; ERR_LOST comes only when none is
 * back in time. */
void inserts_add(struct inserts *inserts, const struct new_run *run, pg_end_fn *done,
		 void *context);
/* During done of a run that was stored: a position in PostgreSQL's log that it lies
 * before, or NULL, when it is not known. */
const char *inserts_position(const struct inserts *inserts);
void inserts_forget(struct inserts *inserts, const void *context);

#endif
