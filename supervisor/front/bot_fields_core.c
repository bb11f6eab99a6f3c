/* See bot_fields_core.h. */
#include "front/bot_fields_core.h"

#include <stdio.h>
#include <string.h>

#include "engine/bot_read.h"
#include "engine/mcp_names.h"
#include "engine/model_read.h"
#include "engine/skill_read.h"
#include "engine/tool_names.h"
#include "front/object_core.h"

/* clang-format off */
#define CHANGING                                                                       \
	{ .name = "name", .type = FIELD_TEXT, .min = 1, .max = BOT_NAME_MAX },         \
	{ .name = "systemPrompt", .type = FIELD_TEXT, .max = BOT_PROMPT_MAX },         \
	{ .name = "model", .type = FIELD_TEXT, .min = 1, .max = MODEL_NAME_MAX },      \
	{ .name = "tools", .type = FIELD_TEXTS },                                      \
	{ .name = "handlerSkill", .type = FIELD_TEXT, .min = 1, .max = SKILL_NAME_MAX }, \
	{ 0 }

const struct field bot_fields[] = {
	{ .name = "slug", .type = FIELD_TEXT, .required = true, .min = 1,
	  .max = BOT_SLUG_MAX },
	{ .name = "projectId", .type = FIELD_TEXT },
	CHANGING,
};

const struct field bot_put_fields[] = {
	CHANGING,
};
/* clang-format on */

/* Which servers there are when the bot answers is not known here. */
static void
read_mcp_tool(const char *name, size_t index, struct bot_fields *out,
	      struct problems *problems)
{
	char path[OBJECT_PATH_MAX];
	struct buf why = { 0 };

	snprintf(path, sizeof path, "tools[%zu]", index);
	if (mcp_name_check(name, NULL, &why))
		json_append(out->tools, json_new_str(name));
	else
		problems_add_at(problems, 0, 0, path, "%s", buf_text(&why));
	buf_fini(&why);
}

static void
read_tool(const struct json *item, size_t index, struct bot_fields *out,
	  struct problems *problems)
{
	const char *name = json_str(item), *nearest;
	struct json *alone = json_new_array();
	char path[OBJECT_PATH_MAX];
	bool known = false;

	if (mcp_name_is(name) && strlen(name) == json_str_len(item)) {
		read_mcp_tool(name, index, out, problems);
		json_unref(&alone);
		return;
	}
	json_append(alone, json_new_str(name));
	for (const struct tool_name *tool = tool_names; tool->name != NULL; tool++)
		known = known || tool_names_allow(alone, tool->name);
	json_unref(&alone);
	if (known && strlen(name) == json_str_len(item)) {
		json_append(out->tools, json_new_str(name));
		return;
	}
	nearest = tool_names_nearest(name);
	snprintf(path, sizeof path, "tools[%zu]", index);
	problems_add_at(problems, 0, 0, path, "unknown tool \"%.100s\"%s%s%s", name,
			nearest != NULL ? "; did you mean \"" : "",
			nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
}

static void
read_tools(const struct json *value, struct bot_fields *out, struct problems *problems)
{
	size_t count = json_type(value) == JSON_ARRAY ? json_count(value) : 0;

	if (json_type(value) == JSON_STRING)
		read_tool(value, 0, out, problems);
	if (count > MODEL_TOOLS_MAX) {
		problems_add_at(problems, 0, 0, "tools", "more than %d of them",
				MODEL_TOOLS_MAX);
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (json_type(json_at(value, i)) == JSON_STRING)
			read_tool(json_at(value, i), i, out, problems);
}

static bool
is_line(const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	return true;
}

static void
check_words(const struct bot_fields *out, struct problems *problems)
{
	if (out->slug != NULL && !bot_is_slug(out->slug))
		problems_add_at(problems, 0, 0, "slug",
				"expected small letters, digits and -, at most %d",
				BOT_SLUG_MAX);
	if (out->name != NULL && !is_line(out->name))
		problems_add_at(problems, 0, 0, "name",
				"control characters are not allowed");
	if (out->model != NULL && model_name_provider(out->model) == 0)
		problems_add_at(problems, 0, 0, "model",
				"expected provider:model, such as "
				"anthropic:claude-sonnet-4-5");
	if (out->handler != NULL && !skill_name_is_good(out->handler))
		problems_add_at(
		    problems, 0, 0, "handlerSkill",
		    "expected the name of a skill: letters, digits, \".\", _ "
		    "and -");
}

bool
bot_fields_read(const struct field *table, const struct json *object,
		struct bot_fields *out, struct problems *problems)
{
	const struct json *project = json_get(object, "projectId");
	const char *system = json_str(json_get(object, "systemPrompt"));
	size_t before = problems->count;

	*out = (struct bot_fields){
		.slug = json_str(json_get(object, "slug")),
		.name = json_str(json_get(object, "name")),
		.system = system != NULL ? system : "",
		.model = json_str(json_get(object, "model")),
		.handler = json_str(json_get(object, "handlerSkill")),
		.tools = json_new_array(),
	};
	object_check(table, object, "", true, problems);
	check_words(out, problems);
	read_tools(json_get(object, "tools"), out, problems);
	if (json_type(project) == JSON_STRING) {
		out->has_project =
		    uuid_parse(json_str(project), json_str_len(project), &out->project);
		if (!out->has_project)
			problems_add_at(problems, 0, 0, "projectId", "expected a UUID");
	}
	return problems->count == before;
}

void
bot_fields_fini(struct bot_fields *fields)
{
	json_unref(&fields->tools);
}

struct json *
bot_fields_merge(const struct json *stored, const struct json *sent)
{
	struct json *merged = json_new_object();

	for (const struct field *field = bot_put_fields; field->name != NULL; field++)
		if (json_get(stored, field->name) != NULL)
			json_set(merged, field->name,
				 json_ref(json_get(stored, field->name)));
	for (struct json_iter it = json_iter(sent); json_next(&it);)
		json_set_len(merged, it.key, it.key_len, json_ref(it.value));
	return merged;
}
