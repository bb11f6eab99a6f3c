/* What the three rooms of a session share: session.c its connection, session_talk.c the
 * messages of the server, session_calls.c the calls to it. Only they include this. */
#ifndef MCP_SESSION_PRIV_H
#define MCP_SESSION_PRIV_H

#include "mcp/fate_core.h"
#include "mcp/mcp_core.h"
#include "mcp/session.h"

/*
 *   DOWN --somebody calls--> GREETING --initialize answered--> LISTING
 *   LISTING --the last page--> READY --unused, or told to leave--> ENDING --> DOWN
 *   GREETING, LISTING, READY --the connection breaks--> DOWN
 */
enum mcp_session_state {
	MCP_DOWN,
	MCP_GREETING,
	MCP_LISTING,
	MCP_READY,
	MCP_ENDING,
};

struct mcp_session {
	struct mcp_wire_conf conf;
	loop_fn *on_ended;
	void *context;

	enum mcp_session_state state;
	struct mcp_wire *wire;  /* NULL: down */
	struct timer *turn;     /* what is to be done is done there */
	struct timer *deadline; /* of greeting and listing */
	struct timer *idle;
	bool leaving;

	/* Why the connection ends; looked at in the turn. */
	bool broken, broken_final, forgotten, at_fault;
	char why[600];

	int64_t next_id, greet_id, list_id; /* 0: none under way */
	bool listed, list_outdated;
	struct mcp_tools tools;   /* the last whole list */
	struct mcp_tools reading; /* of which pages come */
	usec_t listed_at;         /* monotonic */

	struct list calls;
	int failures; /* in a row */
	usec_t rests_until;

	/* A server that floods. */
	usec_t second;
	int notices, garbage;
};

enum mcp_call_state { MCP_CALL_WAITS, MCP_CALL_SENT, MCP_CALL_OVER };

struct mcp_call {
	struct list link; /* session.calls, until it is over */
	struct mcp_session *session;
	enum mcp_call_state state;
	char *tool; /* NULL: only the list is wanted */
	struct json *arguments;
	char *key;
	int64_t id;        /* of the request, once it is sent */
	bool idempotent;   /* as its tool said then */
	bool looked_again; /* for a tool that was not there */
	int redone, lines;
	usec_t due;     /* monotonic: not sent (again) before that */
	usec_t told_at; /* of progress; monotonic */
	const struct mcp_call_events *events;
	void *context;
};

/* session.c */
void mcp_session_turn(struct mcp_session *session); /* soon */
/* The connection is of no use any more. at_fault: of the server, which then rests. */
void mcp_session_break(struct mcp_session *session, bool at_fault, bool final,
		       const char *why);
void mcp_session_list(struct mcp_session *session); /* asks for its tools */
void mcp_session_send(struct mcp_session *session, struct json *message, int64_t id);

/* session_talk.c */
void mcp_session_hear(struct mcp_session *session, const struct json *message);
void mcp_session_garbage(struct mcp_session *session, const char *text, size_t len);

/* session_calls.c */
struct mcp_call *mcp_calls_find(const struct mcp_session *session, int64_t id);
bool mcp_calls_wait(const struct mcp_session *session);
/* Those that wait and are due. When the next one is, monotonic; 0: there is none. */
usec_t mcp_calls_send(struct mcp_session *session);
void mcp_calls_refuse(struct mcp_session *session, bool final); /* those that wait */
/* All that were sent: the connection is over. */
void mcp_calls_lost(struct mcp_session *session, const struct mcp_loss *loss);
void mcp_call_lost(struct mcp_call *call, const struct mcp_loss *loss);
void mcp_call_answered(struct mcp_call *call, const struct mcp_message *message);
void mcp_call_said(struct mcp_call *call, const char *level, const char *text);
void mcp_call_orphan(struct mcp_call *call); /* its session goes */

#endif
