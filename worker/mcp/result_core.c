/* Results of tools. See result_core.h. */
#include "mcp/result_core.h"

#include <string.h>

#include "base/utf8.h"
#include "mcp/mcp_core.h"

static bool
is_kind(const struct json *item, const char *kind)
{
	const char *type = json_str(json_get(item, "type"));

	return type != NULL && strcmp(type, kind) == 0;
}

/* Only what begins like a list or an object is taken for JSON: "12" is a text. */
static struct json *
text_output(const struct json *text)
{
	const char *start = json_str(text) + strspn(json_str(text), " \t\r\n");
	struct json *parsed = NULL;
	struct err err = { 0 };

	if ((*start == '{' || *start == '[') &&
	    json_parse(json_str(text), json_str_len(text), &parsed, &err) == 0)
		return parsed;
	return json_copy(text);
}

struct json *
mcp_output(const struct json *result)
{
	const struct json *structured = json_get(result, "structuredContent");
	const struct json *content = json_get(result, "content");
	const struct json *first = json_at(content, 0), *text;

	if (structured != NULL)
		return json_copy(structured);
	if (json_type(content) != JSON_ARRAY)
		return json_new_array();
	text = json_get(first, "text");
	if (json_count(content) == 1 && is_kind(first, "text") &&
	    json_type(text) == JSON_STRING)
		return text_output(text);
	return json_copy(content);
}

bool
mcp_failed(const struct json *result, struct buf *words)
{
	const struct json *content = json_get(result, "content");
	size_t before = words->len;

	if (!json_bool(json_get(result, "isError")))
		return false;
	for (size_t i = 0; i < json_count(content); i++) {
		const struct json *item = json_at(content, i);
		const struct json *text = json_get(item, "text");
		size_t room = MCP_WORDS_MAX - (words->len - before), len;

		if (!is_kind(item, "text") || json_type(text) != JSON_STRING ||
		    words->len - before >= MCP_WORDS_MAX)
			continue;
		len = json_str_len(text);
		if (words->len > before)
			buf_char(words, '\n');
		utf8_repair(json_str(text), len < room ? len : room, words);
	}
	if (words->len == before)
		buf_str(words, "the tool failed and does not say why");
	return true;
}

/* ---- questions to a person ---- */

static struct json *
action(const char *name, struct json *content)
{
	struct json *result = json_new_object();

	json_set(result, "action", json_new_str(name));
	if (content != NULL)
		json_set(result, "content", content);
	return result;
}

static bool
has_all(const struct json *content, const struct json *required)
{
	for (size_t i = 0; i < json_count(required); i++) {
		const char *name = json_str(json_at(required, i));

		if (name == NULL || !json_has(content, name))
			return false;
	}
	return true;
}

struct json *
mcp_elicited(const struct json *params, bool presets)
{
	const struct json *schema = json_get(params, "requestedSchema");
	const struct json *fields = json_get(schema, "properties");
	struct json *content;

	if (!presets || json_type(schema) != JSON_OBJECT)
		return action("decline", NULL);
	content = json_new_object();
	for (struct json_iter it = json_iter(fields); json_next(&it);)
		if (json_has(it.value, "default"))
			json_set_len(content, it.key, it.key_len,
				     json_copy(json_get(it.value, "default")));
	if (has_all(content, json_get(schema, "required")))
		return action("accept", content);
	json_unref(&content);
	return action("decline", NULL);
}
