/*
 * Pure: one step of a run that is only thought of. What a worker would decide before
 * and after it is decided by the same functions; what they cannot know is taken out of
 * the definition before, and noted.
 */
#ifndef ENGINE_DRY_STEP_CORE_H
#define ENGINE_DRY_STEP_CORE_H

#include "engine/dry_known_core.h"
#include "engine/dry_rows_core.h"

struct dry {
	const struct workflow *workflow;
	struct workflow view; /* the same, without what cannot be decided */
	struct run run;       /* of the view */
	struct dry_rows rows;
	enum knowledge *known;      /* one per step */
	const struct json *outputs; /* given: by id */
	struct cel *yes, *no;       /* for conditions that cannot be decided */
	struct json *steps;         /* what is told of each visit */
	size_t left;                /* bytes of the answer */
	bool certain;               /* nothing unknown decides where it goes */
};

/* What became of the row is in verdict. -1: the answer is as long as it may be. */
int dry_step(struct dry *dry, struct dry_row *row, struct verdict *verdict);
/* What the run itself knows, for its output. End it with run_scope_fini. */
void dry_run_scope(struct dry *dry, struct run_scope *scope, struct dry_scope *known);
/* The run's output can be resolved now. */
bool dry_knows_output(struct dry *dry, struct json *unresolved);

#endif
