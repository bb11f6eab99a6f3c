/*
 * One JSON value as the whole answer: what Claude Code and Gemini CLI print with
 * `--output-format json`, and what agents of one's own may. An object has the answer in
 * `text`, `result`, `response` or `output`; anything else is the answer itself.
 */
#include <string.h>

#include "agent/formats_core.h"

static void
take_error(struct told *told, const struct json *value, const struct json *answer)
{
	const struct json *error = json_get(value, "error");
	const char *words = json_str(error);

	if (words == NULL)
		words = json_str(json_get(error, "message"));
	if (words == NULL)
		words = json_str(answer);
	if (words == NULL)
		words = json_str(json_get(value, "subtype"));
	told_fail(told, words);
}

/* Gemini's: {models: {NAME: {tokens: {prompt, candidates, cached, thoughts}}}} */
static void
take_stats(struct told *told, const struct json *stats)
{
	const struct json *models = json_get(stats, "models");

	for (struct json_iter it = json_iter(models); json_next(&it);)
		if (told_usage(told, json_get(it.value, "tokens"), true))
			told->rounds++;
}

static bool
is_error(const struct json *value)
{
	const struct json *error = json_get(value, "error");
	const char *status = json_str(json_get(value, "status"));

	return json_bool(json_get(value, "is_error")) ||
	       (error != NULL && (json_type(error) != JSON_BOOL || json_bool(error))) ||
	       (status != NULL && strcmp(status, "error") == 0);
}

static void
take_object(struct told *told, const struct json *value)
{
	static const char *const answers[] = { "structured_output", "text",   "result",
					       "response",          "output", NULL };
	static const char *const ids[] = { "sessionId", "session_id", "sessionID",
					   "thread_id", NULL };
	static const char *const costs[] = { "total_cost_usd", "costUsd", NULL };
	const struct json *answer = told_any(value, answers);
	const struct json *usage = json_get(value, "usage");
	const struct json *cost = told_any(value, costs);

	told_session(told, told_any(value, ids));
	told_model(told, json_get(value, "model"));
	if (told_usage(told, usage, false))
		told->rounds++;
	take_stats(told, json_get(value, "stats"));
	told_cost(told, cost != NULL ? cost : told_any(usage, costs), false);
	if (is_error(value)) {
		take_error(told, value, answer);
		return;
	}
	told_text(told, answer);
	told->has_result = told->text.len > 0;
}

/* The last object of a list that says it is the result (`--verbose` gives a list). */
static const struct json *
result_of(const struct json *list)
{
	for (size_t i = json_count(list); i > 0; i--) {
		const struct json *item = json_at(list, i - 1);
		const char *type = json_str(json_get(item, "type"));

		if (type != NULL && strcmp(type, "result") == 0)
			return item;
	}
	return NULL;
}

void
json_take(struct told *told, const struct json *value)
{
	const struct json *result =
	    json_type(value) == JSON_ARRAY ? result_of(value) : NULL;

	if (result != NULL)
		value = result;
	if (json_type(value) == JSON_OBJECT) {
		take_object(told, value);
		return;
	}
	told_text(told, value);
	told->has_result = told->text.len > 0;
}
