/* Lines -> messages, and back. See message_core.h. */
#include "channel/message_core.h"

#include <string.h>

#define METHOD_MAX 64
#define ID_MAX     256

static const char mark[] = "\"jsonrpc\"";

/* Cheap, for a program may write megabytes of other things: an object that says it. */
static bool
is_meant(const char *line, size_t len)
{
	while (len > 0 && (*line == ' ' || *line == '\t' || *line == '\r')) {
		line++;
		len--;
	}
	return len > 0 && *line == '{' &&
	       memmem(line, len, mark, sizeof mark - 1) != NULL;
}

static void
bad(struct message *message, enum rpc_code code, const char *why)
{
	message->kind = MESSAGE_BAD;
	message->code = code;
	message->why = why;
}

static bool
is_id(const struct json *id)
{
	return json_type(id) == JSON_INT || json_type(id) == JSON_DOUBLE ||
	       (json_type(id) == JSON_STRING && json_str_len(id) <= ID_MAX);
}

static void
read_call(struct message *message)
{
	const struct json *method = json_get(message->whole, "method");

	message->kind = MESSAGE_CALL;
	message->method = json_str(method);
	message->params = json_get(message->whole, "params");
	if (json_str_len(method) > METHOD_MAX ||
	    strlen(message->method) != json_str_len(method))
		bad(message, RPC_METHOD, "method: at most 64 bytes");
	else if (message->params != NULL && json_type(message->params) != JSON_OBJECT)
		bad(message, RPC_PARAMS, "params: expected an object");
}

/* An object with "jsonrpc". */
static void
read_object(struct message *message)
{
	struct json *whole = message->whole;
	const char *version = json_str(json_get(whole, "jsonrpc"));
	struct json *id = json_get(whole, "id");

	if (version == NULL || strcmp(version, "2.0") != 0)
		return; /* an object as any other */
	if (id != NULL && !is_id(id)) {
		bad(message, RPC_REQUEST, "id: expected a number or a string");
		return;
	}
	message->id = id;
	if (json_type(json_get(whole, "method")) == JSON_STRING)
		read_call(message);
	else if (json_has(whole, "result") || json_has(whole, "error"))
		message->kind = MESSAGE_ANSWER;
	else
		bad(message, RPC_REQUEST, "method: expected a string");
}

void
message_read(struct message *message, const char *line, size_t len)
{
	struct err err = { 0 };

	*message = (struct message){ .kind = MESSAGE_NONE };
	if (!is_meant(line, len))
		return;
	if (json_parse(line, len, &message->whole, &err) < 0)
		bad(message, RPC_PARSE, "not JSON");
	else if (json_type(message->whole) == JSON_OBJECT)
		read_object(message);
}

void
message_fini(struct message *message)
{
	json_unref(&message->whole);
	*message = (struct message){ .kind = MESSAGE_NONE };
}

static void
begin(struct buf *out, const struct json *id)
{
	buf_str(out, "{\"jsonrpc\":\"2.0\",\"id\":");
	json_write(id, out);
}

void
message_result(struct buf *out, const struct json *id, const struct json *result)
{
	begin(out, id);
	buf_str(out, ",\"result\":");
	json_write(result, out);
	buf_str(out, "}\n");
}

void
message_error(struct buf *out, const struct json *id, enum rpc_code code,
	      const char *text, const struct json *data)
{
	begin(out, id);
	buf_printf(out, ",\"error\":{\"code\":%d,\"message\":", code);
	json_write_string(text, strlen(text), out);
	if (data != NULL) {
		buf_str(out, ",\"data\":");
		json_write(data, out);
	}
	buf_str(out, "}}\n");
}

void
message_notify(struct buf *out, const char *method, const struct json *params)
{
	buf_str(out, "{\"jsonrpc\":\"2.0\",\"method\":");
	json_write_string(method, strlen(method), out);
	if (params != NULL) {
		buf_str(out, ",\"params\":");
		json_write(params, out);
	}
	buf_str(out, "}\n");
}
