/* The model of the scheduler: timers by the real timers_core, and runs whose time is
 * up. */
#ifndef SIM_MODEL_SCHEDULER_H
#define SIM_MODEL_SCHEDULER_H

#include "sim.h"

void scheduler_begin(struct sim *sim);
void scheduler_end(struct sim *sim);

#endif
