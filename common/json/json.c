/*
 * JSON values: life, reading, building. Values are json-c's; nobody outside this folder
 * sees that.
 *
 * What json-c does not do well is done around it: json_check.c refuses what its parser
 * would let through, json_write.c writes, and keys, which json-c keeps as C strings,
 * never hold a NUL (it becomes U+FFFD). Integers beyond int64 are doubles.
 */
#include "json/json.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/xalloc.h"
#include "json/door.h"

#define SHORT_KEY 128

static struct json *
made(struct json_object *object)
{
	if (object == NULL)
		bug("out of memory for a JSON value");
	return from_c(object);
}

struct json *
json_ref(struct json *json)
{
	return from_c(json_object_get(to_c(json)));
}

void
json_unref(struct json **json_p)
{
	struct json *json = *json_p;

	*json_p = NULL;
	json_object_put(to_c(json));
}

struct json *
json_copy(const struct json *json)
{
	struct json_object *copy = NULL;

	if (json != NULL && json_object_deep_copy(to_c(json), &copy, NULL) < 0)
		bug("a JSON value cannot be copied");
	return from_c(copy);
}

enum json_type
json_type(const struct json *json)
{
	static const enum json_type types[] = {
		[json_type_null] = JSON_NULL,     [json_type_boolean] = JSON_BOOL,
		[json_type_double] = JSON_DOUBLE, [json_type_int] = JSON_INT,
		[json_type_object] = JSON_OBJECT, [json_type_array] = JSON_ARRAY,
		[json_type_string] = JSON_STRING,
	};

	return types[json_object_get_type(to_c(json))];
}

const char *
json_type_name(enum json_type type)
{
	static const char *const names[JSON_TYPES] = {
		[JSON_NULL] = "null",     [JSON_BOOL] = "boolean",
		[JSON_INT] = "number",    [JSON_DOUBLE] = "number",
		[JSON_STRING] = "string", [JSON_ARRAY] = "array",
		[JSON_OBJECT] = "object",
	};

	return (unsigned)type < JSON_TYPES ? names[type] : "unknown";
}

bool
json_bool(const struct json *json)
{
	return json_type(json) == JSON_BOOL && json_object_get_boolean(to_c(json));
}

int64_t
json_int(const struct json *json)
{
	double number;

	if (json_type(json) == JSON_INT)
		return json_object_get_int64(to_c(json));
	if (json_type(json) != JSON_DOUBLE)
		return 0;
	number = json_object_get_double(to_c(json));
	if (number >= 0x1p63)
		return INT64_MAX;
	if (number <= -0x1p63)
		return INT64_MIN;
	return isnan(number) ? 0 : (int64_t)number;
}

double
json_double(const struct json *json)
{
	if (json_type(json) == JSON_INT)
		return (double)json_object_get_int64(to_c(json));
	if (json_type(json) == JSON_DOUBLE)
		return json_object_get_double(to_c(json));
	return 0.0;
}

const char *
json_str(const struct json *json)
{
	if (json_type(json) != JSON_STRING)
		return NULL;
	return json_object_get_string(to_c(json));
}

size_t
json_str_len(const struct json *json)
{
	if (json_type(json) != JSON_STRING)
		return 0;
	return (size_t)json_object_get_string_len(to_c(json));
}

size_t
json_count(const struct json *json)
{
	if (json_type(json) == JSON_ARRAY)
		return json_object_array_length(to_c(json));
	if (json_type(json) == JSON_OBJECT)
		return (size_t)json_object_object_length(to_c(json));
	return 0;
}

struct json *
json_at(const struct json *array, size_t index)
{
	if (json_type(array) != JSON_ARRAY)
		return NULL;
	return from_c(json_object_array_get_idx(to_c(array), index));
}

static bool
lookup(const struct json *object, const char *key, struct json_object **value)
{
	*value = NULL;
	return json_type(object) == JSON_OBJECT &&
	       json_object_object_get_ex(to_c(object), key, value);
}

static bool
lookup_len(const struct json *object, const char *key, size_t len,
	   struct json_object **value)
{
	char shorts[SHORT_KEY];
	char *text = shorts;
	bool found;

	*value = NULL;
	if (len > 0 && memchr(key, '\0', len) != NULL)
		return false;
	if (len >= sizeof shorts)
		text = xmalloc(len + 1);
	if (len > 0)
		memcpy(text, key, len);
	text[len] = '\0';
	found = lookup(object, text, value);
	if (text != shorts)
		free(text);
	return found;
}

struct json *
json_get(const struct json *object, const char *key)
{
	struct json_object *value;

	lookup(object, key, &value);
	return from_c(value);
}

struct json *
json_get_len(const struct json *object, const char *key, size_t len)
{
	struct json_object *value;

	lookup_len(object, key, len, &value);
	return from_c(value);
}

bool
json_has(const struct json *object, const char *key)
{
	struct json_object *value;

	return lookup(object, key, &value);
}

bool
json_has_len(const struct json *object, const char *key, size_t len)
{
	struct json_object *value;

	return lookup_len(object, key, len, &value);
}

struct json_iter
json_iter(const struct json *object)
{
	struct json_iter it = { 0 };

	if (json_type(object) == JSON_OBJECT)
		it.state = lh_table_head(json_object_get_object(to_c(object)));
	return it;
}

bool
json_next(struct json_iter *it)
{
	struct lh_entry *entry = it->state;

	if (entry == NULL)
		return false;
	it->key = lh_entry_k(entry);
	it->key_len = strlen(it->key);
	it->value = from_c(lh_entry_v(entry));
	it->state = lh_entry_next(entry); /* so that this one may be removed */
	return true;
}

struct json *
json_new_bool(bool value)
{
	return made(json_object_new_boolean(value));
}

struct json *
json_new_int(int64_t value)
{
	return made(json_object_new_int64(value));
}

struct json *
json_new_double(double value)
{
	return isfinite(value) ? made(json_object_new_double(value)) : NULL;
}

struct json *
json_new_str(const char *text)
{
	return text == NULL ? NULL : json_new_str_len(text, strlen(text));
}

struct json *
json_new_str_len(const char *text, size_t len)
{
	if (len >= INT_MAX)
		bug("a JSON string of %zu bytes", len);
	return made(json_object_new_string_len(len > 0 ? text : "", (int)len));
}

struct json *
json_new_array(void)
{
	return made(json_object_new_array());
}

struct json *
json_new_object(void)
{
	return made(json_object_new_object());
}

void
json_append(struct json *array, struct json *item)
{
	if (json_type(array) != JSON_ARRAY ||
	    json_object_array_add(to_c(array), to_c(item)) < 0)
		bug("a JSON item cannot be appended");
}

void
json_set(struct json *object, const char *key, struct json *value)
{
	if (json_type(object) != JSON_OBJECT ||
	    json_object_object_add(to_c(object), key, to_c(value)) < 0)
		bug("a JSON member cannot be set");
}

void
json_set_len(struct json *object, const char *key, size_t len, struct json *value)
{
	struct buf text = { 0 };

	utf8_repair(key, len, &text);
	json_set(object, buf_text(&text), value);
	buf_fini(&text);
}

void
json_remove(struct json *object, const char *key)
{
	if (json_type(object) == JSON_OBJECT)
		json_object_object_del(to_c(object), key);
}
