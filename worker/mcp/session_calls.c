/*
 * Calls to a server: they wait until its tools are known, are checked against them, go
 * out, and end once: with an answer, with a failure, or with not knowing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "mcp/result_core.h"
#include "mcp/session_priv.h"

#define LINES_MAX      1000 /* that one call may say */
#define PROGRESS_EVERY (100 * USEC_MS)
#define LOOK_AGAIN     (2 * USEC_SECOND) /* a list is old after that */

/* ---- the end of a call ---- */

static void
end_call(struct mcp_call *call, const struct mcp_answer *answer)
{
	struct mcp_session *session = call->session;

	if (call->state == MCP_CALL_OVER)
		return;
	call->state = MCP_CALL_OVER;
	list_remove(&call->link);
	mcp_session_turn(session);
	call->events->done(call->context, answer);
}

static void
fail_call(struct mcp_call *call, const char *code, bool final, usec_t retry_at,
	  const char *message)
{
	end_call(call, &(struct mcp_answer){
			   .code = code,
			   .message = message,
			   .final = final,
			   .retry_at = retry_at,
		       });
}

static void
fail_as(struct mcp_call *call, enum mcp_fate fate, bool final, const char *why)
{
	const char *server = call->session->conf.server->name;
	struct buf text = { 0 };

	if (fate == MCP_NO_RETRY)
		buf_printf(&text,
			   "the MCP server \"%s\" went away before it answered; "
			   "whether %s took effect is unknown: %s",
			   server, call->tool, why);
	else if (fate == MCP_MAY_RETRY)
		buf_printf(&text,
			   "the MCP server \"%s\" went away before it answered: "
			   "%s",
			   server, why);
	else
		buf_printf(&text, "the MCP server \"%s\" cannot be used: %s", server,
			   why);
	fail_call(call, mcp_fate_code(fate), final || fate == MCP_NO_RETRY, 0,
		  buf_text(&text));
	buf_fini(&text);
}

void
mcp_call_lost(struct mcp_call *call, const struct mcp_loss *loss)
{
	const struct mcp_case it = {
		.sent = loss->reach == MCP_UNKNOWN,
		.idempotent = call->idempotent,
		.final = loss->final,
		.redone = call->redone,
	};
	enum mcp_fate fate = mcp_fate(&it);

	if (call->state != MCP_CALL_SENT)
		return;
	if (fate != MCP_REDO) {
		fail_as(call, fate, loss->final, loss->why);
		return;
	}
	call->redone++;
	call->due = loss->forgotten
			? 0
			: loop_mono(call->session->conf.loop) + mcp_rest(call->redone);
	call->id = 0;
	call->state = MCP_CALL_WAITS;
	mcp_session_turn(call->session);
}

void
mcp_calls_lost(struct mcp_session *session, const struct mcp_loss *loss)
{
	struct mcp_loss one = *loss;

	list_each_safe (it, &session->calls) {
		struct mcp_call *call = container_of(it, struct mcp_call, link);

		if (call->state != MCP_CALL_SENT)
			continue;
		one.reach = session->wire->type->reach(session->wire, call->id);
		mcp_call_lost(call, &one);
	}
}

/* A failing server is known by its last failure. */
void
mcp_calls_refuse(struct mcp_session *session, bool final)
{
	usec_t rest = session->rests_until - loop_mono(session->conf.loop);
	usec_t retry_at = rest > 0 && !final ? loop_now(session->conf.loop) + rest : 0;
	struct buf text = { 0 };

	buf_printf(&text, "the MCP server \"%s\" cannot be used: %s",
		   session->conf.server->name, session->why);
	list_each_safe (it, &session->calls) {
		struct mcp_call *call = container_of(it, struct mcp_call, link);

		if (call->state == MCP_CALL_WAITS)
			fail_call(call, mcp_fate_code(MCP_UNREACHED), final, retry_at,
				  buf_text(&text));
	}
	buf_fini(&text);
}

/* ---- answers ---- */

/* An error of the protocol: the tool did not run, or broke. */
static void
refused(struct mcp_call *call, const struct mcp_message *message)
{
	struct json *details = json_new_object();
	struct buf text = { 0 };

	json_set(details, "rpcCode", json_new_int(message->code));
	buf_printf(&text, "%.*s", MCP_WORDS_MAX, message->words);
	end_call(call, &(struct mcp_answer){
			   .code = "mcp_error",
			   .message = buf_text(&text),
			   .final = message->code == MCP_BAD_PARAMS ||
				    message->code == MCP_NO_METHOD,
			   .details = details,
		       });
	json_unref(&details);
	buf_fini(&text);
}

void
mcp_call_answered(struct mcp_call *call, const struct mcp_message *message)
{
	struct buf words = { 0 };

	if (call->state != MCP_CALL_SENT)
		return;
	call->session->failures = 0;
	call->session->wire->type->forget(call->session->wire, call->id);
	if (message->kind == MCP_ERROR)
		refused(call, message);
	else if (mcp_failed(message->result, &words))
		fail_call(call, "tool_failed", false, 0, buf_text(&words));
	else
		end_call(call, &(struct mcp_answer){ .result = message->result });
	buf_fini(&words);
}

