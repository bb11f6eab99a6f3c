/*
 * Pure: an outcome -> the engine's verdict -> what is to be stored and what may start
 * here and now.
 */
#ifndef WORKER_FINISH_CORE_H
#define WORKER_FINISH_CORE_H

#include "engine/advance_core.h"
#include "engine/finish_item.h"

struct finish_plan {
	struct verdict verdict; /* owns what item points to */
	struct finish_item item;
	const struct step_def *next; /* the step item.next names, or NULL */
};

/* Judges the outcome and fills the item's part about the step and the run. */
void finish_plan(struct finish_plan *plan, struct run *run,
		 const struct held_step *held, const struct outcome *outcome,
		 usec_t now, uint64_t random);
/* Nothing of what is stored of it holds a secret from here on. */
void finish_plan_mask(struct finish_plan *plan, const struct mask *mask);
void finish_plan_fini(struct finish_plan *plan);

#endif
