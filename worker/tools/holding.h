/* What tools that write to the store have in common: who holds the step, ids that are
 * the same for every attempt, and the bell that a run's log has grown. */
#ifndef TOOLS_HOLDING_H
#define TOOLS_HOLDING_H

#include "actions/action.h"
#include "store/workers.h"

struct held_ref holding(const struct attempt *attempt);
/* A UUIDv7 of the run's time, made from run, step and what: the same each time. */
struct uuid holding_id(const struct attempt *attempt, const char *what);
/* Subscribers look again. seq 0: nothing was added. */
void holding_ring(const struct attempt *attempt, int64_t seq);

#endif
