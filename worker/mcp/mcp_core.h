/*
 * Pure: the messages of the Model Context Protocol, which are JSON-RPC 2.0: what we
 * send as JSON, and what a server sends as values. Versions 2024-11-05 to 2025-11-25.
 */
#ifndef MCP_MCP_CORE_H
#define MCP_MCP_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "json/json.h"

#define MCP_VERSION_NEWEST "2025-11-25"
#define MCP_WORDS_MAX      2000 /* bytes of what a server says of a failure */

/* Of JSON-RPC. */
enum {
	MCP_PARSE_ERROR = -32700,
	MCP_NO_METHOD = -32601,
	MCP_BAD_PARAMS = -32602,
};

enum mcp_kind {
	MCP_RESULT,       /* to request `id` */
	MCP_ERROR,        /* the same; id -1: to nothing in particular */
	MCP_REQUEST,      /* of the server, with raw_id */
	MCP_NOTIFICATION, /* of the server */
	MCP_KINDS
};

/* A message; everything is borrowed from its JSON. */
struct mcp_message {
	enum mcp_kind kind;
	int64_t id;
	struct json *raw_id; /* a number or a text */
	const char *method;
	struct json *params; /* an object, or NULL */
	struct json *result; /* an object, or NULL */
	int64_t code;
	const char *words; /* of an error; never NULL there */
};

/* -1 with ERR_INPUT: it is no message. */
int mcp_read(const struct json *json, struct mcp_message *out, struct err *err);
bool mcp_version_is_known(const char *version);

/* Messages to a server. params and result are taken, NULL: without. */
struct json *mcp_request(int64_t id, const char *method, struct json *params);
struct json *mcp_notice(const char *method, struct json *params);
struct json *mcp_reply(const struct mcp_message *request, struct json *result);
struct json *mcp_refusal(const struct mcp_message *request, int64_t code,
			 const char *words);

struct json *mcp_initialize(int64_t id, bool elicitation);
/* cursor: of the page, or NULL. */
struct json *mcp_list_tools(int64_t id, const char *cursor);
/* arguments: borrowed; NULL: none. key: the step's idempotency key, or NULL. Progress
 * is told under the request's id. */
struct json *mcp_call_tool(int64_t id, const char *tool, const struct json *arguments,
			   const char *key);
struct json *mcp_cancelled(int64_t id, const char *why);

/* What it answered to initialize. */
struct mcp_greeting {
	const char *version;         /* borrowed */
	const char *name;            /* of the server's program, or NULL; borrowed */
	bool has_tools, tells_lists; /* tells_lists: that its tools changed */
};

/* -1 with ERR_INPUT: no version that we speak, or no greeting. */
int mcp_greeting(const struct json *result, struct mcp_greeting *out, struct err *err);

/* The request that a progress notification is of, or -1; total and message as text:
 * "3/10 half of it". Appends. */
int64_t mcp_progress(const struct json *params, struct buf *out);
/* "warning", "logger: text" of a logging notification; text is appended. */
const char *mcp_log(const struct json *params, struct buf *out);

#endif
