/* A call to a tool of an MCP server, as an attempt. See tool_mcp.h. */
#include "tools/tool_mcp.h"

#include <stdlib.h>
#include <string.h>

#include "actions/answer.h"
#include "base/xalloc.h"
#include "engine/mcp_names.h"
#include "mcp/mcp.h"
#include "mcp/result_core.h"
#include "step_log.h"

struct mcp_use {
	struct attempt *attempt;
	struct mcp_call *call;
	bool answered;
};

/* ---- how it went ---- */

/* What a server sends may hold secrets that it was given. */
static void
succeed(struct mcp_use *use, const struct json *result)
{
	struct json *output = mcp_output(result), *masked = NULL;
	char *text = json_text(output);
	struct err err = { 0 };

	if (answer_json(use->attempt, text, strlen(text), &masked, &err) < 0) {
		json_unref(&masked);
		masked = answer_text(use->attempt, text, strlen(text));
	}
	free(text);
	json_unref(&output);
	attempt_succeed(use->attempt, masked);
}

static void
fail(struct mcp_use *use, const struct mcp_answer *answer)
{
	struct json *words =
	    answer_text(use->attempt, answer->message, strlen(answer->message));

	attempt_fail_until(use->attempt, &(struct attempt_failure){
					     .code = answer->code,
					     .message = json_str(words),
					     .final = answer->final,
					     .retry_at = answer->retry_at,
					     .details = answer->details,
					 });
	json_unref(&words);
}

static void
on_done(void *context, const struct mcp_answer *answer)
{
	struct mcp_use *use = context;

	use->answered = true;
	if (answer->code != NULL)
		fail(use, answer);
	else
		succeed(use, answer->result);
}

static enum step_level
level_of(const char *word)
{
	static const struct {
		const char *word;
		enum step_level level;
	} levels[] = {
		{ "debug", STEP_DEBUG }, { "info", STEP_INFO },
		{ "notice", STEP_INFO }, { "warning", STEP_WARN },
		{ "error", STEP_ERROR }, { "critical", STEP_ERROR },
		{ "alert", STEP_ERROR }, { "emergency", STEP_ERROR },
	};

	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
		if (strcmp(levels[i].word, word) == 0)
			return levels[i].level;
	return STEP_INFO;
}

static void
on_said(void *context, const char *level, const char *text)
{
	struct mcp_use *use = context;

	if (use->attempt->log != NULL)
		step_log_write(use->attempt->log, level_of(level), text, strlen(text));
}

static const struct mcp_call_events events = { on_done, on_said };

/* ---- the action ---- */

static const struct mcp_server *
server_of(struct attempt *attempt, const char *whole, struct mcp_name *name)
{
	const struct mcp_servers *servers = &attempt->services->settings->mcp;
	struct buf why = { 0 };
	const struct mcp_server *server = NULL;

	if (mcp_name_check(whole, servers->names, &why) && mcp_name_read(whole, name))
		server = mcp_server_find(servers, name->server, name->server_len);
	if (server == NULL)
		attempt_fail(attempt, "unknown_tool", true, "%s",
			     why.len > 0 ? buf_text(&why) : "it names no tool");
	buf_fini(&why);
	return server;
}

static bool
has_arguments(struct attempt *attempt, const struct json *args)
{
	if (args == NULL || json_type(args) == JSON_OBJECT)
		return true;
	attempt_fail(attempt, "input", true, "args: expected an object, got a %s",
		     json_type_name(json_type(args)));
	return false;
}

static void *
mcp_start(struct attempt *attempt)
{
	const char *whole = field_text(attempt, "tool", "");
	const struct json *args = json_get(attempt->fields, "args");
	const struct mcp_server *server;
	struct mcp_name name;
	struct mcp_use *use;

	server = server_of(attempt, whole, &name);
	if (server == NULL || !answer_allowed(attempt, whole) ||
	    !has_arguments(attempt, args))
		return NULL;
	use = xcalloc(1, sizeof *use);
	use->attempt = attempt;
	use->call = mcp_call_new(attempt->services->mcp, server, name.tool, args,
				 attempt->idempotency_key, &events, use);
	return use;
}

/* The server is told; its answer is not waited for. */
static void
mcp_stop(void *state, enum stop how)
{
	struct mcp_use *use = state;

	(void)how;
	if (use->answered)
		return;
	use->answered = true;
	if (mcp_call_cancel(use->call, "the step was stopped"))
		attempt_fail(use->attempt, "effect_unknown", true,
			     "told to stop after the call was sent; whether it took "
			     "effect is unknown");
	else
		attempt_fail(use->attempt, "stopped", false, "told to stop");
}

static void
mcp_end(void *state)
{
	struct mcp_use *use = state;

	mcp_call_free(&use->call);
	free(use);
}

const struct action tool_mcp = {
	.name = "mcp",
	.start = mcp_start,
	.stop = mcp_stop,
	.free = mcp_end,
};
