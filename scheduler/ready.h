/* Steps that became ready go to the queue: a hint to workers that there is work. */
#ifndef SCHEDULER_READY_H
#define SCHEDULER_READY_H

#include "queue/queue.h"
#include "store/workers.h"

/* queue may be NULL: without Redis workers find the steps by themselves. */
void ready_push(struct queue *queue, const struct ready_ref *refs, size_t count);

#endif
