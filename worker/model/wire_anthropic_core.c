/* Anthropic's Messages. Blocks are named by their index; the end is `message_stop`. */
#include <string.h>

#include "model/wire_core.h"

/* ---- the request ---- */

static void
make_url(const struct wire_request *request, struct buf *out)
{
	size_t len = strlen(request->base_url);

	if (len >= 3 && strcmp(request->base_url + len - 3, "/v1") == 0)
		len -= 3;
	buf_printf(out, "%.*s/v1/messages", (int)len, request->base_url);
}

static struct json *
text_block(const char *text)
{
	struct json *block = wire_object("type", "text");

	wire_set(block, "text", text);
	return block;
}

static struct json *
call_block(const struct talk_call *call)
{
	struct json *block = wire_object("type", "tool_use");

	wire_set(block, "id", call->id);
	wire_set(block, "name", call->name);
	json_set(block, "input", wire_arguments(call));
	return block;
}

static struct json *
result_block(const struct talk_call *call, const struct talk_result *result)
{
	struct json *block = wire_object("type", "tool_result");

	wire_set(block, "tool_use_id", call->id);
	wire_set(block, "content", result->text);
	if (result->failed)
		json_set(block, "is_error", json_new_bool(true));
	return block;
}

/* An empty text is no block, and a message needs one. */
static struct json *
blocks_of(const struct talk_turn *turn, const struct talk_turn *before)
{
	struct json *blocks = json_new_array();

	if (*turn->text != '\0' || turn->count == 0)
		json_append(blocks,
			    text_block(*turn->text != '\0' ? turn->text : "(nothing)"));
	for (size_t i = 0; turn->role == TALK_MODEL && i < turn->count; i++)
		json_append(blocks, call_block(&turn->calls[i]));
	for (size_t i = 0; turn->role == TALK_RESULTS && i < turn->count; i++)
		json_append(blocks, result_block(&before->calls[i], &turn->results[i]));
	return blocks;
}

static struct json *
messages_of(const struct talk *talk)
{
	struct json *messages = json_new_array();

	for (size_t i = 0; i < talk->turns_count; i++) {
		const struct talk_turn *turn = &talk->turns[i];
		struct json *message = wire_object(
		    "role", turn->role == TALK_MODEL ? "assistant" : "user");

		json_set(message, "content", blocks_of(turn, i > 0 ? turn - 1 : NULL));
		json_append(messages, message);
	}
	return messages;
}

static struct json *
tools_of(const struct talk *talk)
{
	struct json *tools = json_new_array();

	for (size_t i = 0; i < talk->tools_count; i++) {
		struct json *tool = wire_object("name", talk->tools[i].wire_name);

		wire_set(tool, "description", talk->tools[i].help);
		json_set(tool, "input_schema", json_ref(talk->tools[i].schema));
		json_append(tools, tool);
	}
	return tools;
}

static struct json *
make_body(const struct wire_request *request, const struct talk *talk)
{
	struct json *body = wire_object("model", request->model);

	json_set(body, "max_tokens", json_new_int(talk->max_tokens));
	json_set(body, "stream", json_new_bool(true));
	if (talk->system != NULL)
		wire_set(body, "system", talk->system);
	if (talk->has_temperature)
		json_set(body, "temperature", json_new_double(talk->temperature));
	json_set(body, "messages", messages_of(talk));
	if (talk->tools_count > 0)
		json_set(body, "tools", tools_of(talk));
	return body;
}

/* ---- the answer ---- */

/* Told at the beginning and, as sums, at the end; what is not told again stays. */
static void
take_usage(struct heard *reply, const struct json *usage)
{
	struct usage sum = reply->usage;

	if (usage == NULL)
		return;
	if (json_has(usage, "input_tokens")) {
		sum.cache_read = wire_count(usage, "cache_read_input_tokens");
		sum.input = wire_count(usage, "input_tokens") + sum.cache_read +
			    wire_count(usage, "cache_creation_input_tokens");
	}
	if (json_has(usage, "output_tokens"))
		sum.output = wire_count(usage, "output_tokens");
	heard_usage(reply, sum.input, sum.output, sum.cache_read);
}

