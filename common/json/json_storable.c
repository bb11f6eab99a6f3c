/*
 * What PostgreSQL's jsonb can hold. A model's answer or a program's output must become
 * a storable value whatever bytes it has: the parser has already turned lone surrogates
 * into U+FFFD, here NUL characters and bytes that are no UTF-8 follow.
 */
#include <string.h>

#include "base/utf8.h"
#include "json/json.h"

static bool
text_storable(const char *text, size_t len)
{
	return (len == 0 || memchr(text, '\0', len) == NULL) && utf8_valid(text, len);
}

static bool
storable(const struct json *json)
{
	enum json_type type = json_type(json);

	if (type == JSON_STRING)
		return text_storable(json_str(json), json_str_len(json));
	if (type == JSON_ARRAY)
		for (size_t i = 0; i < json_count(json); i++)
			if (!storable(json_at(json, i)))
				return false;
	for (struct json_iter it = json_iter(json); json_next(&it);)
		if (!text_storable(it.key, it.key_len) || !storable(it.value))
			return false;
	return true;
}

static struct json *repaired(const struct json *json);

static struct json *
repaired_string(const struct json *json)
{
	struct buf text = { 0 };
	struct json *copy;

	utf8_repair(json_str(json), json_str_len(json), &text);
	copy = json_new_str_len(text.data, text.len);
	buf_fini(&text);
	return copy;
}

static struct json *
repaired_array(const struct json *json)
{
	struct json *copy = json_new_array();

	for (size_t i = 0; i < json_count(json); i++)
		json_append(copy, repaired(json_at(json, i)));
	return copy;
}

static struct json *
repaired_object(const struct json *json)
{
	struct json *copy = json_new_object();

	for (struct json_iter it = json_iter(json); json_next(&it);)
		json_set_len(copy, it.key, it.key_len, repaired(it.value));
	return copy;
}

static struct json *
repaired(const struct json *json)
{
	switch (json_type(json)) {
	case JSON_STRING:
		return repaired_string(json);
	case JSON_ARRAY:
		return repaired_array(json);
	case JSON_OBJECT:
		return repaired_object(json);
	default:
		return json_copy(json);
	}
}

struct json *
json_storable(struct json *json, bool *changed)
{
	bool good = storable(json);
	struct json *copy;

	if (changed != NULL)
		*changed = !good;
	if (good)
		return json;
	copy = repaired(json);
	json_unref(&json);
	return copy;
}
