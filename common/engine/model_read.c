/* Names of models and tools in a step, and budgets. See model_read.h. */
#include "engine/model_read.h"

#include <string.h>

#include "engine/mcp_names.h"
#include "engine/tool_names.h"

#define PROVIDER_CHARACTERS                                                            \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

const struct field model_budget_fields[] = {
	{ .name = "tokens",
	  .type = FIELD_COUNT,
	  .min = 1,
	  .help = "tokens in and out together; no limit" },
	{ .name = "usd",
	  .type = FIELD_NUMBER,
	  .help = "dollars, by the prices of the configuration; no limit" },
	{ 0 },
};

size_t
model_name_provider(const char *text)
{
	size_t len = strspn(text, PROVIDER_CHARACTERS), whole = strlen(text);

	if (len == 0 || len > MODEL_PROVIDER_MAX || text[len] != ':' ||
	    text[len + 1] == '\0' || whole > MODEL_NAME_MAX)
		return 0;
	for (const char *c = text + len; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return 0;
	return len;
}

static bool
is_template(const struct doc *doc)
{
	return strstr(doc->text, "{{") != NULL;
}

static void
check_model(struct reader *reader, const struct place *place)
{
	if (model_name_provider(place->doc->text) == 0)
		reader_problem(reader, place,
			       "\"%.100s\" is not provider:model, such as "
			       "anthropic:claude-sonnet-4-5",
			       place->doc->text);
}

static bool
fits_some_tool(const char *pattern)
{
	struct json *list = json_new_array();
	bool fits = false;

	json_append(list, json_new_str(pattern));
	for (const struct tool_name *tool = tool_names; tool->name != NULL; tool++)
		fits = fits || tool_names_allow(list, tool->name);
	json_unref(&list);
	return fits;
}

static void
check_tool(struct reader *reader, const struct place *place)
{
	const char *name = place->doc->text;
	const char *nearest = tool_names_nearest(name);
	struct buf why = { 0 };

	if (mcp_name_is(name)) {
		if (!mcp_name_check(name, reader->mcp_servers, &why))
			reader_problem(reader, place, "%s", buf_text(&why));
		buf_fini(&why);
		return;
	}
	if (fits_some_tool(name))
		return;
	if (nearest != NULL)
		reader_problem(reader, place,
			       "unknown tool \"%.100s\"; did you mean \"%s\"?", name,
			       nearest);
	else
		reader_problem(reader, place, "unknown tool \"%.100s\"", name);
}

typedef void check_fn(struct reader *reader, const struct place *place);

static void
check_one(struct reader *reader, const struct place *place, check_fn *check)
{
	if (place->doc->kind == DOC_SCALAR && !is_template(place->doc))
		check(reader, place);
}

static void
check_all(struct reader *reader, const struct place *place, size_t most,
	  check_fn *check)
{
	if (place->doc == NULL)
		return;
	if (place->doc->kind != DOC_LIST) {
		check_one(reader, place, check);
		return;
	}
	if (place->doc->count > most)
		reader_problem(reader, place, "more than %zu of them", most);
	for (size_t i = 0; i < place->doc->count; i++) {
		struct place item = place_item(place, i);

		check_one(reader, &item, check);
	}
}

void
model_read_names(struct reader *reader, const struct place *step_place)
{
	const struct place model = place_member(step_place, "model");
	const struct place tools = place_member(step_place, "tools");

	check_all(reader, &model, MODEL_LIST_MAX, check_model);
	check_all(reader, &tools, MODEL_TOOLS_MAX, check_tool);
}

void
model_read_budget(struct reader *reader, const struct place *place,
		  struct budget *budget)
{
	struct json *value = json_from_doc(place->doc);
	struct err err = { 0 };

	if (field_check(model_budget_fields, value, FIELD_RESOLVED, &err) < 0)
		reader_problem(reader, place, "%s", err.text);
	else
		*budget = model_budget(value);
	json_unref(&value);
}

struct budget
model_budget(const struct json *value)
{
	return (struct budget){
		.tokens = (long)json_int(json_get(value, "tokens")),
		.usd = json_double(json_get(value, "usd")),
	};
}