static void
on_message_start(struct heard *reply, const struct json *data)
{
	if (reply->begun)
		heard_fail(reply, TROUBLE_GARBAGE, "the answer began twice");
	reply->begun = true;
	take_usage(reply, json_get(json_get(data, "message"), "usage"));
}

static void
on_block_start(struct heard *reply, const struct json *data)
{
	const struct json *block = json_get(data, "content_block");
	const char *type = json_str(json_get(block, "type"));
	const struct json *text = json_get(block, "text");
	struct heard_call *call;

	if (type != NULL && strcmp(type, "tool_use") == 0) {
		call = heard_call(reply, (int)wire_count(data, "index"));
		if (call != NULL)
			heard_name(call, json_str(json_get(block, "id")),
				   json_str(json_get(block, "name")));
	} else if (text != NULL) {
		heard_text(reply, json_str(text), json_str_len(text));
	}
}

static void
on_block_delta(struct heard *reply, const struct json *data)
{
	const struct json *delta = json_get(data, "delta");
	const struct json *text = json_get(delta, "text");
	const struct json *part = json_get(delta, "partial_json");
	struct heard_call *call;

	if (json_type(text) == JSON_STRING)
		heard_text(reply, json_str(text), json_str_len(text));
	if (json_type(part) != JSON_STRING)
		return;
	call = heard_call(reply, (int)wire_count(data, "index"));
	if (call != NULL)
		heard_arguments(reply, call, json_str(part), json_str_len(part));
}

struct reason {
	const char *word;
	enum heard_stop stop;
};

static const struct reason reasons[] = {
	{ "end_turn", HEARD_ENDED },
	{ "stop_sequence", HEARD_ENDED },
	{ "tool_use", HEARD_TOOLS },
	{ "max_tokens", HEARD_LENGTH },
	{ "refusal", HEARD_REFUSED },
	{ "model_context_window_exceeded", HEARD_LENGTH },
	{ "pause_turn", HEARD_ENDED },
};

static void
on_message_delta(struct heard *reply, const struct json *data)
{
	const char *word = json_str(json_get(json_get(data, "delta"), "stop_reason"));

	take_usage(reply, json_get(data, "usage"));
	for (size_t i = 0; word != NULL && i < sizeof reasons / sizeof reasons[0]; i++)
		if (strcmp(word, reasons[i].word) == 0)
			reply->stop = reasons[i].stop;
	if (word != NULL && reply->stop == HEARD_GOES_ON)
		reply->stop = HEARD_ENDED;
}

static void
on_message_stop(struct heard *reply, const struct json *data)
{
	(void)data;
	reply->complete = reply->sealed = true;
}

static void
on_error(struct heard *reply, const struct json *data)
{
	if (reply->trouble.kind == TROUBLE_NONE)
		trouble_of_event(&reply->trouble, json_get(data, "error"));
}

typedef void event_fn(struct heard *reply, const struct json *data);

struct event_row {
	const char *type;
	event_fn *take;
};

static const struct event_row events[] = {
	{ "message_start", on_message_start },
	{ "content_block_start", on_block_start },
	{ "content_block_delta", on_block_delta },
	{ "message_delta", on_message_delta },
	{ "message_stop", on_message_stop },
	{ "error", on_error },
};

static void
take_event(struct heard *reply, const char *event, const struct json *data)
{
	const char *type = json_str(json_get(data, "type"));

	if (type == NULL)
		type = event;
	for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
		if (strcmp(type, events[i].type) == 0)
			events[i].take(reply, data);
}

const struct wire wire_anthropic = {
	.key_header = "x-api-key",
	.key_prefix = "",
	.version_header = "anthropic-version",
	.version = "2023-06-01",
	.url = make_url,
	.body = make_body,
	.event = take_event,
};
