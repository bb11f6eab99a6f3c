/*
 * The built-in tools by name: their arguments and what they answer. Files are checked
 * against this table when they are registered, resolved arguments by the worker before
 * the tool starts, and docs/workflow-format.md is compared with it. What the tools do
 * is worker/tools/.
 */
#ifndef ENGINE_TOOL_NAMES_H
#define ENGINE_TOOL_NAMES_H

#include "engine/field.h"

struct tool_name {
	const char *name; /* "git.log"; NULL ends the table */
	const struct field *args;
	const char *help;   /* what it does, one line */
	const char *output; /* its JSON, one line */
};

extern const struct tool_name tool_names[];
extern const char *const artifact_types[]; /* "SCREENSHOT", ...; ended by NULL */

/* Of the engine's own workflows ("stepmill.heartbeat"): checked and found like the
 * others, but not listed, not offered to models, and free to every key, for its own
 * workflows are what it makes of other calls. */
extern const struct tool_name own_tools[];
bool tool_names_is_own(const char *name);

const struct tool_name *tool_names_find(const char *name); /* of either; or NULL */
const char *tool_names_nearest(const char *name);          /* or NULL */
/* Whether a tool of this name is in a list of names with * for any part ("git.*");
 * list NULL: every tool is. */
bool tool_names_allow(const struct json *list, const char *name);

#endif
