/*
 * Events of Claude Code (`--output-format stream-json`) and of Gemini CLI (the same
 * option). What has the same name in both is told apart by its members. Events that are
 * not known are passed over: new ones come with every version.
 */
#include <stdio.h>
#include <string.h>

#include "agent/formats_core.h"

static bool
is(const struct json *value, const char *text)
{
	const char *is_text = json_str(value);

	return is_text != NULL && strcmp(is_text, text) == 0;
}

/* ---- both ---- */

static void
take_init(struct told *told, const struct json *event)
{
	told_session(told, json_get(event, "session_id"));
	told_model(told, json_get(event, "model"));
	told_activity(told, "begins", NULL);
}

static void
take_system(struct told *told, const struct json *event)
{
	if (is(json_get(event, "subtype"), "init"))
		take_init(told, event);
}

/* ---- Claude Code ---- */

static void
take_block(struct told *told, const struct json *block)
{
	const char *type = json_str(json_get(block, "type"));
	const struct json *text = json_get(block, "text");

	if (type == NULL)
		return;
	if (strcmp(type, "tool_use") == 0) {
		told_tool(told, json_str(json_get(block, "name")),
			  json_get(block, "input"));
	} else if (strcmp(type, "text") == 0 && json_str_len(text) > 0) {
		told_text(told, text);
		told_activity(told, "says", json_str(text));
	}
}

/* One answer of the model comes as several events, each with all of its usage. */
static void
count_message(struct told *told, const struct json *message)
{
	const char *id = json_str(json_get(message, "id"));

	if (id == NULL || strncmp(id, told->message, TOLD_ID_MAX) == 0)
		return;
	if (!told_usage(told, json_get(message, "usage"), true))
		return;
	snprintf(told->message, sizeof told->message, "%s", id);
	told->rounds++;
}

/* What an agent of the agent says is not its answer. */
static void
take_assistant(struct told *told, const struct json *event)
{
	const struct json *message = json_get(event, "message");
	const struct json *content = json_get(message, "content");

	count_message(told, message);
	if (json_get(event, "parent_tool_use_id") != NULL)
		return;
	told_model(told, json_get(message, "model"));
	for (size_t i = 0; i < json_count(content); i++)
		take_block(told, json_at(content, i));
}

static const char *
first_error(const struct json *event)
{
	const struct json *errors = json_get(event, "errors");

	return json_type(errors) == JSON_ARRAY && json_count(errors) > 0
		   ? json_str(json_at(errors, 0))
		   : json_str(json_get(event, "subtype"));
}

static void
take_claude_result(struct told *told, const struct json *event)
{
	const struct json *result = json_get(event, "result");
	const struct json *structured = json_get(event, "structured_output");

	told_session(told, json_get(event, "session_id"));
	told_cost(told, json_get(event, "total_cost_usd"), false);
	told_usage(told, json_get(event, "usage"), false);
	if (json_type(json_get(event, "num_turns")) == JSON_INT)
		told->rounds = (int)(json_int(json_get(event, "num_turns")) & 0xfffff);
	if (json_bool(json_get(event, "is_error")) ||
	    !is(json_get(event, "subtype"), "success")) {
		told_fail(told, json_str_len(result) > 0 ? json_str(result)
							 : first_error(event));
		return;
	}
	if (structured != NULL)
		told_text(told, structured);
	else if (result != NULL)
		told_text(told, result);
	told->has_result = told->text.len > 0;
}

/* ---- Gemini CLI ---- */

static void
take_message(struct told *told, const struct json *event)
{
	const struct json *content = json_get(event, "content");

	if (!is(json_get(event, "role"), "assistant") || json_str(content) == NULL)
		return;
	if (!json_bool(json_get(event, "delta")))
		told_clear(told);
	if (told->text.len == 0)
		told_activity(told, "says", json_str(content));
	told_add(told, json_str(content), json_str_len(content));
}

/* What it said before it used a tool is not its answer. */
static void
take_tool_use(struct told *told, const struct json *event)
{
	told_clear(told);
	told->rounds++;
	told_tool(told, json_str(json_get(event, "tool_name")),
		  json_get(event, "parameters"));
}

static void
take_error(struct told *told, const struct json *event)
{
	if (!is(json_get(event, "severity"), "warning"))
		told_fail(told, json_str(json_get(event, "message")));
}

static void
take_gemini_result(struct told *told, const struct json *event)
{
	const struct json *error = json_get(event, "error");

	told_usage(told, json_get(event, "stats"), false);
	told->rounds++;
	if (error != NULL || !is(json_get(event, "status"), "success")) {
		told_fail(told, json_str(json_get(error, "message")));
		return;
	}
	told->has_result = told->text.len > 0;
}

static void
take_result(struct told *told, const struct json *event)
{
	if (json_get(event, "status") != NULL)
		take_gemini_result(told, event);
	else
		take_claude_result(told, event);
}

static const struct {
	const char *type;
	void (*take)(struct told *told, const struct json *event);
} takers[] = {
	{ "system", take_system },       { "init", take_init },
	{ "assistant", take_assistant }, { "message", take_message },
	{ "tool_use", take_tool_use },   { "error", take_error },
	{ "result", take_result },
};

void
stream_json_take(struct told *told, const struct json *event)
{
	const char *type = json_str(json_get(event, "type"));

	for (size_t i = 0; type != NULL && i < sizeof takers / sizeof takers[0]; i++)
		if (strcmp(takers[i].type, type) == 0)
			takers[i].take(told, event);
}
