/*
 * GET /api/executions/:id/events: a run's log after a number - a page of it, as a long
 * poll, or as a stream (text/event-stream) that ends with the run.
 */
#ifndef FRONT_API_EXECUTION_EVENTS_H
#define FRONT_API_EXECUTION_EVENTS_H

#include "front/route.h"

void api_execution_events(struct exchange *exchange);

#endif
