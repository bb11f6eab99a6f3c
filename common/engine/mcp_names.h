/*
 * Names of tools of MCP servers: mcp.SERVER.TOOL. Which tools a server has is known
 * only when it is spoken to; which servers there are, the configuration says.
 */
#ifndef ENGINE_MCP_NAMES_H
#define ENGINE_MCP_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define MCP_PREFIX        "mcp."
#define MCP_TOOL_NAME_MAX 128 /* bytes of what a server calls its tool */

/* "mcp.files.read": server "files" in server and server_len, tool "read". */
struct mcp_name {
	const char *server, *tool;
	size_t server_len;
};

bool mcp_name_is(const char *name); /* begins as one */
/* False: it is none, or what follows is no name of a server and a tool. */
bool mcp_name_read(const char *name, struct mcp_name *out);
/* May a name or pattern of tools ("mcp.files.*", "mcp.*") mean one of this server? One
 * that does not begin with "mcp." never does: "*" is all that is built in. */
bool mcp_pattern_may_be(const char *pattern, const char *server);
/* Is the name, or pattern, of a server that there is? servers is ended by NULL; NULL:
 * that is not known, and any will do. False: why says what is wrong, with the nearest
 * name. */
bool mcp_name_check(const char *name, const char *const *servers, struct buf *why);

#endif
