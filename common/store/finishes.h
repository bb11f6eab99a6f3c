/*
 * The finish: results, events, counters and what became ready, for a batch of steps in
 * one transaction. SQL guards, the core decides: what is no longer held under its
 * fence, or whose run changed meanwhile, is left out of the answer.
 *
 * Lock order, for everybody: own workers row (key share), state rows by run id, steps,
 * the rest. The lock is a statement of its own.
 */
#ifndef STORE_FINISHES_H
#define STORE_FINISHES_H

#include "engine/finish_item.h"
#include "store/workers.h"

#define FINISH_BATCH_MAX 256

/* done: err ERR_NONE and accepted filled in; ERR_DENIED: this worker was declared dead,
 * nothing was stored; ERR_LOST: ask finishes_check; ERR_RETRY: nothing happened. items
 * must stay where they are until then. At most one item per step. */
/* ready: what became ready for everybody, also what is spawned (not next); valid during
 * the callback. */
struct finish_answer {
	struct finish_item *items;
	size_t count;
	const struct ready_ref *ready;
	size_t ready_count;
};
typedef void finish_fn(void *context, const struct finish_answer *answer,
		       const struct err *err);
void finishes_store(struct pg *pg, const struct uuid *worker, struct finish_item *items,
		    size_t count, finish_fn *done, void *context);

/* After ERR_LOST: which of the items were committed (accepted is filled in), which are
 * still ours and must be sent again (accepted false, fence unchanged), which are gone
 * (fence set to -1). */
void finishes_check(struct pg *pg, const struct uuid *worker, struct finish_item *items,
		    size_t count, finish_fn *done, void *context);

#endif
