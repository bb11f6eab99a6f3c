/*
 * Pure: which priority a claim looks at first. Priority is an order, not a wall: one
 * claim in 8 starts with normal, one in 64 with low. And when a slot has had its share,
 * and how many are free.
 */
#ifndef WORKER_SLOTS_CORE_H
#define WORKER_SLOTS_CORE_H

#include <stdbool.h>

#include "base/step_ref.h"
#include "base/usec.h"

#define SLOT_STREAK_MAX  100             /* steps of one run in a row, if others wait */
#define SLOT_STREAK_TIME (250 * USEC_MS) /* or this long */

struct slots_core {
	unsigned claims; /* made so far */
};

void slots_order(struct slots_core *core, enum priority order[static PRIORITIES]);
/* A step that is to run alone leaves no slot free. */
int slots_room(int slots, int used, bool alone);
bool slots_streak_over(int streak, usec_t lasted);

#endif
