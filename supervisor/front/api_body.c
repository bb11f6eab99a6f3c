/* JSON objects that clients send. See api_body.h. */
#include "front/api_body.h"

#include <string.h>

static bool
is_known(const char *const *keys, const char *key, size_t len)
{
	for (; *keys != NULL; keys++)
		if (strlen(*keys) == len && memcmp(*keys, key, len) == 0)
			return true;
	return false;
}

int
api_body(struct exchange *exchange, const char *const *keys, struct json **out)
{
	struct json *body;

	if (exchange_json(exchange, &body) < 0)
		return -1;
	if (body != NULL && json_type(body) != JSON_OBJECT) {
		reply_problem(exchange, 400, NULL, "the body: expected an object");
		return -1;
	}
	for (struct json_iter it = json_iter(body); body != NULL && json_next(&it);) {
		if (is_known(keys, it.key, it.key_len))
			continue;
		reply_problem(exchange, 400, NULL, "unknown key \"%.100s\"", it.key);
		return -1;
	}
	*out = body != NULL ? json_ref(body) : json_new_object();
	return 0;
}

int
api_body_text(struct exchange *exchange, const struct json *body, const char *key,
	      size_t min, size_t max, enum api_presence presence, const char **out)
{
	const struct json *value = json_get(body, key);
	const char *text = json_str(value);
	size_t len = json_str_len(value);

	if (value == NULL && presence == API_OPTIONAL)
		return 0;
	if (text != NULL && len >= min && len <= max && strlen(text) == len) {
		*out = text;
		return 0;
	}
	reply_problem(exchange, 400, NULL, "%s: expected a text of %zu to %zu bytes",
		      key, min, max);
	return -1;
}

int
api_body_object(struct exchange *exchange, const struct json *body, const char *key,
		size_t max, struct json **out)
{
	struct json *value = json_get(body, key);
	struct buf text = { 0 };
	size_t len;

	*out = NULL;
	if (value == NULL)
		return 0;
	json_write(value, &text);
	len = text.len;
	buf_fini(&text);
	if (json_type(value) == JSON_OBJECT && len <= max) {
		*out = json_storable(json_ref(value), NULL);
		return 0;
	}
	reply_problem(exchange, 400, NULL,
		      "%s: expected an object of at most %zu bytes", key, max);
	return -1;
}

int
api_body_uuid(struct exchange *exchange, const struct json *body, const char *key,
	      struct uuid *out, bool *found)
{
	const struct json *value = json_get(body, key);
	const char *text = json_str(value);

	*found = false;
	if (value == NULL)
		return 0;
	*found = text != NULL && uuid_parse(text, json_str_len(value), out);
	if (*found)
		return 0;
	reply_problem(exchange, 400, NULL, "%s: expected a UUID", key);
	return -1;
}
