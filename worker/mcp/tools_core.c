/* Lists of tools. See tools_core.h. */
#include "mcp/tools_core.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/xalloc.h"
#include "engine/mcp_names.h"
#include "lang/schema_regex.h"
#include "json/schema.h"

#define HELP_MAX (16 * 1024)

/* Can it be called as mcp.SERVER.NAME? */
static bool
is_usable(const struct json *name)
{
	struct mcp_name read;
	char *whole;
	bool good;

	if (json_type(name) != JSON_STRING || json_str_len(name) > MCP_TOOL_NAME_MAX ||
	    strlen(json_str(name)) != json_str_len(name))
		return false;
	whole = xprintf(MCP_PREFIX "s.%s", json_str(name));
	good = mcp_name_read(whole, &read);
	free(whole);
	return good;
}

static struct json *
schema_of(const struct json *item)
{
	struct json *schema = json_get(item, "inputSchema"), *any;

	if (json_type(schema) == JSON_OBJECT)
		return json_copy(schema);
	any = json_new_object();
	json_set(any, "type", json_new_str("object"));
	return any;
}

/* Between characters. */
static char *
cut(const char *text)
{
	size_t len = strlen(text);
	struct buf out = { 0 };

	utf8_repair(text, len < HELP_MAX ? len : HELP_MAX, &out);
	return buf_take(&out);
}

static size_t
bytes_of(const struct json *item)
{
	struct buf text = { 0 };
	size_t len;

	json_write(item, &text);
	len = text.len;
	buf_fini(&text);
	return len;
}

static void
add_tool(struct mcp_tools *tools, const struct json *item)
{
	const struct json *name = json_get(item, "name");
	const struct json *hints = json_get(item, "annotations");
	const char *help = json_str(json_get(item, "description"));

	if (!is_usable(name) || mcp_tools_find(tools, json_str(name)) != NULL)
		return;
	if (help == NULL)
		help = json_str(json_get(item, "title"));
	tools->bytes += bytes_of(item);
	tools->list = xrealloc(tools->list, tools->count + 1, sizeof *tools->list);
	tools->list[tools->count++] = (struct mcp_tool){
		.name = xstrdup(json_str(name)),
		.help = help != NULL ? cut(help) : NULL,
		.schema = schema_of(item),
		.idempotent = json_bool(json_get(hints, "readOnlyHint")) ||
			      json_bool(json_get(hints, "idempotentHint")),
	};
}

int
mcp_tools_add(struct mcp_tools *tools, const struct json *result, const char **cursor,
	      struct err *err)
{
	const struct json *list = json_get(result, "tools");

	if (json_type(list) != JSON_ARRAY)
		return err_set(err, ERR_INPUT, "its answer has no list of tools");
	if (++tools->pages > MCP_PAGES_MAX)
		return err_set(err, ERR_LIMIT, "its tools are more than %d pages",
			       MCP_PAGES_MAX);
	if (json_count(list) > MCP_TOOLS_MAX - tools->count)
		return err_set(err, ERR_LIMIT, "it has more than %d tools",
			       MCP_TOOLS_MAX);
	for (size_t i = 0; i < json_count(list) && tools->bytes <= MCP_BYTES_MAX; i++)
		add_tool(tools, json_at(list, i));
	if (tools->bytes > MCP_BYTES_MAX)
		return err_set(err, ERR_LIMIT,
			       "what it says of its tools is more than %d bytes",
			       MCP_BYTES_MAX);
	*cursor = json_str(json_get(result, "nextCursor"));
	return 0;
}

void
mcp_tools_fini(struct mcp_tools *tools)
{
	for (size_t i = 0; i < tools->count; i++) {
		free(tools->list[i].name);
		free(tools->list[i].help);
		json_unref(&tools->list[i].schema);
	}
	free(tools->list);
	*tools = (struct mcp_tools){ 0 };
}

const struct mcp_tool *
mcp_tools_find(const struct mcp_tools *tools, const char *name)
{
	for (size_t i = 0; i < tools->count; i++)
		if (strcmp(tools->list[i].name, name) == 0)
			return &tools->list[i];
	return NULL;
}

const char *
mcp_tools_nearest(const struct mcp_tools *tools, const char *name)
{
	const char **names = xcalloc(tools->count + 1, sizeof *names), *nearest;

	for (size_t i = 0; i < tools->count; i++)
		names[i] = tools->list[i].name;
	nearest = nearest_name(name, names);
	free(names);
	return nearest;
}

/* What is wrong, all of it, as one text. */
static int
tell(const struct problems *problems, struct err *err)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < problems->count && text.len < 500; i++)
		buf_printf(&text, "%s%s: %s", i > 0 ? "; " : "", problems->list[i].path,
			   problems->list[i].message);
	err_set(err, ERR_INPUT, "%s", buf_text(&text));
	buf_fini(&text);
	return -1;
}

int
mcp_tool_check(const struct mcp_tool *tool, const struct json *arguments,
	       struct err *err)
{
	const struct schema_options options = { .regex = &schema_regex };
	struct json *none = arguments == NULL ? json_new_object() : NULL;
	struct problems problems = { 0 };
	struct schema *schema = schema_compile(tool->schema, &options, &problems);
	int result = 0;

	if (schema != NULL &&
	    !schema_check(schema, none != NULL ? none : arguments, "args", &problems))
		result = tell(&problems, err);
	schema_free(&schema);
	problems_fini(&problems);
	json_unref(&none);
	return result;
}
