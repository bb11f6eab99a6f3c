/* What the newest version of a workflow says starts it, but for schedules. */
#ifndef STORE_TRIGGERS_H
#define STORE_TRIGGERS_H

#include "engine/workflow.h"
#include "store/pg.h"

#define TRIGGERS_PATH_TAKEN "workflow_triggers_path" /* the constraint */

/* Adds to a batch in which the workflow (project NULL: everybody's) was just registered
 * that its triggers become these; those that are there already stay as they are. The
 * path of a webhook that another workflow has fails the batch: ERR_CONFLICT of
 * TRIGGERS_PATH_TAKEN. */
void triggers_put(struct pg_batch *batch, const struct workflow *workflow,
		  const struct uuid *project);
/* The paths of its webhooks, a line each: the caller's. */
char *triggers_paths(const struct workflow *workflow);
/* Adds the question which of these paths another workflow has: at most one row with the
 * path and the name of that workflow (null: not for who asks). */
void triggers_taken(struct pg_batch *batch, const char *name,
		    const struct uuid *project, const char *paths, pg_done_fn *done,
		    void *context);

#endif
