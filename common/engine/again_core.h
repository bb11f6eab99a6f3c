/*
 * Pure: a run that failed is run again from where it failed. What succeeded is taken
 * over as it is, and not run again; the rest begins anew.
 */
#ifndef ENGINE_AGAIN_CORE_H
#define ENGINE_AGAIN_CORE_H

#include "engine/advance_core.h"

/* A row of the old run. */
struct old_row {
	int number;
	int index; /* of its definition; a row that has none is left out before */
	enum step_status status;
	int parent; /* as in held_step */
};

struct again {
	int *kept; /* numbers of the rows that are taken over */
	size_t kept_count;
	struct first_step *first; /* what begins */
	size_t first_count;
};

/* rows are in order of their numbers, at least one. */
void again_plan(const struct workflow *workflow, const struct old_row *rows,
		size_t count, struct again *again);
void again_fini(struct again *again);

#endif
