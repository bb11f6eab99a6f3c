/* Pure: what a step of a run that is only thought of comes to, as enter_core.c has it.
 */
#ifndef ENGINE_DRY_ENTER_CORE_H
#define ENGINE_DRY_ENTER_CORE_H

#include "engine/dry_turn_core.h"

/* Takes out of its definition what cannot be decided before it runs. */
void dry_enter_prepare(struct dry_turn *turn);
/* What becomes of it: somebody who is asked approves, unless another answer was given,
 * and an action has the output that was given, or NULL. *made: what the outcome borrows
 * (the caller's). -1: the answer is as long as it may be. */
int dry_enter(struct dry_turn *turn, struct outcome *outcome, struct json **made);

#endif
