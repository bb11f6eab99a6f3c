/* Asking MCP servers for their tools. See offers.h. */
#include "model/offers.h"

#include <stdlib.h>
#include <string.h>

#include "actions/answer.h"
#include "base/xalloc.h"
#include "engine/mcp_names.h"
#include "engine/tool_names.h"
#include "mcp/mcp.h"

struct offers {
	struct mcp_call **calls;
	size_t count, waiting;
	bool told;
	offers_fn *done;
	void *context;
};

static void
on_listed(void *context, const struct mcp_answer *answer)
{
	struct offers *offers = context;

	offers->waiting--;
	if (offers->told || (answer->code == NULL && offers->waiting > 0))
		return;
	offers->told = true;
	offers->done(offers->context, answer->code != NULL ? answer : NULL);
}

static const struct mcp_call_events events = { .done = on_listed };

/* Does the field, one text or a list of them, mean tools of this server? */
static bool
means(const struct json *tools, const char *server)
{
	if (json_type(tools) == JSON_STRING)
		return mcp_pattern_may_be(json_str(tools), server);
	for (size_t i = 0; json_type(tools) == JSON_ARRAY && i < json_count(tools);
	     i++) {
		const char *name = json_str(json_at(tools, i));

		if (name != NULL && mcp_pattern_may_be(name, server))
			return true;
	}
	return false;
}

struct offers *
offers_new(struct attempt *attempt, const struct json *tools, offers_fn *done,
	   void *context)
{
	const struct mcp_servers *servers = &attempt->services->settings->mcp;
	struct offers *offers = xcalloc(1, sizeof *offers);

	offers->calls = xcalloc(servers->count + 1, sizeof(struct mcp_call *));
	offers->done = done;
	offers->context = context;
	for (size_t i = 0; i < servers->count; i++)
		if (means(tools, servers->list[i].name))
			offers->calls[offers->count++] = mcp_list(
			    attempt->services->mcp, &servers->list[i], &events, offers);
	offers->waiting = offers->count;
	if (offers->count == 0)
		offers_free(&offers);
	return offers;
}

void
offers_free(struct offers **offers_p)
{
	struct offers *offers = *offers_p;

	if (offers == NULL)
		return;
	*offers_p = NULL;
	for (size_t i = 0; i < offers->count; i++)
		mcp_call_free(&offers->calls[i]);
	free(offers->calls);
	free(offers);
}

/* "*" alone means what is built in. */
static bool
is_meant(const struct json *list, const char *name)
{
	struct json *own = json_new_array();
	bool meant;

	for (size_t i = 0; i < json_count(list); i++) {
		const char *pattern = json_str(json_at(list, i));

		if (pattern != NULL && mcp_name_is(pattern))
			json_append(own, json_new_str(pattern));
	}
	meant = tool_names_allow(own, name);
	json_unref(&own);
	return meant;
}

static void
put_server(struct talk *talk, const struct attempt *attempt, const struct json *list,
	   const struct mcp_server *server)
{
	const struct mcp_tools *tools = mcp_tools(attempt->services->mcp, server);

	for (size_t i = 0; tools != NULL && i < tools->count; i++) {
		const struct mcp_tool *tool = &tools->list[i];
		char *name = xprintf(MCP_PREFIX "%s.%s", server->name, tool->name);

		if (is_meant(list, name) && tool_names_allow(attempt->tools, name))
			talk_offer(talk, name, tool->help != NULL ? tool->help : "",
				   json_copy(tool->schema));
		free(name);
	}
}

void
offers_put(struct talk *talk, const struct attempt *attempt, const struct json *list)
{
	const struct mcp_servers *servers = &attempt->services->settings->mcp;

	for (size_t i = 0; i < servers->count; i++)
		if (means(list, servers->list[i].name))
			put_server(talk, attempt, list, &servers->list[i]);
}

static void
unknown(struct attempt *attempt, const struct mcp_name *name,
	const struct mcp_tools *tools)
{
	const char *nearest =
	    tools != NULL ? mcp_tools_nearest(tools, name->tool) : NULL;
	struct buf text = { 0 };

	buf_printf(&text, "tools: the MCP server \"%.*s\" has no tool \"%s\"",
		   (int)name->server_len, name->server, name->tool);
	if (nearest != NULL)
		buf_printf(&text, "; did you mean \"mcp.%.*s.%s\"?",
			   (int)name->server_len, name->server, nearest);
	attempt_fail(attempt, "unknown_tool", true, "%s", buf_text(&text));
	buf_fini(&text);
}

bool
offers_check(struct attempt *attempt, const char *name)
{
	const struct mcp_servers *servers = &attempt->services->settings->mcp;
	const struct mcp_server *server = NULL;
	const struct mcp_tools *tools;
	struct mcp_name read;
	struct buf why = { 0 };

	if (!mcp_name_check(name, servers->names, &why)) {
		attempt_fail(attempt, "unknown_tool", true, "tools: %s",
			     buf_text(&why));
		buf_fini(&why);
		return false;
	}
	if (strchr(name, '*') != NULL)
		return true;
	if (mcp_name_read(name, &read))
		server = mcp_server_find(servers, read.server, read.server_len);
	tools = server != NULL ? mcp_tools(attempt->services->mcp, server) : NULL;
	if (tools != NULL && mcp_tools_find(tools, read.tool) != NULL)
		return answer_allowed(attempt, name);
	unknown(attempt, &read, tools);
	return false;
}
