/* What the wires have in common. See wire_core.h. */
#include "model/wire_core.h"

#include <string.h>

void
wire_take(const struct wire *wire, struct heard *reply, const char *event,
	  const char *data, size_t len)
{
	struct json *json = NULL;
	struct err err = { 0 };

	if (reply->trouble.kind != TROUBLE_NONE)
		return;
	if (len == 6 && memcmp(data, "[DONE]", 6) == 0) {
		reply->sealed = reply->complete; /* how it stopped was said before */
		return;
	}
	if (json_parse(data, len, &json, &err) < 0 || json_type(json) != JSON_OBJECT)
		heard_fail(reply, TROUBLE_GARBAGE,
			   "the stream holds what is no JSON object");
	else
		wire->event(reply, event, json);
	json_unref(&json);
}

struct json *
wire_object(const char *key, const char *value)
{
	struct json *object = json_new_object();

	wire_set(object, key, value);
	return object;
}

void
wire_set(struct json *object, const char *key, const char *value)
{
	json_set(object, key, json_new_str(value));
}

struct json *
wire_arguments(const struct talk_call *call)
{
	struct json *json = NULL;
	struct err err = { 0 };

	if (json_parse(call->arguments, strlen(call->arguments), &json, &err) < 0)
		return json_new_object();
	return json;
}

void
wire_openai_url(const char *base_url, const char *path, struct buf *out)
{
	const char *host = strstr(base_url, "://");
	bool has_path = host != NULL && strchr(host + 3, '/') != NULL;

	buf_printf(out, "%s%s%s", base_url, has_path ? "" : "/v1", path);
}

int64_t
wire_count(const struct json *object, const char *key)
{
	return json_int(json_get(object, key));
}
