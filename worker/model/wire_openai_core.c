/* OpenAI's Chat Completions, which most others speak as well. The answer is complete
 * when a finish_reason was told; the tokens may come behind it. */
#include <string.h>

#include "model/wire_core.h"

/* ---- the request ---- */

static void
make_url(const struct wire_request *request, struct buf *out)
{
	wire_openai_url(request->base_url, "/chat/completions", out);
}

static struct json *
calls_of(const struct talk_turn *turn)
{
	struct json *calls = json_new_array();

	for (size_t i = 0; i < turn->count; i++) {
		struct json *call = wire_object("id", turn->calls[i].id);
		struct json *function = wire_object("name", turn->calls[i].name);

		wire_set(function, "arguments", turn->calls[i].arguments);
		wire_set(call, "type", "function");
		json_set(call, "function", function);
		json_append(calls, call);
	}
	return calls;
}

static void
add_results(struct json *messages, const struct talk_turn *turn,
	    const struct talk_turn *before)
{
	for (size_t i = 0; i < turn->count; i++) {
		struct json *message = wire_object("role", "tool");

		wire_set(message, "tool_call_id", before->calls[i].id);
		wire_set(message, "content", turn->results[i].text);
		json_append(messages, message);
	}
}

static void
add_turn(struct json *messages, const struct talk_turn *turn)
{
	struct json *message;

	if (turn->role == TALK_RESULTS) {
		add_results(messages, turn, turn - 1);
		return;
	}
	message = wire_object("role", turn->role == TALK_MODEL ? "assistant" : "user");
	wire_set(message, "content", turn->text);
	if (turn->count > 0)
		json_set(message, "tool_calls", calls_of(turn));
	json_append(messages, message);
}

static struct json *
messages_of(const struct talk *talk)
{
	struct json *messages = json_new_array(), *system;

	if (talk->system != NULL) {
		system = wire_object("role", "system");
		wire_set(system, "content", talk->system);
		json_append(messages, system);
	}
	for (size_t i = 0; i < talk->turns_count; i++)
		add_turn(messages, &talk->turns[i]);
	return messages;
}

static struct json *
tools_of(const struct talk *talk)
{
	struct json *tools = json_new_array();

	for (size_t i = 0; i < talk->tools_count; i++) {
		struct json *tool = wire_object("type", "function");
		struct json *function = wire_object("name", talk->tools[i].wire_name);

		wire_set(function, "description", talk->tools[i].help);
		json_set(function, "parameters", json_ref(talk->tools[i].schema));
		json_set(tool, "function", function);
		json_append(tools, tool);
	}
	return tools;
}

static struct json *
format_of(const struct talk *talk)
{
	struct json *format = wire_object("type", "json_schema");
	struct json *schema = wire_object("name", "answer");

	json_set(schema, "schema", json_copy(talk->schema));
	json_set(format, "json_schema", schema);
	return format;
}

/* The provider takes objects only at the top of a schema. */
static bool
asks_schema(const struct wire_request *request, const struct talk *talk)
{
	const char *type = json_str(json_get(talk->schema, "type"));

	return request->ask_schema && type != NULL && strcmp(type, "object") == 0;
}

/* Its owner has given the limit another name, which others do not know. */
static const char *
limit_name(const struct wire_request *request)
{
	return strstr(request->base_url, "//api.openai.com") != NULL
		   ? "max_completion_tokens"
		   : "max_tokens";
}

static struct json *
make_body(const struct wire_request *request, const struct talk *talk)
{
	struct json *body = wire_object("model", request->model);
	struct json *options = json_new_object();

	json_set(body, "messages", messages_of(talk));
	json_set(body, "stream", json_new_bool(true));
	json_set(options, "include_usage", json_new_bool(true));
	json_set(body, "stream_options", options);
	json_set(body, limit_name(request), json_new_int(talk->max_tokens));
	if (talk->has_temperature)
		json_set(body, "temperature", json_new_double(talk->temperature));
	if (talk->tools_count > 0)
		json_set(body, "tools", tools_of(talk));
	if (asks_schema(request, talk))
		json_set(body, "response_format", format_of(talk));
	return body;
}

/* ---- the answer ---- */

static void
take_usage(struct heard *reply, const struct json *usage)
{
	if (json_type(usage) == JSON_OBJECT)
		heard_usage(reply, wire_count(usage, "prompt_tokens"),
			    wire_count(usage, "completion_tokens"),
			    wire_count(json_get(usage, "prompt_tokens_details"),
				       "cached_tokens"));
}

/* Some give no index where there is one call only. */
static void
take_call(struct heard *reply, const struct json *part, size_t place)
{
	const struct json *function = json_get(part, "function");
	const struct json *arguments = json_get(function, "arguments");
	int index =
	    json_has(part, "index") ? (int)wire_count(part, "index") : (int)place;
	struct heard_call *call = heard_call(reply, index);

	if (call == NULL)
		return;
	heard_name(call, json_str(json_get(part, "id")),
		   json_str(json_get(function, "name")));
	if (json_type(arguments) == JSON_STRING)
		heard_arguments(reply, call, json_str(arguments),
				json_str_len(arguments));
}

struct reason {
	const char *word;
	enum heard_stop stop;
};

static const struct reason reasons[] = {
	{ "stop", HEARD_ENDED },
	{ "tool_calls", HEARD_TOOLS },
	{ "function_call", HEARD_TOOLS },
	{ "length", HEARD_LENGTH },
	{ "content_filter", HEARD_REFUSED },
};

static void
take_reason(struct heard *reply, const char *word)
{
	reply->stop = HEARD_ENDED;
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (strcmp(word, reasons[i].word) == 0)
			reply->stop = reasons[i].stop;
	/* some say "stop" although they wait */
	if (reply->stop == HEARD_ENDED && reply->calls_count > 0)
		reply->stop = HEARD_TOOLS;
	reply->complete = true;
}

static void
take_choice(struct heard *reply, const struct json *choice)
{
	const struct json *delta = json_get(choice, "delta");
	const struct json *text = json_get(delta, "content");
	const struct json *refusal = json_get(delta, "refusal");
	const struct json *calls = json_get(delta, "tool_calls");
	const char *reason = json_str(json_get(choice, "finish_reason"));

	if (json_type(text) == JSON_STRING)
		heard_text(reply, json_str(text), json_str_len(text));
	if (json_type(refusal) == JSON_STRING)
		heard_text(reply, json_str(refusal), json_str_len(refusal));
	for (size_t i = 0; i < json_count(calls); i++)
		take_call(reply, json_at(calls, i), i);
	if (reason != NULL)
		take_reason(reply, reason);
	if (json_str_len(refusal) > 0)
		reply->stop = HEARD_REFUSED;
}

static void
take_event(struct heard *reply, const char *event, const struct json *data)
{
	const struct json *error = json_get(data, "error");

	(void)event;
	if (error != NULL) {
		trouble_of_event(&reply->trouble, error);
		return;
	}
	take_usage(reply, json_get(data, "usage"));
	if (json_count(json_get(data, "choices")) > 0)
		take_choice(reply, json_at(json_get(data, "choices"), 0));
}

const struct wire wire_openai = {
	.key_header = "Authorization",
	.key_prefix = "Bearer ",
	.url = make_url,
	.body = make_body,
	.event = take_event,
};
