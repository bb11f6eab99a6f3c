/* Messages of MCP. See mcp_core.h. */
#include "mcp/mcp_core.h"

#include <string.h>

#include "base/utf8.h"

#define JSONRPC  "2.0"
#define META_KEY "stepmill/idempotencyKey"

static const char *const versions[] = {
	MCP_VERSION_NEWEST, "2025-06-18", "2025-03-26", "2024-11-05", NULL,
};

bool
mcp_version_is_known(const char *version)
{
	for (size_t i = 0; version != NULL && versions[i] != NULL; i++)
		if (strcmp(versions[i], version) == 0)
			return true;
	return false;
}

/* ---- what comes ---- */

static struct json *
object_of(const struct json *json, const char *key)
{
	struct json *value = json_get(json, key);

	return json_type(value) == JSON_OBJECT ? value : NULL;
}

static int
read_call(const struct json *json, const char *method, struct mcp_message *out,
	  struct err *err)
{
	struct json *id = json_get(json, "id");

	out->method = method;
	out->params = object_of(json, "params");
	out->kind = MCP_NOTIFICATION;
	if (!json_has(json, "id"))
		return 0;
	if (json_type(id) != JSON_INT && json_type(id) != JSON_STRING)
		return err_set(err, ERR_INPUT, "a request whose id is no id");
	out->kind = MCP_REQUEST;
	out->raw_id = id;
	return 0;
}

static int
read_answer(const struct json *json, struct mcp_message *out, struct err *err)
{
	const struct json *id = json_get(json, "id"), *error = object_of(json, "error");

	out->id = json_type(id) == JSON_INT && json_int(id) >= 0 ? json_int(id) : -1;
	if (error != NULL) {
		out->kind = MCP_ERROR;
		out->code = json_int(json_get(error, "code"));
		out->words = json_str(json_get(error, "message"));
		if (out->words == NULL)
			out->words = "an error without words";
		return 0;
	}
	out->kind = MCP_RESULT;
	out->result = object_of(json, "result");
	if (out->result == NULL)
		return err_set(err, ERR_INPUT, "an answer without a result");
	if (out->id < 0)
		return err_set(err, ERR_INPUT, "an answer to no request");
	return 0;
}

int
mcp_read(const struct json *json, struct mcp_message *out, struct err *err)
{
	const char *version = json_str(json_get(json, "jsonrpc"));
	const char *method = json_str(json_get(json, "method"));

	*out = (struct mcp_message){ .id = -1 };
	if (json_type(json) != JSON_OBJECT || version == NULL ||
	    strcmp(version, JSONRPC) != 0)
		return err_set(err, ERR_INPUT, "no message of JSON-RPC 2.0");
	if (method != NULL)
		return read_call(json, method, out, err);
	return read_answer(json, out, err);
}

/* ---- what goes ---- */

static struct json *
envelope(void)
{
	struct json *json = json_new_object();

	json_set(json, "jsonrpc", json_new_str(JSONRPC));
	return json;
}

struct json *
mcp_notice(const char *method, struct json *params)
{
	struct json *json = envelope();

	json_set(json, "method", json_new_str(method));
	if (params != NULL)
		json_set(json, "params", params);
	return json;
}

struct json *
mcp_request(int64_t id, const char *method, struct json *params)
{
	struct json *json = envelope();

	json_set(json, "id", json_new_int(id));
	json_set(json, "method", json_new_str(method));
	if (params != NULL)
		json_set(json, "params", params);
	return json;
}

static struct json *
answer_to(const struct mcp_message *request)
{
	struct json *json = envelope();

	json_set(json, "id", json_ref(request->raw_id));
	return json;
}

struct json *
mcp_reply(const struct mcp_message *request, struct json *result)
{
	struct json *json = answer_to(request);

	json_set(json, "result", result != NULL ? result : json_new_object());
	return json;
}

struct json *
mcp_refusal(const struct mcp_message *request, int64_t code, const char *words)
{
	struct json *json = answer_to(request), *error = json_new_object();

	json_set(error, "code", json_new_int(code));
	json_set(error, "message", json_new_str(words));
	json_set(json, "error", error);
	return json;
}

