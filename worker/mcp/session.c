/*
 * The connection to one server: made when somebody calls, kept, ended when nobody does.
 * Everything that ends or begins a connection happens in on_turn, never inside a
 * callback of the wire.
 */
#include "mcp/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "mcp/login.h"
#include "mcp/session_priv.h"

void
mcp_session_turn(struct mcp_session *session)
{
	timer_set(session->turn, 0);
}

void
mcp_session_break(struct mcp_session *session, bool at_fault, bool final,
		  const char *why)
{
	if (session->broken || session->wire == NULL)
		return;
	session->broken = true;
	session->at_fault = at_fault;
	session->broken_final = final;
	snprintf(session->why, sizeof session->why, "%s", why);
	mcp_session_turn(session);
}

void
mcp_session_send(struct mcp_session *session, struct json *message, int64_t id)
{
	if (session->wire != NULL && !session->broken)
		session->wire->type->send(session->wire, message, id);
	json_unref(&message);
}

/* ---- what the wire tells ---- */

static void
on_message(void *context, const struct json *message)
{
	struct mcp_session *session = context;

	if (session->state != MCP_ENDING && !session->broken)
		mcp_session_hear(session, message);
}

static void
on_garbage(void *context, const char *text, size_t len)
{
	mcp_session_garbage(context, text, len);
}

static void
on_lost(void *context, int64_t id, const struct mcp_loss *loss)
{
	struct mcp_session *session = context;
	struct mcp_call *call = mcp_calls_find(session, id);

	if (call != NULL)
		mcp_call_lost(call, loss);
	if (loss->forgotten) {
		/* one that forgets whom it has just met would do so for ever */
		mcp_session_break(session, session->state != MCP_READY, false,
				  loss->why);
	} else if (id == session->greet_id) {
		mcp_session_break(session, true, loss->final, loss->why);
	} else if (id == session->list_id) {
		session->list_id = 0;
		if (session->state == MCP_LISTING)
			mcp_session_break(session, true, loss->final, loss->why);
	}
}

static void
on_end(void *context, const struct mcp_loss *loss)
{
	struct mcp_session *session = context;

	if (session->state == MCP_ENDING) {
		session->broken = true;
		session->at_fault = false;
		mcp_session_turn(session);
		return;
	}
	mcp_session_break(session, true, loss->final, loss->why);
}

static const struct mcp_wire_events wire_events = {
	.on_message = on_message,
	.on_garbage = on_garbage,
	.on_lost = on_lost,
	.on_end = on_end,
};

/* ---- a connection ---- */

void
mcp_session_list(struct mcp_session *session)
{
	session->list_outdated = false;
	mcp_tools_fini(&session->reading);
	session->list_id = session->next_id++;
	mcp_session_send(session, mcp_list_tools(session->list_id, NULL),
			 session->list_id);
	timer_set(session->deadline, session->conf.server->start_timeout);
}

static void
open_wire(struct mcp_session *session)
{
	const struct mcp_server *server = session->conf.server;
	const struct mcp_wire_type *type =
	    server->url != NULL ? &mcp_wire_http : &mcp_wire_stdio;

	session->state = MCP_GREETING;
	session->broken = session->forgotten = false;
	session->garbage = session->notices = 0;
	session->wire = type->open(&session->conf);
	session->greet_id = session->next_id++;
	mcp_session_send(session,
			 mcp_initialize(session->greet_id,
					server->elicitation == MCP_ELICIT_DEFAULTS),
			 session->greet_id);
	timer_set(session->deadline, server->start_timeout);
}

/* Its last words may repeat what it was given. */
static void
masked(const struct mcp_session *session, const char *text, struct buf *out)
{
	if (session->conf.mask != NULL)
		mask_text(session->conf.mask, text, strlen(text), out);
	else
		buf_str(out, text);
}

/* After the last failure it rests; those who wait then know why. */
static void
count_failure(struct mcp_session *session)
{
	struct buf why = { 0 };

	session->failures++;
	session->rests_until =
	    loop_mono(session->conf.loop) + mcp_rest(session->failures);
	masked(session, session->why, &why);
	log_warn("mcp.failed", F_STR("server", session->conf.server->name),
		 F_INT("failures", session->failures), F_STR("why", buf_text(&why)));
	buf_fini(&why);
}

