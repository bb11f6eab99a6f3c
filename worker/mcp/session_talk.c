/* What a server says, message by message: answers to us, its own requests, and what it
 * tells without being asked. A server that tells too much is not listened to. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "mcp/result_core.h"
#include "mcp/session_priv.h"

#define NOTICES_MAX   5000 /* a second, that no one asked for */
#define GARBAGE_MAX   100  /* lines of a connection that are no message */
#define GARBAGE_SHOWN 100  /* bytes */
#define NAME_SHOWN    100

static bool
is_flood(struct mcp_session *session)
{
	usec_t now = loop_mono(session->conf.loop);

	if (now - session->second >= USEC_SECOND) {
		session->second = now;
		session->notices = 0;
	}
	if (++session->notices <= NOTICES_MAX)
		return false;
	mcp_session_break(session, true, false,
			  "it says more than 5000 things a second that nobody asked "
			  "for");
	return true;
}

/* Some print words of welcome there: a little of it is overlooked. */
void
mcp_session_garbage(struct mcp_session *session, const char *text, size_t len)
{
	struct buf shown = { 0 };
	char why[400];

	if (session->broken || session->state == MCP_ENDING)
		return;
	utf8_repair(text, len < GARBAGE_SHOWN ? len : GARBAGE_SHOWN, &shown);
	if (++session->garbage > GARBAGE_MAX) {
		snprintf(why, sizeof why, "it writes what is no message: %s",
			 buf_text(&shown));
		mcp_session_break(session, true, false, why);
	}
	buf_fini(&shown);
}

/* ---- answers ---- */

static void
break_in(struct mcp_session *session, const char *what, const char *why, bool final)
{
	char text[500];

	snprintf(text, sizeof text, "%s: %.400s", what, why);
	mcp_session_break(session, true, final, text);
}

static void
ready(struct mcp_session *session)
{
	timer_stop(session->deadline);
	session->state = MCP_READY;
	session->listed = true;
	session->listed_at = loop_mono(session->conf.loop);
	mcp_tools_fini(&session->tools);
	session->tools = session->reading;
	session->reading = (struct mcp_tools){ 0 };
	mcp_session_turn(session);
}

static void
log_connected(const struct mcp_session *session, const struct mcp_greeting *greeting)
{
	const char *name = greeting->name != NULL ? greeting->name : "";
	size_t len = strlen(name);
	struct buf program = { 0 };

	utf8_repair(name, len < NAME_SHOWN ? len : NAME_SHOWN, &program);
	log_info("mcp.connected", F_STR("server", session->conf.server->name),
		 F_STR("version", greeting->version),
		 F_STR("program", buf_text(&program)));
	buf_fini(&program);
}

static void
take_greeting(struct mcp_session *session, const struct mcp_message *message)
{
	struct mcp_greeting greeting;
	struct err err = { 0 };

	session->greet_id = 0;
	if (message->kind == MCP_ERROR) {
		break_in(session, "it refuses to be greeted", message->words, false);
		return;
	}
	if (mcp_greeting(message->result, &greeting, &err) < 0) {
		mcp_session_break(session, true, true, err.text);
		return;
	}
	log_connected(session, &greeting);
	session->wire->type->greeted(session->wire, greeting.version);
	mcp_session_send(session, mcp_notice("notifications/initialized", NULL), -1);
	session->state = MCP_LISTING;
	if (greeting.has_tools)
		mcp_session_list(session);
	else
		ready(session);
}

static void
take_page(struct mcp_session *session, const struct mcp_message *message)
{
	const char *cursor = NULL;
	struct err err = { 0 };

	session->list_id = 0;
	if (message->kind == MCP_ERROR)
		err_set(&err, ERR_INPUT, "%.400s", message->words);
	else
		mcp_tools_add(&session->reading, message->result, &cursor, &err);
	if (err.kind != ERR_NONE && session->state == MCP_LISTING) {
		break_in(session, "its tools cannot be listed", err.text, false);
	} else if (err.kind != ERR_NONE) {
		timer_stop(session->deadline);
		mcp_session_turn(session); /* what was heard before stays */
	} else if (cursor == NULL) {
		ready(session);
	} else {
		session->list_id = session->next_id++;
		mcp_session_send(session, mcp_list_tools(session->list_id, cursor),
				 session->list_id);
	}
}