/* The newer form names the kinds of questions, and the older takes any object. */
static struct json *
capabilities(bool elicitation)
{
	struct json *json = json_new_object(), *kinds, *form;

	if (!elicitation)
		return json;
	kinds = json_new_object();
	form = json_new_object();
	json_set(form, "applyDefaults", json_new_bool(true));
	json_set(kinds, "form", form);
	json_set(json, "elicitation", kinds);
	return json;
}

struct json *
mcp_initialize(int64_t id, bool elicitation)
{
	struct json *params = json_new_object(), *client = json_new_object();

	json_set(client, "name", json_new_str("stepmill"));
	json_set(client, "version", json_new_str(STEPMILL_VERSION));
	json_set(params, "protocolVersion", json_new_str(MCP_VERSION_NEWEST));
	json_set(params, "capabilities", capabilities(elicitation));
	json_set(params, "clientInfo", client);
	return mcp_request(id, "initialize", params);
}

struct json *
mcp_list_tools(int64_t id, const char *cursor)
{
	struct json *params = json_new_object();

	if (cursor != NULL)
		json_set(params, "cursor", json_new_str(cursor));
	return mcp_request(id, "tools/list", params);
}

struct json *
mcp_call_tool(int64_t id, const char *tool, const struct json *arguments,
	      const char *key)
{
	struct json *params = json_new_object(), *meta = json_new_object();

	json_set(params, "name", json_new_str(tool));
	json_set(params, "arguments",
		 json_type(arguments) == JSON_OBJECT ? json_copy(arguments)
						     : json_new_object());
	json_set(meta, "progressToken", json_new_int(id));
	if (key != NULL)
		json_set(meta, META_KEY, json_new_str(key));
	json_set(params, "_meta", meta);
	return mcp_request(id, "tools/call", params);
}

struct json *
mcp_cancelled(int64_t id, const char *why)
{
	struct json *params = json_new_object();

	json_set(params, "requestId", json_new_int(id));
	json_set(params, "reason", json_new_str(why));
	return mcp_notice("notifications/cancelled", params);
}

/* ---- what it means ---- */

int
mcp_greeting(const struct json *result, struct mcp_greeting *out, struct err *err)
{
	const struct json *able = object_of(result, "capabilities");
	const struct json *tools = object_of(able, "tools");

	*out = (struct mcp_greeting){
		.version = json_str(json_get(result, "protocolVersion")),
		.name = json_str(json_get(object_of(result, "serverInfo"), "name")),
		.has_tools = tools != NULL,
		.tells_lists = json_bool(json_get(tools, "listChanged")),
	};
	if (out->version == NULL)
		return err_set(err, ERR_INPUT,
			       "it does not say which version of the "
			       "protocol it speaks");
	if (!mcp_version_is_known(out->version))
		return err_set(err, ERR_INPUT,
			       "it speaks version \"%.40s\" of the protocol; expected "
			       "2024-11-05 to " MCP_VERSION_NEWEST,
			       out->version);
	return 0;
}

static void
add_words(struct buf *out, const char *text, size_t len)
{
	utf8_repair(text, len < MCP_WORDS_MAX ? len : MCP_WORDS_MAX, out);
}

int64_t
mcp_progress(const struct json *params, struct buf *out)
{
	const struct json *token = json_get(params, "progressToken");
	const struct json *total = json_get(params, "total");
	const struct json *message = json_get(params, "message");

	if (json_type(token) != JSON_INT || json_int(token) < 0)
		return -1;
	buf_printf(out, "%.6g", json_double(json_get(params, "progress")));
	if (json_type(total) == JSON_INT || json_type(total) == JSON_DOUBLE)
		buf_printf(out, "/%.6g", json_double(total));
	if (json_type(message) == JSON_STRING) {
		buf_char(out, ' ');
		add_words(out, json_str(message), json_str_len(message));
	}
	return json_int(token);
}

const char *
mcp_log(const struct json *params, struct buf *out)
{
	const char *level = json_str(json_get(params, "level"));
	const struct json *logger = json_get(params, "logger");
	const struct json *data = json_get(params, "data");
	struct buf text = { 0 };

	if (json_type(logger) == JSON_STRING) {
		add_words(out, json_str(logger), json_str_len(logger));
		buf_str(out, ": ");
	}
	if (json_type(data) == JSON_STRING)
		buf_add(&text, json_str(data), json_str_len(data));
	else
		json_write(data, &text);
	add_words(out, buf_text(&text), text.len);
	buf_fini(&text);
	return level != NULL ? level : "info";
}
