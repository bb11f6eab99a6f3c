/*
 * Pure: the tools that a server says it has: pages of tools/list -> a list with names,
 * schemas and hints. Arguments are checked against a tool's schema where that can be
 * understood; a server that writes other schemas checks them itself.
 */
#ifndef MCP_TOOLS_CORE_H
#define MCP_TOOLS_CORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "json/json.h"

#define MCP_TOOLS_MAX 1000
#define MCP_PAGES_MAX 100
#define MCP_BYTES_MAX (8 * 1024 * 1024) /* of all schemas and descriptions */

struct mcp_tool {
	char *name;
	char *help;          /* or NULL */
	struct json *schema; /* of its arguments: an object, never NULL */
	bool idempotent;     /* trying again does no harm: it says so, or only reads */
};

struct mcp_tools {
	struct mcp_tool *list;
	size_t count;
	size_t pages, bytes;
};

/* Adds a page. *cursor: of the next page (borrowed from result), or NULL. Tools whose
 * names we cannot write, or that stand there already, are left out. -1 with err: too
 * many, or no list. */
int mcp_tools_add(struct mcp_tools *tools, const struct json *result,
		  const char **cursor, struct err *err);
void mcp_tools_fini(struct mcp_tools *tools);
const struct mcp_tool *mcp_tools_find(const struct mcp_tools *tools,
				      const char *name); /* or NULL */
const char *mcp_tools_nearest(const struct mcp_tools *tools, const char *name);

/* -1 with ERR_INPUT: what does not fit, "path: expected a string". arguments: NULL is
 * none. */
int mcp_tool_check(const struct mcp_tool *tool, const struct json *arguments,
		   struct err *err);

#endif
