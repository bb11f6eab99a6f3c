/*
 * Runs that are to be started together, in one transaction with what starts them: a
 * firing, an event, a file. They are added, stored with the rest, and after the commit
 * the bells ring.
 */
#ifndef SCHEDULER_STARTS_H
#define SCHEDULER_STARTS_H

#include "queue/queue.h"
#include "store/run_start.h"

struct starts {
	struct new_run *runs;
	struct start_own *own; /* what the runs borrow */
	size_t count, room;
};

/* Whether such a run could begin: its input fits, its concurrency key can be told. */
bool starts_check(const struct workflow *workflow, const struct json *input,
		  const struct json *trigger, struct err *why);
/* Everything is copied or held. Returns its id. */
struct uuid starts_add(struct starts *starts, const struct starter *starter,
		       const struct json *input, usec_t now);
/* Nothing when there is none. */
void starts_insert_into(struct starts *starts, struct pg_batch *batch);
/* They are committed: tells the queue (NULL: there is none), and lets those of limited
 * workflows begin. */
void starts_ring(const struct starts *starts, struct pg *pg, struct queue *queue);
void starts_clear(struct starts *starts);

#endif
