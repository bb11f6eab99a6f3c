/*
 * Pure: how a supervisor ends. First everybody is asked to finish; when patience ends
 * (or a second SIGTERM comes) workers hand back what they hold; who is still there five
 * seconds later is killed. SIGQUIT goes to the last step at once.
 */
#ifndef POOL_DRAIN_CORE_H
#define POOL_DRAIN_CORE_H

#include "base/usec.h"

#define DRAIN_GRACE                                                                    \
	(5 * USEC_SECOND) /* from "drain now" to SIGKILL, and from there               \
			     until we leave without those that do not die */

enum drain_phase {
	DRAIN_OFF,
	DRAIN_PATIENT, /* told "drain" */
	DRAIN_HURRIED, /* told "drain now" */
	DRAIN_KILLED,
	DRAIN_PHASES
};

enum drain_event { DRAIN_ON_TERM, DRAIN_ON_QUIT, DRAIN_ON_TIME, DRAIN_EVENTS };

enum drain_deed {
	DRAIN_NOTHING,
	DRAIN_ASK,     /* tell everybody "drain" */
	DRAIN_HURRY,   /* tell everybody "drain now" */
	DRAIN_KILL,    /* SIGKILL to everybody */
	DRAIN_GIVE_UP, /* they cannot be killed: leave without them */
	DRAIN_DEEDS
};

struct drain {
	enum drain_phase phase;
	usec_t until; /* the next DRAIN_ON_TIME, monotonic; USEC_NEVER: none */
};

void drain_init(struct drain *drain);
enum drain_deed drain_on(struct drain *drain, enum drain_event event, usec_t patience,
			 usec_t now);
const char *drain_phase_name(enum drain_phase phase);

#endif
