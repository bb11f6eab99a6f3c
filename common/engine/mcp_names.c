/* Taking names of MCP tools apart. See mcp_names.h. */
#include "engine/mcp_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/doc.h"
#include "base/xalloc.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define SERVER  LETTERS "_-"
#define TOOL    SERVER "./"

bool
mcp_name_is(const char *name)
{
	return strncmp(name, MCP_PREFIX, strlen(MCP_PREFIX)) == 0;
}

bool
mcp_name_read(const char *name, struct mcp_name *out)
{
	const char *server = name + strlen(MCP_PREFIX), *tool;
	size_t len, tool_len;

	if (!mcp_name_is(name))
		return false;
	len = strspn(server, SERVER);
	if (len == 0 || server[len] != '.')
		return false;
	tool = server + len + 1;
	tool_len = strspn(tool, TOOL);
	if (tool_len == 0 || tool_len > MCP_TOOL_NAME_MAX || tool[tool_len] != '\0')
		return false;
	*out = (struct mcp_name){ server, tool, len };
	return true;
}

/* Up to its first star a pattern is what it says; behind that it may be anything. */
bool
mcp_pattern_may_be(const char *pattern, const char *server)
{
	size_t len = strlen(server), fixed;

	if (!mcp_name_is(pattern))
		return false;
	pattern += strlen(MCP_PREFIX);
	fixed = strcspn(pattern, "*");
	if (pattern[fixed] == '*' && fixed <= len)
		return strncmp(pattern, server, fixed) == 0;
	return fixed > len && strncmp(pattern, server, len) == 0 && pattern[len] == '.';
}

static bool
is_some(const char *name, const char *const *servers)
{
	for (; *servers != NULL; servers++)
		if (mcp_pattern_may_be(name, *servers))
			return true;
	return false;
}

static void
say_unknown(const char *name, const char *const *servers, struct buf *why)
{
	size_t len = strcspn(name + strlen(MCP_PREFIX), ".*");
	char *server = xstrndup(name + strlen(MCP_PREFIX), len);
	const char *nearest = nearest_name(server, servers);

	buf_printf(why,
		   "\"%.100s\": there is no MCP server \"%.40s\" in the "
		   "configuration%s%s%s",
		   name, server, nearest != NULL ? "; did you mean \"" : "",
		   nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
	free(server);
}

bool
mcp_name_check(const char *name, const char *const *servers, struct buf *why)
{
	struct mcp_name read;

	if (strchr(name, '*') == NULL && !mcp_name_read(name, &read)) {
		buf_printf(why,
			   "\"%.100s\" is no tool of an MCP server: expected "
			   "mcp.SERVER.TOOL",
			   name);
		return false;
	}
	if (servers == NULL || is_some(name, servers))
		return true;
	say_unknown(name, servers, why);
	return false;
}
