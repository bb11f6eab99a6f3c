/*
 * One connection to an MCP server, whatever carries it: a program's standard input and
 * output (wire_stdio.c), or streamable HTTP (wire_http.c). A wire moves messages and
 * says what became of requests that will get no answer; what they mean is session.c's.
 */
#ifndef MCP_WIRE_H
#define MCP_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mask.h"
#include "conf/settings.h"
#include "httpc/httpc.h"
#include "loop/loop.h"
#include "programs.h"
#include "json/json.h"

/* Did the server get it? */
enum mcp_reach {
	MCP_NOT_SENT, /* no, or it said that it did nothing */
	MCP_UNKNOWN,  /* perhaps */
};

struct mcp_loss {
	enum mcp_reach reach;
	bool final;     /* trying again cannot help */
	bool forgotten; /* the server knows this connection no more: a new one may do */
	const char *why;
};

/* What the session hears. Everything is borrowed for the call; the wire may not be
 * freed inside. */
struct mcp_wire_events {
	void (*on_message)(void *context, const struct json *message);
	/* What it wrote is no message. */
	void (*on_garbage)(void *context, const char *text, size_t len);
	/* This request gets no answer any more. */
	void (*on_lost)(void *context, int64_t id, const struct mcp_loss *loss);
	/* The connection is over, or cannot be made: said once. What was sent and not
	 * answered is lost, as far as `reach` of the wire tells. */
	void (*on_end)(void *context, const struct mcp_loss *loss);
};

struct mcp_login; /* mcp/login.h */

struct mcp_wire_conf {
	struct loop *loop;
	const struct settings *settings;
	struct programs *programs;
	struct httpc *httpc;
	struct mask *mask;       /* or NULL */
	struct mcp_login *login; /* for HTTP, or NULL: none is wanted */
	const struct mcp_server *server;
	const struct mcp_wire_events *events;
	void *context;
};

struct mcp_wire;

struct mcp_wire_type {
	/* Never NULL; what is wrong comes as on_end. */
	struct mcp_wire *(*open)(const struct mcp_wire_conf *conf);
	/* id: of a request; -1: nothing is to come back. */
	void (*send)(struct mcp_wire *wire, const struct json *message, int64_t id);
	/* The answer to this request is not wanted any more. */
	void (*forget)(struct mcp_wire *wire, int64_t id);
	/* The server has answered to initialize: in this version. */
	void (*greeted)(struct mcp_wire *wire, const char *version);
	/* What became of a request that was sent, after on_end. */
	enum mcp_reach (*reach)(const struct mcp_wire *wire, int64_t id);
	/* Politely, within seconds: on_end comes. */
	void (*close)(struct mcp_wire *wire);
	/* At once: nothing of it is left. */
	void (*free)(struct mcp_wire *wire);
};

struct mcp_wire {
	const struct mcp_wire_type *type;
	struct mcp_wire_conf conf;
};

extern const struct mcp_wire_type mcp_wire_stdio, mcp_wire_http;

#endif
