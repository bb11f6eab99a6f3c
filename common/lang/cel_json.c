/* Values back to JSON, with the size of what is made bounded. */
#include "lang/cel_json.h"

#include <math.h>
#include <string.h>

#include "lang/cel_text.h"

struct writer {
	struct cel_run *run;
	struct cel_value wrong;
};

static bool write_value(struct writer *writer, const struct cel_value *value, int depth,
			struct json **out);

static bool
refuse(struct writer *writer, struct cel_value wrong)
{
	writer->wrong = wrong;
	return false;
}

static bool
spend(struct writer *writer, size_t amount)
{
	return cel_spend(writer->run, amount) || refuse(writer, cel_spent(writer->run));
}

/* What is referred to more than once is written more than once: so it counts. */
static bool
weigh(struct writer *writer, struct json *json, int depth)
{
	struct cel_value value = cel_from_json(json);

	if (!spend(writer, 3 + (value.kind == CEL_STRING ? value.text.len / 16 : 0)))
		return false;
	if (value.kind != CEL_LIST && value.kind != CEL_MAP)
		return true;
	if (depth >= JSON_DEPTH_MAX)
		return refuse(writer,
			      cel_fail(writer->run, "the result nests deeper than %d",
				       JSON_DEPTH_MAX));
	for (struct cel_iter it = cel_iter(&value); cel_next(&it);)
		if (!weigh(writer, it.value.json, depth + 1))
			return false;
	return true;
}

static bool
write_list(struct writer *writer, const struct cel_value *list, int depth,
	   struct json *array)
{
	struct json *item;

	for (size_t i = 0; i < list->items.count; i++) {
		if (!write_value(writer, &list->items.at[i], depth, &item))
			return false;
		json_append(array, item);
	}
	return true;
}

static bool
write_map(struct writer *writer, const struct cel_value *map, int depth,
	  struct json *object)
{
	char room[CEL_SCALAR_TEXT], *key;
	const char *text;
	struct json *item;
	size_t len;

	for (size_t i = 0; i < map->items.count; i++) {
		text = cel_scalar_text(&map->items.at[2 * i], room, &len);
		key = cel_alloc(writer->run, len + 1);
		if (key == NULL)
			return refuse(writer, cel_spent(writer->run));
		memcpy(key, text, len);
		key[len] = '\0';
		if (strlen(key) != len || json_has(object, key))
			return refuse(
			    writer,
			    cel_fail(writer->run,
				     "the key \"%.60s\" cannot stand in JSON, or "
				     "stands there twice",
				     key));
		if (!write_value(writer, &map->items.at[2 * i + 1], depth, &item))
			return false;
		json_set(object, key, item);
	}
	return true;
}

static bool
write_holder(struct writer *writer, const struct cel_value *value, int depth,
	     struct json **out)
{
	bool list = value->kind == CEL_LIST, good;

	if (depth >= JSON_DEPTH_MAX)
		return refuse(writer,
			      cel_fail(writer->run, "the result nests deeper than %d",
				       JSON_DEPTH_MAX));
	*out = list ? json_new_array() : json_new_object();
	good = list ? write_list(writer, value, depth + 1, *out)
		    : write_map(writer, value, depth + 1, *out);
	if (!good)
		json_unref(out);
	return good;
}

static struct json *
scalar(const struct cel_value *value)
{
	char room[CEL_SCALAR_TEXT];
	const char *text;
	size_t len;

	switch (value->kind) {
	case CEL_NULL:
		return NULL;
	case CEL_BOOL:
		return json_new_bool(value->truth);
	case CEL_INT:
		return json_new_int(value->integer);
	case CEL_UINT:
		if (value->natural <= INT64_MAX)
			return json_new_int((int64_t)value->natural);
		break;
	case CEL_DOUBLE:
		if (isfinite(value->real))
			return json_new_double(value->real);
		break;
	default:
		break;
	}
	text = cel_scalar_text(value, room, &len);
	return json_new_str_len(text, len);
}

static struct json *
bytes(const struct cel_value *value)
{
	struct buf text = { 0 };
	struct json *json;

	cel_base64(value->text.data, value->text.len, &text);
	json = json_new_str_len(buf_text(&text), text.len);
	buf_fini(&text);
	return json;
}

static bool
write_value(struct writer *writer, const struct cel_value *value, int depth,
	    struct json **out)
{
	bool text = value->kind == CEL_STRING || value->kind == CEL_BYTES;

	*out = NULL;
	if (value->json != NULL) {
		if (!weigh(writer, value->json, depth))
			return false;
		*out = json_ref(value->json);
		return true;
	}
	if (!spend(writer, 2 + (text ? value->text.len / 16 : 0)))
		return false;
	if (value->kind == CEL_LIST || value->kind == CEL_MAP)
		return write_holder(writer, value, depth, out);
	*out = value->kind == CEL_BYTES ? bytes(value) : scalar(value);
	return true;
}

struct cel_value
cel_to_json(struct cel_run *run, const struct cel_value *value, struct json **out)
{
	struct writer writer = { .run = run };

	if (value->json != NULL) {
		*out = json_ref(value->json);
		return cel_null();
	}
	return write_value(&writer, value, 0, out) ? cel_null() : writer.wrong;
}

int
cel_json_depth(const struct json *json, int most)
{
	struct cel_value value = cel_from_json((struct json *)json);
	int deepest = 0, depth;

	if ((value.kind != CEL_LIST && value.kind != CEL_MAP) || most == 0)
		return 0;
	for (struct cel_iter it = cel_iter(&value); cel_next(&it);) {
		depth = cel_json_depth(it.value.json, most - 1);
		if (depth > deepest)
			deepest = depth;
	}
	return deepest + 1;
}
