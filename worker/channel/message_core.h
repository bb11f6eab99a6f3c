/*
 * Pure: JSON-RPC 2.0, one message a line. What a line is, and how answers are written.
 * Batches are not part of it. docs/program-protocol.md
 */
#ifndef CHANNEL_MESSAGE_CORE_H
#define CHANNEL_MESSAGE_CORE_H

#include "base/buf.h"
#include "json/json.h"

enum rpc_code {
	RPC_PARSE = -32700,
	RPC_REQUEST = -32600,
	RPC_METHOD = -32601,
	RPC_PARAMS = -32602,
	RPC_INTERNAL = -32603,
	RPC_FAILED = -32010,     /* the step failed */
	RPC_DIVERGENCE = -32011, /* another step than recorded */
	RPC_CANCELLED = -32012,
	RPC_LIMIT = -32013,
	RPC_NOT_NOW = -32014,
};

enum message_kind {
	MESSAGE_NONE, /* no message at all: output of the program, or rubbish */
	MESSAGE_CALL, /* method, params; id NULL: nobody waits for an answer */
	MESSAGE_ANSWER,
	MESSAGE_BAD, /* meant as a message, and wrong: code and why */
};

struct message {
	enum message_kind kind;
	struct json *whole; /* owned; the rest points into it */
	const char *method;
	struct json *params; /* an object, or NULL */
	struct json *id;     /* a number or a string, or NULL */
	enum rpc_code code;
	const char *why;
};

/* The line without its newline. End it with message_fini, whatever it is. */
void message_read(struct message *message, const char *line, size_t len);
void message_fini(struct message *message);

/* Each appends one line with its newline. id is borrowed; the rest is borrowed, too. */
void message_result(struct buf *out, const struct json *id, const struct json *result);
void message_error(struct buf *out, const struct json *id, enum rpc_code code,
		   const char *text, const struct json *data);
void message_notify(struct buf *out, const char *method, const struct json *params);

#endif
