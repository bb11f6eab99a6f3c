/* What must hold after each transaction, and of each run that ended. */
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include "sim.h"

/* Said first when something does not hold. */
void check_begin(const struct sim *sim);
/* Of a run that a transaction touched. */
void check_run(const struct sim *sim, const struct sim_run *run);
/* Of all: how many run at once. */
void check_concurrency(const struct sim *sim, const struct flow *flow);
/* Once, when it is over. */
void check_ended(const struct sim *sim, const struct sim_run *run);
/* A run that never ends. */
void check_all_ended(const struct sim *sim);
/* Shows a run as it is. */
void check_show(const struct sim_run *run);

#endif
