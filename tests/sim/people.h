/* Who is outside: they start, cancel, pause and resume runs, and decide. */
#ifndef SIM_PEOPLE_H
#define SIM_PEOPLE_H

#include "sim.h"

void people_begin(struct sim *sim);

#endif
