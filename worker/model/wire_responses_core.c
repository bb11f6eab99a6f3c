/* OpenAI's Responses. Events are numbered, so one that comes twice is taken once; the
 * end is `response.completed` or one of its sisters. Nothing is left with the provider:
 * each request carries the whole conversation. */
#include <string.h>

#include "model/wire_core.h"

/* ---- the request ---- */

static void
make_url(const struct wire_request *request, struct buf *out)
{
	wire_openai_url(request->base_url, "/responses", out);
}

static void
add_text(struct json *input, const struct talk_turn *turn)
{
	struct json *message =
	    wire_object("role", turn->role == TALK_MODEL ? "assistant" : "user");

	if (*turn->text == '\0' && turn->count > 0) {
		json_unref(&message);
		return;
	}
	wire_set(message, "content", turn->text);
	json_append(input, message);
}

static void
add_call(struct json *input, const struct talk_call *call)
{
	struct json *item = wire_object("type", "function_call");

	wire_set(item, "call_id", call->id);
	wire_set(item, "name", call->name);
	wire_set(item, "arguments", call->arguments);
	json_append(input, item);
}

static void
add_result(struct json *input, const struct talk_call *call,
	   const struct talk_result *result)
{
	struct json *item = wire_object("type", "function_call_output");

	wire_set(item, "call_id", call->id);
	wire_set(item, "output", result->text);
	json_append(input, item);
}

static struct json *
input_of(const struct talk *talk)
{
	struct json *input = json_new_array();

	for (size_t i = 0; i < talk->turns_count; i++) {
		const struct talk_turn *turn = &talk->turns[i];

		if (turn->role != TALK_RESULTS)
			add_text(input, turn);
		for (size_t k = 0; turn->role == TALK_MODEL && k < turn->count; k++)
			add_call(input, &turn->calls[k]);
		for (size_t k = 0; turn->role == TALK_RESULTS && k < turn->count; k++)
			add_result(input, &turn[-1].calls[k], &turn->results[k]);
	}
	return input;
}

static struct json *
tools_of(const struct talk *talk)
{
	struct json *tools = json_new_array();

	for (size_t i = 0; i < talk->tools_count; i++) {
		struct json *tool = wire_object("type", "function");

		wire_set(tool, "name", talk->tools[i].wire_name);
		wire_set(tool, "description", talk->tools[i].help);
		json_set(tool, "parameters", json_ref(talk->tools[i].schema));
		json_set(tool, "strict", json_new_bool(false));
		json_append(tools, tool);
	}
	return tools;
}

static struct json *
text_of(const struct talk *talk)
{
	struct json *text = json_new_object();
	struct json *format = wire_object("type", "json_schema");

	wire_set(format, "name", "answer");
	json_set(format, "schema", json_copy(talk->schema));
	json_set(format, "strict", json_new_bool(false));
	json_set(text, "format", format);
	return text;
}

static bool
asks_schema(const struct wire_request *request, const struct talk *talk)
{
	const char *type = json_str(json_get(talk->schema, "type"));

	return request->ask_schema && type != NULL && strcmp(type, "object") == 0;
}

static struct json *
make_body(const struct wire_request *request, const struct talk *talk)
{
	struct json *body = wire_object("model", request->model);

	json_set(body, "input", input_of(talk));
	json_set(body, "stream", json_new_bool(true));
	json_set(body, "store", json_new_bool(false));
	json_set(body, "max_output_tokens", json_new_int(talk->max_tokens));
	if (talk->system != NULL)
		wire_set(body, "instructions", talk->system);
	if (talk->has_temperature)
		json_set(body, "temperature", json_new_double(talk->temperature));
	if (talk->tools_count > 0)
		json_set(body, "tools", tools_of(talk));
	if (asks_schema(request, talk))
		json_set(body, "text", text_of(talk));
	return body;
}

/* ---- the answer ---- */

static void
on_text(struct heard *reply, const struct json *data)
{
	const struct json *delta = json_get(data, "delta");

	if (json_type(delta) == JSON_STRING)
		heard_text(reply, json_str(delta), json_str_len(delta));
}

static void
on_refusal(struct heard *reply, const struct json *data)
{
	on_text(reply, data);
	reply->stop = HEARD_REFUSED;
}

static struct heard_call *
call_at(struct heard *reply, const struct json *data)
{
	return heard_call(reply, (int)wire_count(data, "output_index"));
}

