/*
 * tool: finds the tool by its name, checks the arguments against the table that files
 * are checked with as well, and lets the tool do the rest with the attempt.
 */
#include <stdlib.h>
#include <string.h>

#include "actions/actions.h"
#include "actions/answer.h"
#include "base/xalloc.h"
#include "engine/mcp_names.h"
#include "engine/tool_names.h"
#include "tools/tool_mcp.h"

struct tool_call {
	const struct action *tool;
	void *state;       /* the tool's, or a struct later */
	struct json *kept; /* its arguments, if they are stored */
	bool instant;
};

/* What these are given becomes a row, or the name of one: it holds no secret. */
static bool
only_stores(const char *tool)
{
	static const char *const families[] = { "state.", "comment.", "artifact.",
						"heartbeat." };

	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
		if (strncmp(tool, families[i], strlen(families[i])) == 0)
			return true;
	return false;
}

static const struct action *
find(struct attempt *attempt, const char *name, const struct tool_name **row)
{
	const struct action *tool = tool_find(name);
	const char *nearest = tool_names_nearest(name);

	*row = tool_names_find(name);
	if (tool == NULL || *row == NULL) {
		attempt_fail(
		    attempt, "unknown_tool", true, "there is no tool \"%.100s\"%s%s%s",
		    name, nearest != NULL ? "; did you mean \"" : "",
		    nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
		return NULL;
	}
	return tool;
}

static void *
call_now(struct attempt *attempt, const struct action *tool)
{
	struct err err = { 0 };
	struct json *output = tool->now(attempt, &err);

	if (err.kind == ERR_NONE)
		return later_succeed(attempt, output);
	return later_error(attempt, tool->name, &err);
}

/* kept: taken; its arguments where they are stored, or NULL. */
static void *
call_new(const struct action *tool, void *state, struct json *kept)
{
	struct tool_call *call;

	if (state == NULL) {
		json_unref(&kept);
		return NULL;
	}
	call = xcalloc(1, sizeof *call);
	call->tool = tool;
	call->state = state;
	call->kept = kept;
	call->instant = tool->now != NULL;
	return call;
}

static void *
tool_start(struct attempt *attempt)
{
	const char *name = field_text(attempt, "tool", "");
	struct json *kept = NULL, *args;
	const struct tool_name *row;
	const struct action *tool;

	if (mcp_name_is(name))
		return call_new(&tool_mcp, tool_mcp.start(attempt), NULL);
	tool = find(attempt, name, &row);
	if (tool == NULL || !answer_allowed(attempt, tool->name))
		return NULL;
	args = json_get(attempt->fields, "args");
	attempt->fields = args;
	if (!answer_checked(attempt, tool->name, row->args))
		return NULL;
	if (only_stores(tool->name))
		attempt->fields = kept =
		    json_masked(json_ref(args), attempt->services->mask);
	return call_new(
	    tool, tool->now != NULL ? call_now(attempt, tool) : tool->start(attempt),
	    kept);
}

static void
tool_stop(void *state, enum stop how)
{
	struct tool_call *call = state;

	if (!call->instant)
		call->tool->stop(call->state, how);
}

static void
tool_free(void *state)
{
	struct tool_call *call = state;

	if (call->instant)
		later_free(call->state);
	else
		call->tool->free(call->state);
	json_unref(&call->kept);
	free(call);
}

const struct action action_tool = {
	.name = "tool",
	.start = tool_start,
	.stop = tool_stop,
	.free = tool_free,
};
