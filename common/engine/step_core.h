/*
 * Pure: the tables of what is legal. An empty place is an illegal event; a test walks
 * over all places, and the pictures in ARCHITECTURE.md are generated from these tables.
 */
#ifndef ENGINE_STEP_CORE_H
#define ENGINE_STEP_CORE_H

#include "engine/status.h"

enum step_event {
	STEP_EV_READY, /* nothing stands before it any more */
	STEP_EV_CLAIMED,
	STEP_EV_SUCCEEDED,
	STEP_EV_FAILED,
	STEP_EV_AGAIN, /* failed, and is to be tried again later */
	STEP_EV_WAITS,
	STEP_EV_ASKS, /* somebody has to approve */
	STEP_EV_SKIPPED,
	STEP_EV_DECIDED, /* somebody has */
	STEP_EV_WOKEN,   /* its children have ended, or what it waited for has come */
	STEP_EV_DUE,     /* its time has come */
	STEP_EV_LOST,    /* its worker died */
	STEP_EV_HANDED_BACK,
	STEP_EV_HELD_UP, /* its run was paused */
	STEP_EV_CANCELLED,
	STEP_EVENTS
};

enum run_event {
	RUN_EV_ADMITTED,
	RUN_EV_PAUSED,
	RUN_EV_RESUMED,
	RUN_EV_COMPLETED,
	RUN_EV_FAILED,
	RUN_EV_CANCELLED,
	RUN_EV_TIMED_OUT,
	RUN_EV_STUCK, /* nothing can move it, or an interruption that may not be resumed
		       */
	RUN_EVENTS
};

/* The status after the event, or -1 where the event is illegal. */
int step_on(enum step_status status, enum step_event event);
int run_on(enum run_status status, enum run_event event);
const char *step_event_name(enum step_event event);
const char *run_event_name(enum run_event event);

#endif
