/*
 * One flush at a time; the next batch gathers meanwhile. At low load a flush holds one
 * step and waits for nobody. What PostgreSQL did not take for a passing reason waits
 * here and is sent again; what nobody knows about is asked first.
 */
#ifndef WORKER_FINISH_H
#define WORKER_FINISH_H

#include "slot.h"
#include "store/finishes.h"

struct finish;

struct finish_stats {
	uint64_t flushes, items, fenced, retried;
};

struct finish *finish_new(struct worker *worker);
void finish_free(struct finish **finish_p);
/* The slot's attempt began: step.started goes into the next flush. */
void finish_started(struct finish *finish, struct slot *slot);
/* The slot's attempt has its outcome (slot->outcome, ->output, ->error). */
void finish_ended(struct finish *finish, struct slot *slot);
void finish_forget(struct finish *finish, struct slot *slot); /* the slot dies */
bool finish_is_idle(const struct finish *finish);
void finish_wake(struct finish *finish); /* the connection is back */
const struct finish_stats *finish_stats(const struct finish *finish);

/* What is said to the queue when something was stored: of who stores beside it, too. */
void finish_push_ready(struct worker *worker, const struct ready_ref *ready,
		       size_t ready_count);
void finish_child_stored(struct finish *finish, const struct new_run *child);

#endif
