/*
 * Schedules that fire together: what becomes of them is decided as they are added, and
 * stored with their runs in one transaction.
 */
#ifndef SCHEDULER_FIRING_BATCH_H
#define SCHEDULER_FIRING_BATCH_H

#include "due_schedule.h"
#include "queue/queue.h"

#define FIRING_BATCH_SCHEDULES 256
/* Entries of the ledger; one schedule adds at most FIRINGS_MOST to it. */
#define FIRING_BATCH_ENTRIES 4000

struct firing_batch;

struct firing_batch *firing_batch_new(void);
/* It may not be on its way. */
void firing_batch_free(struct firing_batch **batch_p);
bool firing_batch_is_full(const struct firing_batch *batch);
size_t firing_batch_count(const struct firing_batch *batch); /* of schedules */
/* Decides. given_up: it could not be stored before, and is entered as failed; or
 * NULL. wall: for the ids of runs. */
void firing_batch_add(struct firing_batch *batch, const struct due_schedule *schedule,
		      const struct definitions *definitions, usec_t now, usec_t wall,
		      const struct err *given_up);
/* One transaction, under that leadership. */
void firing_batch_send(struct firing_batch *batch, struct pg *pg, int64_t epoch,
		       pg_end_fn *done, void *context);
/* It is committed: the bells. */
void firing_batch_ring(const struct firing_batch *batch, struct pg *pg,
		       struct queue *queue);

#endif
