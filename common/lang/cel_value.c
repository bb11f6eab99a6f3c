/* CEL's values over JSON and over arrays of their own. */
#include "lang/cel_value.h"

#include <string.h>

#include "lang/cel_compare.h"

static const struct {
	const char *type, *kind;
} names[CEL_KINDS] = {
	[CEL_ERROR] = { "error", "error" },
	[CEL_NULL] = { "null_type", "null" },
	[CEL_BOOL] = { "bool", "bool" },
	[CEL_INT] = { "int", "int" },
	[CEL_UINT] = { "uint", "uint" },
	[CEL_DOUBLE] = { "double", "double" },
	[CEL_STRING] = { "string", "string" },
	[CEL_BYTES] = { "bytes", "bytes" },
	[CEL_LIST] = { "list", "list" },
	[CEL_MAP] = { "map", "map" },
	[CEL_TIMESTAMP] = { "google.protobuf.Timestamp", "timestamp" },
	[CEL_DURATION] = { "google.protobuf.Duration", "duration" },
	[CEL_TYPE] = { "type", "type" },
};

const char *
cel_type_name(enum cel_kind kind)
{
	return names[kind].type;
}

const char *
cel_kind_name(enum cel_kind kind)
{
	return names[kind].kind;
}

bool
cel_type_named(const char *name, enum cel_kind *kind)
{
	for (*kind = CEL_NULL; *kind < CEL_KINDS; (*kind)++)
		if (strcmp(names[*kind].type, name) == 0)
			return true;
	return false;
}

struct cel_value
cel_from_json(struct json *json)
{
	struct cel_value value = { .json = json };

	switch (json_type(json)) {
	case JSON_BOOL:
		value.kind = CEL_BOOL;
		value.truth = json_bool(json);
		return value;
	case JSON_INT:
		value.kind = CEL_INT;
		value.integer = json_int(json);
		return value;
	case JSON_DOUBLE:
		value.kind = CEL_DOUBLE;
		value.real = json_double(json);
		return value;
	case JSON_STRING:
		value.kind = CEL_STRING;
		value.text = (struct cel_text){ json_str(json), json_str_len(json) };
		return value;
	case JSON_ARRAY:
		value.kind = CEL_LIST;
		return value;
	case JSON_OBJECT:
		value.kind = CEL_MAP;
		return value;
	default:
		value.kind = CEL_NULL;
		return value;
	}
}

size_t
cel_count(const struct cel_value *holder)
{
	return holder->json != NULL ? json_count(holder->json) : holder->items.count;
}

struct cel_value
cel_list_at(const struct cel_value *list, size_t index)
{
	if (list->json != NULL)
		return cel_from_json(json_at(list->json, index));
	return list->items.at[index];
}

bool
cel_map_member(const struct cel_value *map, const char *name, size_t len,
	       struct cel_value *out)
{
	struct cel_value key = cel_text(CEL_STRING, name, len);
	struct json *found;

	if (map->json == NULL)
		return cel_map_get(map, &key, out);
	if (strlen(name) != len)
		return false;
	found = json_get(map->json, name);
	if (found == NULL && !json_has(map->json, name))
		return false;
	*out = cel_from_json(found);
	return true;
}

static bool
json_key(const struct json *json, const struct cel_value *key, struct cel_value *out)
{
	struct json *found;

	if (key->kind != CEL_STRING)
		return false;
	found = json_get_len(json, key->text.data, key->text.len);
	if (found == NULL && !json_has_len(json, key->text.data, key->text.len))
		return false;
	*out = cel_from_json(found);
	return true;
}

bool
cel_map_get(const struct cel_value *map, const struct cel_value *key,
	    struct cel_value *out)
{
	if (map->json != NULL)
		return json_key(map->json, key, out);
	for (size_t i = 0; i < map->items.count; i++)
		if (cel_scalar_equal(&map->items.at[2 * i], key)) {
			*out = map->items.at[2 * i + 1];
			return true;
		}
	return false;
}

struct cel_iter
cel_iter(const struct cel_value *holder)
{
	struct cel_iter it = { .holder = holder };

	if (holder->kind == CEL_MAP && holder->json != NULL)
		it.members = json_iter(holder->json);
	return it;
}

static bool
next_member(struct cel_iter *it)
{
	if (!json_next(&it->members))
		return false;
	it->key = cel_text(CEL_STRING, it->members.key, it->members.key_len);
	it->value = cel_from_json(it->members.value);
	return true;
}

bool
cel_next(struct cel_iter *it)
{
	const struct cel_value *holder = it->holder;

	if (holder->kind == CEL_MAP && holder->json != NULL)
		return next_member(it);
	if (it->at == cel_count(holder))
		return false;
	if (holder->kind == CEL_MAP) {
		it->key = holder->items.at[2 * it->at];
		it->value = holder->items.at[2 * it->at + 1];
	} else {
		it->key = cel_int((int64_t)it->at);
		it->value = cel_list_at(holder, it->at);
	}
	it->at++;
	return true;
}
