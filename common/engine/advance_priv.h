/* Between advance_core.c and graph_core.c only. */
#ifndef ENGINE_ADVANCE_PRIV_H
#define ENGINE_ADVANCE_PRIV_H

#include "engine/advance_core.h"

/* What one decision is made from, and the verdict it becomes. */
struct advance {
	struct run *run;
	const struct held_step *held;
	const struct step_def *step;
	const struct outcome *outcome;
	struct verdict *verdict;
};

#endif
