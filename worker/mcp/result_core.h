/*
 * Pure: what a tool answered -> the output of a step, or the words of its failure; and
 * what is answered to a server that asks a person.
 */
#ifndef MCP_RESULT_CORE_H
#define MCP_RESULT_CORE_H

#include <stdbool.h>

#include "base/buf.h"
#include "json/json.h"

/* The output: its structured content; else the one text it has, as JSON when it is
 * some; else its content as it is. The caller's. */
struct json *mcp_output(const struct json *result);
/* Does it say that the tool failed? Then its words are appended. */
bool mcp_failed(const struct json *result, struct buf *words);

/* The result of elicitation/create: the presets of the form, when everything that is
 * required has one; else nobody answers. The caller's. */
struct json *mcp_elicited(const struct json *params, bool presets);

#endif