static bool
is_call(const struct json *item)
{
	const char *type = json_str(json_get(item, "type"));

	return type != NULL && strcmp(type, "function_call") == 0;
}

static void
on_item_added(struct heard *reply, const struct json *data)
{
	const struct json *item = json_get(data, "item");
	struct heard_call *call = is_call(item) ? call_at(reply, data) : NULL;

	if (call != NULL)
		heard_name(call, json_str(json_get(item, "call_id")),
			   json_str(json_get(item, "name")));
}

static void
on_arguments(struct heard *reply, const struct json *data)
{
	const struct json *delta = json_get(data, "delta");
	struct heard_call *call = call_at(reply, data);

	if (call != NULL && json_type(delta) == JSON_STRING)
		heard_arguments(reply, call, json_str(delta), json_str_len(delta));
}

/* The item as a whole: what came in pieces before it says as well. */
static void
on_item_done(struct heard *reply, const struct json *data)
{
	const struct json *item = json_get(data, "item");
	const struct json *arguments = json_get(item, "arguments");
	struct heard_call *call = is_call(item) ? call_at(reply, data) : NULL;

	if (call == NULL)
		return;
	heard_name(call, json_str(json_get(item, "call_id")),
		   json_str(json_get(item, "name")));
	if (call->arguments.len == 0 && json_type(arguments) == JSON_STRING)
		heard_arguments(reply, call, json_str(arguments),
				json_str_len(arguments));
}

static void
take_usage(struct heard *reply, const struct json *usage)
{
	if (json_type(usage) == JSON_OBJECT)
		heard_usage(reply, wire_count(usage, "input_tokens"),
			    wire_count(usage, "output_tokens"),
			    wire_count(json_get(usage, "input_tokens_details"),
				       "cached_tokens"));
}

static void
on_completed(struct heard *reply, const struct json *data)
{
	take_usage(reply, json_get(json_get(data, "response"), "usage"));
	reply->complete = reply->sealed = true;
	if (reply->stop != HEARD_REFUSED)
		reply->stop = reply->calls_count > 0 ? HEARD_TOOLS : HEARD_ENDED;
}

static void
on_incomplete(struct heard *reply, const struct json *data)
{
	const struct json *response = json_get(data, "response");
	const char *reason =
	    json_str(json_get(json_get(response, "incomplete_details"), "reason"));

	take_usage(reply, json_get(response, "usage"));
	reply->complete = reply->sealed = true;
	reply->stop = reason != NULL && strcmp(reason, "content_filter") == 0
			  ? HEARD_REFUSED
			  : HEARD_LENGTH;
}

static void
on_failed(struct heard *reply, const struct json *data)
{
	trouble_of_event(&reply->trouble,
			 json_get(json_get(data, "response"), "error"));
}

static void
on_error(struct heard *reply, const struct json *data)
{
	const struct json *error = json_get(data, "error");

	trouble_of_event(&reply->trouble, error != NULL ? error : data);
}

typedef void event_fn(struct heard *reply, const struct json *data);

struct event_row {
	const char *type;
	event_fn *take;
};

static const struct event_row events[] = {
	{ "response.output_text.delta", on_text },
	{ "response.refusal.delta", on_refusal },
	{ "response.output_item.added", on_item_added },
	{ "response.function_call_arguments.delta", on_arguments },
	{ "response.output_item.done", on_item_done },
	{ "response.completed", on_completed },
	{ "response.incomplete", on_incomplete },
	{ "response.failed", on_failed },
	{ "error", on_error },
};

/* Numbers count from 0 or 1, as the provider likes; none is as good as a new one. */
static bool
is_known(struct heard *reply, const struct json *data)
{
	int64_t number;

	if (json_type(json_get(data, "sequence_number")) != JSON_INT)
		return false;
	number = wire_count(data, "sequence_number") + 1;
	if (number <= reply->last_number)
		return true;
	reply->last_number = number;
	return false;
}

static void
take_event(struct heard *reply, const char *event, const struct json *data)
{
	const char *type = json_str(json_get(data, "type"));

	if (is_known(reply, data))
		return;
	if (type == NULL)
		type = event;
	for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
		if (strcmp(type, events[i].type) == 0)
			events[i].take(reply, data);
}

const struct wire wire_responses = {
	.key_header = "Authorization",
	.key_prefix = "Bearer ",
	.url = make_url,
	.body = make_body,
	.event = take_event,
};
