/* Tools of MCP servers in a step: mcp.SERVER.TOOL. */
#ifndef TOOLS_TOOL_MCP_H
#define TOOLS_TOOL_MCP_H

#include "actions/action.h"

/* Its fields are {tool, args}: the name says which tool of which server it is. */
extern const struct action tool_mcp;

#endif
