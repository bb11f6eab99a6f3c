/* Pure: the reasons of steps, beside those of the whole run in why_core.c. */
#ifndef FRONT_WHY_STEP_CORE_H
#define FRONT_WHY_STEP_CORE_H

#include "front/why_reason_core.h"

/* One for each step that is open, WHY_REASONS_MAX at most. */
void why_tell_steps(struct why *why);
/* The step that was asked for, where its own state told nothing. */
void why_tell_asked(struct why *why, const char *asked);

#endif
