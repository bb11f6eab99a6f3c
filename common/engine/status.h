/*
 * The statuses of runs and steps and the types of events: numbers as they are stored,
 * names as people see them. The numbers never change; new ones go to the end.
 */
#ifndef ENGINE_STATUS_H
#define ENGINE_STATUS_H

#include <stdbool.h>

enum run_status {
	RUN_PENDING, /* accepted, not started: waits for its time or for a place */
	RUN_RUNNING,
	RUN_PAUSED,
	RUN_COMPLETED, /* from here on terminal ... */
	RUN_FAILED,
	RUN_CANCELLED,
	RUN_TIMED_OUT,
	RUN_CRASHED, /* ... but this one can be resumed */
	RUN_STATUSES
};

enum step_status {
	STEP_PENDING, /* something before it has not ended, or its run is paused */
	STEP_QUEUED,  /* ready: any worker may claim it */
	STEP_RUNNING, /* held by a worker */
	STEP_RETRYING,
	STEP_WAITING_APPROVAL,
	STEP_WAITING,
	STEP_COMPLETED, /* from here on terminal */
	STEP_FAILED,
	STEP_SKIPPED,
	STEP_CANCELLED,
	STEP_STATUSES
};

enum event_type {
	EVENT_NONE,
	EVENT_RUN_STARTED,
	EVENT_STEP_STARTED,
	EVENT_STEP_COMPLETED,
	EVENT_STEP_FAILED, /* each failed attempt; the payload tells whether it is tried
			      again */
	EVENT_STEP_WAITING,
	EVENT_STEP_SKIPPED,
	EVENT_STEP_CANCELLED,
	EVENT_APPROVAL_REQUESTED,
	EVENT_APPROVAL_DECIDED,
	EVENT_RUN_PAUSED,
	EVENT_RUN_RESUMED,
	EVENT_RUN_RECOVERED,
	EVENT_COMMENT_ADDED,
	EVENT_AGENT_UPDATED,
	EVENT_ARTIFACT_CREATED,
	EVENT_RUN_COMPLETED,
	EVENT_RUN_FAILED,
	EVENT_RUN_CANCELLED,
	EVENT_RUN_TIMED_OUT,
	EVENT_RUN_CRASHED,
	EVENT_TYPES
};

const char *run_status_name(enum run_status status);           /* "timed_out" */
const char *step_status_name(enum step_status status);         /* "waiting_approval" */
const char *event_type_name(enum event_type type);             /* "step.completed" */
bool run_status_parse(const char *text, enum run_status *out); /* either case */
bool run_is_over(enum run_status status);
bool step_is_over(enum step_status status);
enum event_type run_end_event(enum run_status status); /* EVENT_NONE if not over */

#endif