static void
take_answer(struct mcp_session *session, const struct mcp_message *message)
{
	struct mcp_call *call;

	if (message->id > 0 && message->id == session->greet_id) {
		session->wire->type->forget(session->wire, message->id);
		take_greeting(session, message);
	} else if (message->id > 0 && message->id == session->list_id) {
		session->wire->type->forget(session->wire, message->id);
		take_page(session, message);
	} else {
		call = mcp_calls_find(session, message->id);
		if (call != NULL)
			mcp_call_answered(call, message);
	}
}

/* ---- its requests ---- */

static void
take_request(struct mcp_session *session, const struct mcp_message *message)
{
	bool presets = session->conf.server->elicitation == MCP_ELICIT_DEFAULTS;
	struct json *answer;

	if (is_flood(session))
		return;
	if (strcmp(message->method, "ping") == 0)
		answer = mcp_reply(message, NULL);
	else if (presets && strcmp(message->method, "elicitation/create") == 0)
		answer = mcp_reply(message, mcp_elicited(message->params, true));
	else
		answer =
		    mcp_refusal(message, MCP_NO_METHOD, "this client does not do that");
	mcp_session_send(session, answer, -1);
}

/* ---- what it tells ---- */

static void
take_progress(struct mcp_session *session, const struct mcp_message *message)
{
	struct buf text = { 0 };
	struct mcp_call *call;

	buf_str(&text, "progress ");
	call = mcp_calls_find(session, mcp_progress(message->params, &text));
	if (call != NULL)
		mcp_call_said(call, NULL, buf_text(&text));
	buf_fini(&text);
}

/* It does not say for which call: those that are under way hear it. */
static void
take_log(struct mcp_session *session, const struct mcp_message *message)
{
	struct buf text = { 0 };
	const char *level = mcp_log(message->params, &text);

	list_each (it, &session->calls) {
		struct mcp_call *call = container_of(it, struct mcp_call, link);

		if (call->state == MCP_CALL_SENT)
			mcp_call_said(call, level, buf_text(&text));
	}
	buf_fini(&text);
}

static void
take_change(struct mcp_session *session, const struct mcp_message *message)
{
	(void)message;
	session->list_outdated = true;
	mcp_session_turn(session);
}

static const struct {
	const char *method;
	void (*take)(struct mcp_session *session, const struct mcp_message *message);
} notices[] = {
	{ "notifications/progress", take_progress },
	{ "notifications/message", take_log },
	{ "notifications/tools/list_changed", take_change },
};

static void
take_notice(struct mcp_session *session, const struct mcp_message *message)
{
	if (is_flood(session))
		return;
	for (size_t i = 0; i < sizeof notices / sizeof notices[0]; i++)
		if (strcmp(notices[i].method, message->method) == 0)
			notices[i].take(session, message);
}

static void
hear_one(struct mcp_session *session, const struct json *json)
{
	static void (*const take[MCP_KINDS])(struct mcp_session *,
					     const struct mcp_message *) = {
		[MCP_RESULT] = take_answer,
		[MCP_ERROR] = take_answer,
		[MCP_REQUEST] = take_request,
		[MCP_NOTIFICATION] = take_notice,
	};
	struct mcp_message message;
	struct err err = { 0 };

	if (mcp_read(json, &message, &err) < 0)
		mcp_session_garbage(session, err.text, strlen(err.text));
	else
		take[message.kind](session, &message);
}

/* Version 2025-03-26 lets servers send several as one list. */
void
mcp_session_hear(struct mcp_session *session, const struct json *message)
{
	if (json_type(message) != JSON_ARRAY) {
		hear_one(session, message);
		return;
	}
	for (size_t i = 0; i < json_count(message) && !session->broken; i++)
		hear_one(session, json_at(message, i));
}
