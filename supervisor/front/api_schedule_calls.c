/* See api_schedule_calls.h. */
#include "front/api_schedule_calls.h"

#include "front/api.h"
#include "front/change.h"

void
api_schedule_edited(void *context, const struct schedule_edited *edited)
{
	struct exchange *exchange = context;

	if (edited->status == 0)
		reply_err(exchange, edited->err);
	else if (edited->status >= 400)
		reply_problem(exchange, edited->status,
			      edited->problems != NULL ? api_problems(edited->problems)
						       : NULL,
			      "%s", edited->text);
	else if (edited->doc != NULL)
		reply_json_text(exchange, edited->status, edited->doc, edited->doc_len);
	else
		reply_empty(exchange, edited->status);
}

struct schedule_call
api_schedule_call(struct exchange *exchange, const struct json *sent)
{
	return (struct schedule_call){
		.front = exchange_front(exchange),
		.change = exchange_change(exchange),
		.named = exchange_param(exchange, "id"),
		.sent = sent,
		.strict = true,
		.confined = exchange_project(exchange),
		.by = exchange_who(exchange),
		.tools = exchange_tools(exchange),
		.read_after = exchange_read_after(exchange),
	};
}

void
api_schedule_edit(struct exchange *exchange, schedule_begin_fn *begin)
{
	struct schedule_call call;
	struct json *body;

	if (exchange_json(exchange, &body) < 0)
		return;
	if (json_type(body) != JSON_OBJECT) {
		reply_problem(exchange, 400, NULL, "the body: expected an object");
		return;
	}
	call = api_schedule_call(exchange, body);
	begin(&call, api_schedule_edited, exchange);
}
