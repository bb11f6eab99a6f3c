/* The names of statuses and events, and which of them are an end. */
#include "engine/status.h"

#include <strings.h>

static const char *const run_names[RUN_STATUSES] = {
	[RUN_PENDING] = "pending",     [RUN_RUNNING] = "running",
	[RUN_PAUSED] = "paused",       [RUN_COMPLETED] = "completed",
	[RUN_FAILED] = "failed",       [RUN_CANCELLED] = "cancelled",
	[RUN_TIMED_OUT] = "timed_out", [RUN_CRASHED] = "crashed",
};

static const char *const step_names[STEP_STATUSES] = {
	[STEP_PENDING] = "pending",
	[STEP_QUEUED] = "queued",
	[STEP_RUNNING] = "running",
	[STEP_RETRYING] = "retrying",
	[STEP_WAITING_APPROVAL] = "waiting_approval",
	[STEP_WAITING] = "waiting",
	[STEP_COMPLETED] = "completed",
	[STEP_FAILED] = "failed",
	[STEP_SKIPPED] = "skipped",
	[STEP_CANCELLED] = "cancelled",
};

static const char *const event_names[EVENT_TYPES] = {
	[EVENT_NONE] = "none",
	[EVENT_RUN_STARTED] = "run.started",
	[EVENT_STEP_STARTED] = "step.started",
	[EVENT_STEP_COMPLETED] = "step.completed",
	[EVENT_STEP_FAILED] = "step.failed",
	[EVENT_STEP_WAITING] = "step.waiting",
	[EVENT_STEP_SKIPPED] = "step.skipped",
	[EVENT_STEP_CANCELLED] = "step.cancelled",
	[EVENT_APPROVAL_REQUESTED] = "approval.requested",
	[EVENT_APPROVAL_DECIDED] = "approval.decided",
	[EVENT_RUN_PAUSED] = "run.paused",
	[EVENT_RUN_RESUMED] = "run.resumed",
	[EVENT_RUN_RECOVERED] = "run.recovered",
	[EVENT_COMMENT_ADDED] = "comment.added",
	[EVENT_AGENT_UPDATED] = "agent.updated",
	[EVENT_ARTIFACT_CREATED] = "artifact.created",
	[EVENT_RUN_COMPLETED] = "run.completed",
	[EVENT_RUN_FAILED] = "run.failed",
	[EVENT_RUN_CANCELLED] = "run.cancelled",
	[EVENT_RUN_TIMED_OUT] = "run.timed_out",
	[EVENT_RUN_CRASHED] = "run.crashed",
};

static const enum event_type run_end_events[RUN_STATUSES] = {
	[RUN_COMPLETED] = EVENT_RUN_COMPLETED, [RUN_FAILED] = EVENT_RUN_FAILED,
	[RUN_CANCELLED] = EVENT_RUN_CANCELLED, [RUN_TIMED_OUT] = EVENT_RUN_TIMED_OUT,
	[RUN_CRASHED] = EVENT_RUN_CRASHED,
};

/* The numbers may come from a database that is newer than this program. */
static const char *
name_of(const char *const *names, int count, int number)
{
	return number >= 0 && number < count ? names[number] : "unknown";
}

const char *
run_status_name(enum run_status status)
{
	return name_of(run_names, RUN_STATUSES, (int)status);
}

const char *
step_status_name(enum step_status status)
{
	return name_of(step_names, STEP_STATUSES, (int)status);
}

const char *
event_type_name(enum event_type type)
{
	return name_of(event_names, EVENT_TYPES, (int)type);
}

bool
run_status_parse(const char *text, enum run_status *out)
{
	for (int i = 0; i < RUN_STATUSES; i++) {
		if (strcasecmp(run_names[i], text) == 0) {
			*out = (enum run_status)i;
			return true;
		}
	}
	return false;
}

bool
run_is_over(enum run_status status)
{
	return run_end_event(status) != EVENT_NONE;
}

bool
step_is_over(enum step_status status)
{
	return status == STEP_COMPLETED || status == STEP_FAILED ||
	       status == STEP_SKIPPED || status == STEP_CANCELLED;
}

enum event_type
run_end_event(enum run_status status)
{
	return status < RUN_STATUSES ? run_end_events[status] : EVENT_NONE;
}
