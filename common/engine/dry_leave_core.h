/* Pure: where a step of a run that is only thought of leads, as advance_core.c has it.
 */
#ifndef ENGINE_DRY_LEAVE_CORE_H
#define ENGINE_DRY_LEAVE_CORE_H

#include "engine/dry_turn_core.h"

/* Takes out of its definition what cannot be decided after it ran, and tells where else
 * it might lead. */
void dry_leave_prepare(struct dry_turn *turn, const struct outcome *outcome);
/* What others know of it from now on. */
enum knowledge dry_leave_knowledge(const struct dry_turn *turn,
				   const struct outcome *outcome);
/* Tells how it went. */
void dry_leave_tell(struct dry_turn *turn, const struct outcome *outcome,
		    const struct verdict *verdict);
/* Carries the verdict out. */
void dry_leave(struct dry_turn *turn, const struct outcome *outcome,
	       const struct verdict *verdict);

#endif