static void
close_wire(struct mcp_session *session)
{
	const struct mcp_loss loss = {
		.reach = MCP_UNKNOWN,
		.final = false,
		.why = session->why,
	};
	bool was_ending = session->state == MCP_ENDING;
	struct mcp_wire *wire = session->wire;

	timer_stop(session->deadline);
	mcp_calls_lost(session, &loss);
	session->wire = NULL;
	session->state = MCP_DOWN;
	session->greet_id = session->list_id = 0;
	wire->type->free(wire);
	if (!was_ending && session->at_fault)
		count_failure(session);
	if (session->broken_final && !was_ending)
		mcp_calls_refuse(session, true);
	session->broken = session->broken_final = false;
	if (was_ending)
		session->on_ended(session->context);
}

static void
begin_end(struct mcp_session *session)
{
	session->state = MCP_ENDING;
	timer_stop(session->deadline);
	log_debug("mcp.ending", F_STR("server", session->conf.server->name));
	session->wire->type->close(session->wire);
}

/* ---- turns ---- */

static void
turn_down(struct mcp_session *session)
{
	usec_t now = loop_mono(session->conf.loop);

	if (!mcp_calls_wait(session))
		return;
	if (session->leaving) {
		snprintf(session->why, sizeof session->why, "the worker is leaving");
		mcp_calls_refuse(session, false);
	} else if (now >= session->rests_until) {
		open_wire(session);
	} else if (session->failures >= MCP_FAILURES_MAX) {
		mcp_calls_refuse(session, false);
	} else {
		timer_set(session->turn, session->rests_until - now);
	}
}

static void
turn_ready(struct mcp_session *session)
{
	usec_t idle = session->conf.server->idle, due;

	if (session->list_outdated && session->list_id == 0)
		mcp_session_list(session);
	due = mcp_calls_send(session);
	if (due > 0 && !timer_is_set(session->turn))
		timer_set(session->turn, due - loop_mono(session->conf.loop));
	if (!list_empty(&session->calls) || session->list_id != 0)
		timer_stop(session->idle);
	else if (session->leaving)
		begin_end(session);
	else if (idle > 0)
		timer_set(session->idle, idle);
}

static void
on_turn(void *context)
{
	struct mcp_session *session = context;

	if (session->broken)
		close_wire(session);
	if (session->state == MCP_DOWN)
		turn_down(session);
	else if (session->state == MCP_READY)
		turn_ready(session);
}

static void
on_idle(void *context)
{
	struct mcp_session *session = context;

	if (session->state == MCP_READY && list_empty(&session->calls) &&
	    session->list_id == 0)
		begin_end(session);
}

/* A list that does not come again is no reason to lose what is under way. */
static void
on_deadline(void *context)
{
	struct mcp_session *session = context;

	if (session->state == MCP_READY) {
		session->list_id = 0;
		mcp_session_turn(session);
		return;
	}
	mcp_session_break(session, true, false,
			  session->state == MCP_GREETING
			      ? "it did not greet within its start_timeout"
			      : "it did not list its tools within its start_timeout");
}

/* ---- life ---- */

struct mcp_session *
mcp_session_new(const struct mcp_wire_conf *conf, loop_fn *on_ended, void *context)
{
	struct mcp_session *session = xcalloc(1, sizeof *session);

	session->conf = *conf;
	session->conf.events = &wire_events;
	session->conf.context = session;
	session->conf.login = mcp_login_new(conf);
	session->on_ended = on_ended;
	session->context = context;
	session->next_id = 1;
	session->turn = timer_new(conf->loop, on_turn, session);
	session->deadline = timer_new(conf->loop, on_deadline, session);
	session->idle = timer_new(conf->loop, on_idle, session);
	list_init(&session->calls);
	return session;
}

void
mcp_session_free(struct mcp_session **session_p)
{
	struct mcp_session *session = *session_p;

	if (session == NULL)
		return;
	*session_p = NULL;
	list_each_safe (it, &session->calls)
		mcp_call_orphan(container_of(it, struct mcp_call, link));
	if (session->wire != NULL)
		session->wire->type->free(session->wire);
	mcp_login_free(&session->conf.login);
	timer_free(&session->turn);
	timer_free(&session->deadline);
	timer_free(&session->idle);
	mcp_tools_fini(&session->tools);
	mcp_tools_fini(&session->reading);
	free(session);
}

const struct mcp_server *
mcp_session_server(const struct mcp_session *session)
{
	return session->conf.server;
}

const struct mcp_tools *
mcp_session_tools(const struct mcp_session *session)
{
	return session->listed ? &session->tools : NULL;
}

bool
mcp_session_is_down(const struct mcp_session *session)
{
	return session->wire == NULL;
}

void
mcp_session_leave(struct mcp_session *session)
{
	session->leaving = true;
	timer_stop(session->idle);
	if (session->wire == NULL || session->state == MCP_ENDING)
		return;
	if (list_empty(&session->calls))
		begin_end(session);
	else
		mcp_session_turn(session);
}
