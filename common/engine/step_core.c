/* What may happen to a step and to a run, and what becomes of it: two tables. */
#include "engine/step_core.h"

/* Statuses are stored one higher, so that an empty place is an illegal event. */
#define TO(status) ((status) + 1)

/* clang-format off */
static const int steps[STEP_STATUSES][STEP_EVENTS] = {
	[STEP_PENDING]  = { [STEP_EV_READY]       = TO(STEP_QUEUED),
			    [STEP_EV_CANCELLED]   = TO(STEP_CANCELLED) },
	[STEP_QUEUED]   = { [STEP_EV_CLAIMED]     = TO(STEP_RUNNING),
			    [STEP_EV_HELD_UP]     = TO(STEP_PENDING),
			    [STEP_EV_CANCELLED]   = TO(STEP_CANCELLED) },
	[STEP_RUNNING]  = { [STEP_EV_SUCCEEDED]   = TO(STEP_COMPLETED),
			    [STEP_EV_FAILED]      = TO(STEP_FAILED),
			    [STEP_EV_AGAIN]       = TO(STEP_RETRYING),
			    [STEP_EV_WAITS]       = TO(STEP_WAITING),
			    [STEP_EV_ASKS]        = TO(STEP_WAITING_APPROVAL),
			    [STEP_EV_SKIPPED]     = TO(STEP_SKIPPED),
			    [STEP_EV_LOST]        = TO(STEP_QUEUED),
			    [STEP_EV_HANDED_BACK] = TO(STEP_QUEUED),
			    [STEP_EV_CANCELLED]   = TO(STEP_CANCELLED) },
	[STEP_RETRYING] = { [STEP_EV_DUE]         = TO(STEP_QUEUED),
			    [STEP_EV_CANCELLED]   = TO(STEP_CANCELLED) },
	[STEP_WAITING_APPROVAL] = {
			    [STEP_EV_DECIDED]     = TO(STEP_QUEUED),
			    [STEP_EV_DUE]         = TO(STEP_QUEUED),
			    [STEP_EV_CANCELLED]   = TO(STEP_CANCELLED) },
	[STEP_WAITING]  = { [STEP_EV_DUE]         = TO(STEP_QUEUED),
			    [STEP_EV_WOKEN]       = TO(STEP_QUEUED),
			    [STEP_EV_CANCELLED]   = TO(STEP_CANCELLED) },
};

/* What a paused run still holds may end it: the last step need not be cut off. */
static const int runs[RUN_STATUSES][RUN_EVENTS] = {
	[RUN_PENDING] = { [RUN_EV_ADMITTED]  = TO(RUN_RUNNING),
			  [RUN_EV_CANCELLED] = TO(RUN_CANCELLED),
			  [RUN_EV_STUCK]     = TO(RUN_CRASHED) },
	[RUN_RUNNING] = { [RUN_EV_PAUSED]    = TO(RUN_PAUSED),
			  [RUN_EV_COMPLETED] = TO(RUN_COMPLETED),
			  [RUN_EV_FAILED]    = TO(RUN_FAILED),
			  [RUN_EV_CANCELLED] = TO(RUN_CANCELLED),
			  [RUN_EV_TIMED_OUT] = TO(RUN_TIMED_OUT),
			  [RUN_EV_STUCK]     = TO(RUN_CRASHED) },
	[RUN_PAUSED]  = { [RUN_EV_RESUMED]   = TO(RUN_RUNNING),
			  [RUN_EV_COMPLETED] = TO(RUN_COMPLETED),
			  [RUN_EV_FAILED]    = TO(RUN_FAILED),
			  [RUN_EV_CANCELLED] = TO(RUN_CANCELLED),
			  [RUN_EV_STUCK]     = TO(RUN_CRASHED) },
	[RUN_CRASHED] = { [RUN_EV_RESUMED]   = TO(RUN_RUNNING) },
};
/* clang-format on */

static const char *const step_event_names[STEP_EVENTS] = {
	[STEP_EV_READY] = "ready",
	[STEP_EV_CLAIMED] = "claimed",
	[STEP_EV_SUCCEEDED] = "succeeded",
	[STEP_EV_FAILED] = "failed",
	[STEP_EV_AGAIN] = "failed, again later",
	[STEP_EV_WAITS] = "waits",
	[STEP_EV_ASKS] = "asks for approval",
	[STEP_EV_SKIPPED] = "skipped",
	[STEP_EV_DECIDED] = "decided",
	[STEP_EV_WOKEN] = "woken",
	[STEP_EV_DUE] = "due",
	[STEP_EV_LOST] = "worker lost",
	[STEP_EV_HANDED_BACK] = "handed back",
	[STEP_EV_HELD_UP] = "run paused",
	[STEP_EV_CANCELLED] = "cancelled",
};

static const char *const run_event_names[RUN_EVENTS] = {
	[RUN_EV_ADMITTED] = "admitted",   [RUN_EV_PAUSED] = "paused",
	[RUN_EV_RESUMED] = "resumed",     [RUN_EV_COMPLETED] = "completed",
	[RUN_EV_FAILED] = "failed",       [RUN_EV_CANCELLED] = "cancelled",
	[RUN_EV_TIMED_OUT] = "timed out", [RUN_EV_STUCK] = "stuck",
};

int
step_on(enum step_status status, enum step_event event)
{
	if (status >= STEP_STATUSES || event >= STEP_EVENTS)
		return -1;
	return steps[status][event] - 1;
}

int
run_on(enum run_status status, enum run_event event)
{
	if (status >= RUN_STATUSES || event >= RUN_EVENTS)
		return -1;
	return runs[status][event] - 1;
}

const char *
step_event_name(enum step_event event)
{
	return event < STEP_EVENTS ? step_event_names[event] : "unknown";
}

const char *
run_event_name(enum run_event event)
{
	return event < RUN_EVENTS ? run_event_names[event] : "unknown";
}
