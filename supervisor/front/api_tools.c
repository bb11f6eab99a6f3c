/* The tools and actions that steps can use, each with a JSON Schema of what it takes.
 */
#include "engine/action_fields.h"
#include "engine/field_schema.h"
#include "engine/tool_names.h"
#include "front/api.h"

static struct json *
describe(const char *name, const char *help, const char *output,
	 const struct field *fields)
{
	struct json *one = json_new_object();

	json_set(one, "name", json_new_str(name));
	json_set(one, "description", json_new_str(help));
	json_set(one, "output", json_new_str(output));
	json_set(one, "inputSchema", field_schema(fields));
	return one;
}

/* Which tools they have is known only when they are spoken to. */
static struct json *
servers_of(const struct mcp_servers *servers)
{
	struct json *list = json_new_array();

	for (size_t i = 0; i < servers->count; i++) {
		const struct mcp_server *server = &servers->list[i];
		struct json *one = json_new_object();

		json_set(one, "name", json_new_str(server->name));
		json_set(one, "transport",
			 json_new_str(server->url != NULL ? "http" : "stdio"));
		json_append(list, one);
	}
	return list;
}

static void
on_tools(struct exchange *exchange)
{
	struct json *answer = json_new_object(), *tools = json_new_array();
	struct json *actions = json_new_array();

	for (const struct tool_name *tool = tool_names; tool->name != NULL; tool++)
		json_append(tools,
			    describe(tool->name, tool->help, tool->output, tool->args));
	for (int kind = 0; kind < ACTION_KINDS; kind++) {
		const struct action_fields *action = &action_fields[kind];

		json_append(actions, describe(action->name, action->help,
					      action->output, action->fields));
	}
	json_set(answer, "data", tools);
	json_set(answer, "actions", actions);
	json_set(answer, "mcpServers",
		 servers_of(&exchange_front(exchange)->settings->mcp));
	reply_json(exchange, 200, answer);
}

/* clang-format off */
const struct route routes_tools[] = {
	{ "GET", "/api/tools", ROLE_VIEWER, 0, false, on_tools, NULL },
	{ 0 },
};
/* clang-format on */