void
mcp_call_said(struct mcp_call *call, const char *level, const char *text)
{
	usec_t now = loop_mono(call->session->conf.loop);
	bool progress = level == NULL;

	if (call->events->said == NULL || call->lines > LINES_MAX ||
	    (progress && now - call->told_at < PROGRESS_EVERY))
		return;
	if (progress)
		call->told_at = now;
	if (call->lines++ == LINES_MAX)
		text = "what it says further is not kept";
	call->events->said(call->context, progress ? "info" : level, text);
}

/* ---- the way out ---- */

struct mcp_call *
mcp_calls_find(const struct mcp_session *session, int64_t id)
{
	list_each (it, (struct list *)&session->calls) {
		struct mcp_call *call = container_of(it, struct mcp_call, link);

		if (id > 0 && call->state == MCP_CALL_SENT && call->id == id)
			return call;
	}
	return NULL;
}

bool
mcp_calls_wait(const struct mcp_session *session)
{
	list_each (it, (struct list *)&session->calls)
		if (container_of(it, struct mcp_call, link)->state == MCP_CALL_WAITS)
			return true;
	return false;
}

static void
unknown_tool(struct mcp_call *call)
{
	const struct mcp_session *session = call->session;
	const char *server = session->conf.server->name;
	const char *nearest = mcp_tools_nearest(&session->tools, call->tool);
	struct buf text = { 0 };

	buf_printf(&text, "the MCP server \"%s\" has no tool \"%s\"", server,
		   call->tool);
	if (nearest != NULL)
		buf_printf(&text, "; did you mean \"mcp.%s.%s\"?", server, nearest);
	fail_call(call, "unknown_tool", true, 0, buf_text(&text));
	buf_fini(&text);
}

/* A server may have got the tool since, without saying so. */
static bool
looks_again(struct mcp_call *call)
{
	struct mcp_session *session = call->session;

	if (session->list_id != 0)
		return true;
	if (call->looked_again ||
	    loop_mono(session->conf.loop) - session->listed_at < LOOK_AGAIN)
		return false;
	call->looked_again = true;
	mcp_session_list(session);
	return true;
}

static void
send_call(struct mcp_call *call)
{
	struct mcp_session *session = call->session;
	const struct mcp_tool *tool = mcp_tools_find(&session->tools, call->tool);
	struct err err = { 0 };

	if (tool == NULL) {
		if (!looks_again(call))
			unknown_tool(call);
		return;
	}
	if (mcp_tool_check(tool, call->arguments, &err) < 0) {
		fail_call(call, "input", true, 0, err.text);
		return;
	}
	call->idempotent = tool->idempotent;
	call->state = MCP_CALL_SENT;
	call->id = session->next_id++;
	mcp_session_send(
	    session, mcp_call_tool(call->id, call->tool, call->arguments, call->key),
	    call->id);
}

usec_t
mcp_calls_send(struct mcp_session *session)
{
	usec_t now = loop_mono(session->conf.loop), next = 0;

	list_each_safe (it, &session->calls) {
		struct mcp_call *call = container_of(it, struct mcp_call, link);

		if (call->state != MCP_CALL_WAITS)
			continue;
		if (call->due > now)
			next = next == 0 || call->due < next ? call->due : next;
		else if (call->tool == NULL)
			end_call(call, &(struct mcp_answer){ .code = NULL });
		else
			send_call(call);
	}
	return next;
}

/* ---- life ---- */

struct mcp_call *
mcp_session_call(struct mcp_session *session, const char *tool,
		 const struct json *arguments, const char *key,
		 const struct mcp_call_events *events, void *context)
{
	struct mcp_call *call = xcalloc(1, sizeof *call);

	call->session = session;
	call->tool = tool != NULL ? xstrdup(tool) : NULL;
	call->arguments = arguments != NULL ? json_copy(arguments) : NULL;
	call->key = key != NULL ? xstrdup(key) : NULL;
	call->events = events;
	call->context = context;
	list_push(&session->calls, &call->link);
	timer_stop(session->idle);
	mcp_session_turn(session);
	return call;
}

bool
mcp_call_cancel(struct mcp_call *call, const char *why)
{
	struct mcp_session *session = call->session;
	bool was_sent = call->state == MCP_CALL_SENT;

	if (call->state == MCP_CALL_OVER)
		return false;
	call->state = MCP_CALL_OVER;
	list_remove(&call->link);
	if (was_sent && session->wire != NULL && session->state == MCP_READY) {
		mcp_session_send(session, mcp_cancelled(call->id, why), -1);
		session->wire->type->forget(session->wire, call->id);
	}
	mcp_session_turn(session);
	return was_sent && !call->idempotent;
}

void
mcp_call_orphan(struct mcp_call *call)
{
	list_remove(&call->link);
	call->state = MCP_CALL_OVER;
	call->session = NULL;
}

void
mcp_call_free(struct mcp_call **call_p)
{
	struct mcp_call *call = *call_p;

	if (call == NULL)
		return;
	*call_p = NULL;
	mcp_call_cancel(call, "nobody waits for it any more");
	free(call->tool);
	free(call->key);
	json_unref(&call->arguments);
	free(call);
}
