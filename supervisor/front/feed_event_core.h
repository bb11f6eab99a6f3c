/*
 * What a subscription to the event log is given. Values only: the feed fills it, the
 * encodings read it.
 */
#ifndef FRONT_FEED_EVENT_CORE_H
#define FRONT_FEED_EVENT_CORE_H

#include <stdint.h>

#include "base/uuid7.h"
#include "json/json.h"

/* One event of a run's log with what its encodings need; borrowed during the callback.
 */
struct feed_event {
	struct uuid run;
	int64_t seq;
	const char *type;         /* "step.started", as in event_type_name() */
	const struct json *event; /* {seq, at, type, payload}, as the list of events */
	/* Of the run, at the time of the look: executionId, runId, workflowId,
	 * workflowName, projectId, status (lower case), triggeredBy, requestedBy,
	 * currentWorkflowStepId, currentStepKey, startedAt, completedAt, durationMs,
	 * error, stepsCompleted, createdAt, lastSeq. */
	const struct json *run_doc;
	/* As the HTTP API shows it: of an event with a step its row, of comment.added
	 * and artifact.created that row, of run.* the run; else NULL. */
	const struct json *row;
	/* Of approval.requested, and of run.paused that waits for one: {stepKey,
	 * prompt, args}; else NULL. */
	const struct json *approval;
};

#endif
