/*
 * The workflow definitions of which the scheduler starts runs, read once and kept by
 * id: a definition never changes.
 */
#ifndef SCHEDULER_DEFINITIONS_H
#define SCHEDULER_DEFINITIONS_H

#include "engine/workflow.h"
#include "store/pg.h"

#define DEFINITIONS_KEPT 2000 /* past it all are forgotten */

struct definitions;

struct definitions *definitions_new(void);
void definitions_free(struct definitions **definitions_p);
/* Reads those of the ids that are not known, on that connection; done comes on a later
 * turn. Afterwards definitions_get knows all of them, if err says nothing. */
void definitions_load(struct definitions *definitions, struct pg *pg,
		      const struct uuid *ids, size_t count, pg_end_fn *done,
		      void *context);
bool definitions_knows(const struct definitions *definitions, const struct uuid *id);
/* Borrowed until the next definitions_load (workflow_ref holds it longer). NULL: it is
 * not there, or does not load, and *why says so (borrowed as well). */
const struct workflow *definitions_get(const struct definitions *definitions,
				       const struct uuid *id, const char **why);

#endif
