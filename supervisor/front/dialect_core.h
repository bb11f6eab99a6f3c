/*
 * The event log in the three languages that clients of the WebSocket speak: one event
 * and what the feed knows with it become the messages of a dialect. Pure; who gets
 * them, and whether there is room, is decided elsewhere.
 */
#ifndef FRONT_DIALECT_CORE_H
#define FRONT_DIALECT_CORE_H

#include <stdbool.h>

#include "front/feed_event_core.h"
#include "json/json.h"

/* An output larger than this as JSON text is left out: outputTruncated stands there. */
#define DIALECT_OUTPUT_MAX (64 * 1024)

enum dialect {
	DIALECT_STATUS, /* workflow.status, workflow.approval.request */
	DIALECT_COLON,  /* workflow:step:updated and its like */
	DIALECT_CAMEL,  /* WorkflowStepStarted and its like */
	DIALECTS
};

/* Whether an event of this type says anything in this dialect: whoever has none needs
 * no look for its status. */
bool dialect_speaks(enum dialect dialect, const char *type);
/* Whether its message in DIALECT_STATUS is a workflow.status, so that dialect_encode
 * wants the run's status. */
bool dialect_wants_status(const char *type);

/* Appends none, one or two messages (JSON objects, the caller's) to `out`, an array.
 * status: with DIALECT_STATUS the body that runs_status.sql makes (stepResults and
 * all), borrowed; else NULL. */
void dialect_encode(enum dialect dialect, const struct feed_event *event,
		    const struct json *status, struct json *out);

#endif
