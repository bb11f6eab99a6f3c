/*
 * Pure: when a process that ended by itself is started again. The first time at once;
 * one that keeps dying young waits longer each time, and in the end is given up.
 */
#ifndef DEV_RESTART_CORE_H
#define DEV_RESTART_CORE_H

#include <stdbool.h>

#include "base/usec.h"

#define RESTART_YOUNG (2 * USEC_SECOND) /* who lives so long is healthy again */
#define RESTARTS_MAX  10                /* young deaths in a row */

struct restart {
	usec_t started; /* monotonic */
	int young;      /* young deaths in a row */
};

void restart_started(struct restart *restart, usec_t now);
/* It has ended. True: start it again at *due; false: there is no use. */
bool restart_ended(struct restart *restart, usec_t now, usec_t *due);

#endif
