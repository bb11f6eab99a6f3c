/* What registering a workflow by POST and by PUT has in common, and starting one. */
#ifndef FRONT_API_WORKFLOWS_H
#define FRONT_API_WORKFLOWS_H

#include "front/catalog.h"
#include "front/route.h"

/* -1: a workflow may not be sent under this Content-Type, and that was answered. */
int api_check_workflow_type(struct exchange *exchange);
/* 422 with every error; frees them. */
void api_refuse_workflow(struct exchange *exchange, struct problems *problems);
/* {id, definitionId, name, version, created}. */
void api_reply_registered(struct exchange *exchange, int status,
			  const struct registered *registered);

/* Begins the run; the answer is 202 {executionId, status}, or why not. The exchange has
 * no state. */
struct trigger_call;
void api_start_run(struct exchange *exchange, const struct trigger_call *call);

#endif
