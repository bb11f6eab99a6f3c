/* The schedules that a workflow's `trigger` declares: they come, change and go with it.
 */
#ifndef STORE_DECLARED_H
#define STORE_DECLARED_H

#include "engine/workflow.h"
#include "store/pg.h"

/* Part of a registration, behind workflows_upsert. now: what "@every" counts from. */
void declared_put(struct pg_batch *batch, const struct workflow *workflow,
		  const struct uuid *project, usec_t now);

#endif
