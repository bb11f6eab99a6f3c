/*
 * Events of Codex (`exec --json`), of opencode (`run --format json`), and of agents of
 * one's own:
 *
 *   {"type": "session", "id": "..."}
 *   {"type": "progress", "message": "..."}
 *   {"type": "result", "text": "...", "sessionId": "...", "usage": {"inputTokens": 1,
 *    "outputTokens": 2, "cacheReadTokens": 0, "costUsd": 0.01}}
 *   {"type": "error", "message": "..."}
 *
 * Events that are not known are passed over.
 */
#include <string.h>

#include "agent/formats_core.h"

static bool
is(const struct json *value, const char *text)
{
	const char *is_text = json_str(value);

	return is_text != NULL && strcmp(is_text, text) == 0;
}

/* "error": "..." or {message} or {data: {message}} */
static const char *
words_of(const struct json *error)
{
	const char *words = json_str(error);

	if (words == NULL)
		words = json_str(json_get(error, "message"));
	if (words == NULL)
		words = json_str(json_get(json_get(error, "data"), "message"));
	return words != NULL ? words : json_str(json_get(error, "name"));
}

/* ---- Codex ---- */

static void
take_thread(struct told *told, const struct json *event)
{
	told_session(told, json_get(event, "thread_id"));
	told_activity(told, "begins", NULL);
}

static const char *
changed_path(const struct json *item)
{
	return json_str(json_get(json_at(json_get(item, "changes"), 0), "path"));
}

static void
take_item(struct told *told, const struct json *event, bool over)
{
	const struct json *item = json_get(event, "item");
	const char *type = json_str(json_get(item, "type"));

	if (type == NULL)
		return;
	if (strcmp(type, "agent_message") == 0 && over) {
		told_text(told, json_get(item, "text"));
		told_activity(told, "says", json_str(json_get(item, "text")));
	} else if (strcmp(type, "command_execution") == 0 && !over) {
		told_activity(told, "command", json_str(json_get(item, "command")));
	} else if (strcmp(type, "file_change") == 0) {
		told_activity(told, "changes", changed_path(item));
	} else if (strcmp(type, "mcp_tool_call") == 0 && !over) {
		told_activity(told, "tool", json_str(json_get(item, "tool")));
	} else if (strcmp(type, "web_search") == 0) {
		told_activity(told, "searches", json_str(json_get(item, "query")));
	}
}

static void
take_item_begun(struct told *told, const struct json *event)
{
	take_item(told, event, false);
}

static void
take_item_over(struct told *told, const struct json *event)
{
	take_item(told, event, true);
}

/* What it complained of on its way is past: it went on. */
static void
take_turn_over(struct told *told, const struct json *event)
{
	told_usage(told, json_get(event, "usage"), false); /* of the session */
	told->rounds++;
	told->failed = false;
	buf_clear(&told->words);
	told->has_result = told->text.len > 0;
}

static void
take_turn_failed(struct told *told, const struct json *event)
{
	buf_clear(&told->words);
	told_fail(told, words_of(json_get(event, "error")));
}

/* ---- opencode ---- */

static void
take_step(struct told *told, const struct json *event)
{
	told_session(told, json_get(event, "sessionID"));
	told_clear(told); /* what it said before is not its answer */
	told->has_result = false;
	told_activity(told, "thinks", NULL);
}

static void
take_words(struct told *told, const struct json *event)
{
	const struct json *text = json_get(json_get(event, "part"), "text");

	told_session(told, json_get(event, "sessionID"));
	if (json_str_len(text) == 0)
		return;
	told_add(told, json_str(text), json_str_len(text));
	told_activity(told, "says", json_str(text));
}

static void
take_tool(struct told *told, const struct json *event)
{
	const struct json *part = json_get(event, "part");
	const struct json *state = json_get(part, "state");

	told_session(told, json_get(event, "sessionID"));
	told_tool(told, json_str(json_get(part, "tool")), json_get(state, "input"));
}

static void
take_step_over(struct told *told, const struct json *event)
{
	const struct json *part = json_get(event, "part");

	told_usage(told, json_get(part, "tokens"), true);
	told_cost(told, json_get(part, "cost"), true);
	told->rounds++;
	told->has_result =
	    told->text.len > 0 && !is(json_get(part, "reason"), "tool-calls");
}

/* ---- one's own, and what several have ---- */

static void
take_error(struct told *told, const struct json *event)
{
	const struct json *error = json_get(event, "error");

	told_session(told, json_get(event, "sessionID"));
	told_fail(told, words_of(error != NULL ? error : event));
}

static void
take_session(struct told *told, const struct json *event)
{
	told_session(told, json_get(event, "id"));
}

static void
take_progress(struct told *told, const struct json *event)
{
	const char *message = json_str(json_get(event, "message"));

	if (message != NULL)
		told_activity(told, message, NULL);
}

static const struct {
	const char *type;
	void (*take)(struct told *told, const struct json *event);
} takers[] = {
	{ "thread.started", take_thread },
	{ "item.started", take_item_begun },
	{ "item.completed", take_item_over },
	{ "turn.completed", take_turn_over },
	{ "turn.failed", take_turn_failed },
	{ "step_start", take_step },
	{ "text", take_words },
	{ "tool_use", take_tool },
	{ "step_finish", take_step_over },
	{ "error", take_error },
	{ "session", take_session },
	{ "progress", take_progress },
	{ "result", json_take },
};

void
jsonl_take(struct told *told, const struct json *event)
{
	const char *type = json_str(json_get(event, "type"));

	for (size_t i = 0; type != NULL && i < sizeof takers / sizeof takers[0]; i++)
		if (strcmp(takers[i].type, type) == 0)
			takers[i].take(told, event);
}
