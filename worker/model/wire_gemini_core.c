/* Google's streamGenerateContent. Each event is a part of the answer in whole parts; it
 * is complete when a finishReason was told. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "actions/http_form_core.h"
#include "base/xalloc.h"
#include "model/wire_core.h"

/* ---- the request ---- */

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static void
make_url(const struct wire_request *request, struct buf *out)
{
	bool has_version = ends_with(request->base_url, "/v1") ||
			   ends_with(request->base_url, "/v1beta");

	buf_printf(out, "%s%s/models/", request->base_url,
		   has_version ? "" : "/v1beta");
	http_escape(request->model, strlen(request->model), out);
	buf_str(out, ":streamGenerateContent?alt=sse");
}

static struct json *
call_part(const struct talk_call *call)
{
	struct json *part = json_new_object();
	struct json *function = wire_object("name", call->name);

	json_set(function, "args", wire_arguments(call));
	json_set(part, "functionCall", function);
	if (call->signature != NULL)
		wire_set(part, "thoughtSignature", call->signature);
	return part;
}

static struct json *
result_part(const struct talk_call *call, const struct talk_result *result)
{
	struct json *part = json_new_object();
	struct json *function = wire_object("name", call->name);

	json_set(function, "response",
		 wire_object(result->failed ? "error" : "result", result->text));
	json_set(part, "functionResponse", function);
	return part;
}

static struct json *
parts_of(const struct talk_turn *turn)
{
	struct json *parts = json_new_array();

	if (turn->role != TALK_RESULTS && (*turn->text != '\0' || turn->count == 0))
		json_append(parts, wire_object("text", turn->text));
	for (size_t i = 0; turn->role == TALK_MODEL && i < turn->count; i++)
		json_append(parts, call_part(&turn->calls[i]));
	for (size_t i = 0; turn->role == TALK_RESULTS && i < turn->count; i++)
		json_append(parts, result_part(&turn[-1].calls[i], &turn->results[i]));
	return parts;
}

static struct json *
contents_of(const struct talk *talk)
{
	struct json *contents = json_new_array();

	for (size_t i = 0; i < talk->turns_count; i++) {
		const struct talk_turn *turn = &talk->turns[i];
		struct json *content =
		    wire_object("role", turn->role == TALK_MODEL ? "model" : "user");

		json_set(content, "parts", parts_of(turn));
		json_append(contents, content);
	}
	return contents;
}

static struct json *
tools_of(const struct talk *talk)
{
	struct json *tools = json_new_array(), *list = json_new_array();
	struct json *declarations = json_new_object();

	for (size_t i = 0; i < talk->tools_count; i++) {
		struct json *tool = wire_object("name", talk->tools[i].wire_name);

		wire_set(tool, "description", talk->tools[i].help);
		json_set(tool, "parametersJsonSchema", json_ref(talk->tools[i].schema));
		json_append(list, tool);
	}
	json_set(declarations, "functionDeclarations", list);
	json_append(tools, declarations);
	return tools;
}

/* It does not take tools and a schema together. */
static struct json *
config_of(const struct wire_request *request, const struct talk *talk)
{
	struct json *config = json_new_object();

	json_set(config, "maxOutputTokens", json_new_int(talk->max_tokens));
	if (talk->has_temperature)
		json_set(config, "temperature", json_new_double(talk->temperature));
	if (talk->schema != NULL && request->ask_schema && talk->tools_count == 0) {
		wire_set(config, "responseMimeType", "application/json");
		json_set(config, "responseJsonSchema", json_copy(talk->schema));
	}
	return config;
}

static struct json *
system_of(const struct talk *talk)
{
	struct json *system = json_new_object(), *parts = json_new_array();

	json_append(parts, wire_object("text", talk->system));
	json_set(system, "parts", parts);
	return system;
}

static struct json *
make_body(const struct wire_request *request, const struct talk *talk)
{
	struct json *body = json_new_object();

	json_set(body, "contents", contents_of(talk));
	if (talk->system != NULL)
		json_set(body, "systemInstruction", system_of(talk));
	if (talk->tools_count > 0)
		json_set(body, "tools", tools_of(talk));
	json_set(body, "generationConfig", config_of(request, talk));
	return body;
}

/* ---- the answer ---- */

/* The whole call at once; calls have no index, so they are numbered as they come. */
static void
take_call(struct heard *reply, const struct json *function, const struct json *part)
{
	struct heard_call *call = heard_call(reply, (int)reply->calls_count);
	struct json *args = json_get(function, "args");
	char *text;

	if (call == NULL)
		return;
	heard_name(call, json_str(json_get(function, "id")),
		   json_str(json_get(function, "name")));
	call->signature = xstrdup(json_str(json_get(part, "thoughtSignature")));
	text = args != NULL ? json_text(args) : xstrdup("{}");
	heard_arguments(reply, call, text, strlen(text));
	free(text);
}

static void
take_part(struct heard *reply, const struct json *part)
{
	const struct json *text = json_get(part, "text");
	const struct json *function = json_get(part, "functionCall");

	if (json_bool(json_get(part, "thought")))
		return;
	if (json_type(text) == JSON_STRING)
		heard_text(reply, json_str(text), json_str_len(text));
	if (json_type(function) == JSON_OBJECT)
		take_call(reply, function, part);
}

static void
take_reason(struct heard *reply, const char *reason)
{
	reply->complete = true;
	if (strcmp(reason, "MAX_TOKENS") == 0)
		reply->stop = HEARD_LENGTH;
	else if (strcmp(reason, "MALFORMED_FUNCTION_CALL") == 0)
		heard_fail(reply, TROUBLE_GARBAGE, "a malformed function call");
	else if (strcmp(reason, "STOP") != 0 && strcmp(reason, "FUNCTION_CALL") != 0)
		reply->stop = HEARD_REFUSED;
	else
		reply->stop = reply->calls_count > 0 ? HEARD_TOOLS : HEARD_ENDED;
}

static void
take_candidate(struct heard *reply, const struct json *candidate)
{
	const struct json *parts = json_get(json_get(candidate, "content"), "parts");
	const char *reason = json_str(json_get(candidate, "finishReason"));

	for (size_t i = 0; i < json_count(parts); i++)
		take_part(reply, json_at(parts, i));
	if (reason != NULL)
		take_reason(reply, reason);
}

static void
take_usage(struct heard *reply, const struct json *usage)
{
	if (json_type(usage) == JSON_OBJECT)
		heard_usage(reply, wire_count(usage, "promptTokenCount"),
			    wire_count(usage, "candidatesTokenCount") +
				wire_count(usage, "thoughtsTokenCount"),
			    wire_count(usage, "cachedContentTokenCount"));
}

static void
take_event(struct heard *reply, const char *event, const struct json *data)
{
	const struct json *candidates = json_get(data, "candidates");
	const struct json *blocked =
	    json_get(json_get(data, "promptFeedback"), "blockReason");

	(void)event;
	if (json_has(data, "error")) {
		trouble_of_event(&reply->trouble, json_get(data, "error"));
		return;
	}
	take_usage(reply, json_get(data, "usageMetadata"));
	if (json_count(candidates) > 0)
		take_candidate(reply, json_at(candidates, 0));
	if (blocked != NULL) {
		reply->complete = true;
		reply->stop = HEARD_REFUSED;
	}
}

const struct wire wire_gemini = {
	.key_header = "x-goog-api-key",
	.key_prefix = "",
	.url = make_url,
	.body = make_body,
	.event = take_event,
};
