/*
 * The MCP servers of a worker: one connection to each, made on first use, kept, ended
 * when nobody used it for a while. Calls wait until it stands; what becomes of them
 * when it breaks is fate_core.c's to say.
 */
#ifndef MCP_MCP_H
#define MCP_MCP_H

#include "base/mask.h"
#include "base/usec.h"
#include "conf/settings.h"
#include "httpc/httpc.h"
#include "loop/loop.h"
#include "mcp/tools_core.h"
#include "programs.h"
#include "json/json.h"

struct mcp;
struct mcp_call;

struct mcp_conf {
	struct loop *loop;
	const struct settings *settings;
	struct programs *programs;
	struct httpc *httpc;
	struct mask *mask; /* or NULL; tokens are added */
	loop_fn *on_idle;  /* the last connection has ended, after mcp_leave */
	void *context;
};

struct mcp *mcp_new(const struct mcp_conf *conf);
void mcp_free(struct mcp **mcp_p); /* at once: calls are never answered */
/* Ends all connections politely, and makes no more. True: there are none. Else on_idle
 * comes. */
bool mcp_leave(struct mcp *mcp);

/* How a call went; everything is borrowed for the callback. */
struct mcp_answer {
	const struct json *result; /* of tools/call; NULL: a failure, or a list */
	const char *code;          /* of a failure; else NULL */
	const char *message;
	bool final;
	usec_t retry_at;      /* wall time; 0: whenever */
	struct json *details; /* members of the failure, or NULL */
};

struct mcp_call_events {
	/* Exactly once, never from inside mcp_call_new or _list. The call may be freed
	 * on a later turn only. */
	void (*done)(void *context, const struct mcp_answer *answer);
	/* Progress, and what the server logs; level: a word of syslog's. */
	void (*said)(void *context, const char *level, const char *text);
};

/* All is copied. key: the idempotency key, or NULL. */
struct mcp_call *mcp_call_new(struct mcp *mcp, const struct mcp_server *server,
			      const char *tool, const struct json *arguments,
			      const char *key, const struct mcp_call_events *events,
			      void *context);
/* Waits until the server's tools are known: mcp_tools then has them. */
struct mcp_call *mcp_list(struct mcp *mcp, const struct mcp_server *server,
			  const struct mcp_call_events *events, void *context);
/* The server is told that nobody waits any more, if it had it. done does not come.
 * True: whether it took effect is unknown, and its tool does not say that this is no
 * harm. */
bool mcp_call_cancel(struct mcp_call *call, const char *why);
void mcp_call_free(struct mcp_call **call_p); /* also cancels */

/* As last heard, also of a server that is not there now; NULL: never heard. Valid for
 * this turn. */
const struct mcp_tools *mcp_tools(struct mcp *mcp, const struct mcp_server *server);

#endif
