/* workflow.trigger. */
#include <string.h>

#include "front/api.h"
#include "front/trigger.h"
#include "front/ws_priv.h"

static void
refuse(struct ws_request *request, const struct triggered *triggered)
{
	bool keyed = ws_text_field(request, "idempotencyKey") != NULL;
	const char *code = "invalid_message"; /* 422 */

	if (triggered->status == 404)
		code = "not_found";
	else if (triggered->status == 409 || (keyed && triggered->problems == NULL))
		code = "conflict"; /* or the key was used for another call */
	ws_refuse(request, code,
		  triggered->problems != NULL ? api_problems(triggered->problems)
					      : NULL,
		  "%s", triggered->text);
}

static void
on_triggered(void *context, const struct triggered *triggered)
{
	struct ws_request *request = context;

	request->state = NULL;
	request->free_state = NULL;
	if (request->client != NULL)
		request->client->triggering--;
	if (triggered->status == 202)
		ws_answer_status(request, &triggered->run);
	else if (triggered->status == 0)
		ws_refuse_err(request, triggered->err);
	else
		refuse(request, triggered);
}

static void
forget(void *state)
{
	struct trigger *trigger = state;

	trigger_forget(&trigger);
}

void
ws_on_trigger(struct ws_request *request)
{
	struct ws_client *client = request->client;
	struct uuid project;
	struct trigger_call call = {
		.workflow = ws_text_field(request, "workflowId"),
		.input = json_get(request->message, "input"),
		.confined = ws_client_project(client),
		.requested_by = client->who,
		.tools = client->identity.tools,
		.address = client->address,
		.key = ws_text_field(request, "idempotencyKey"),
	};

	call.project = call.confined;
	if (ws_uuid_field(request, "projectId", &project)) {
		if (call.confined != NULL && !uuid_equal(&project, call.confined)) {
			ws_refuse(request, "not_found", NULL,
				  "there is no such project");
			return;
		}
		call.project = &project;
	}
	client->triggering++;
	request->state =
	    trigger_begin(request->ws->front, &call, on_triggered, request);
	request->free_state = forget;
}
