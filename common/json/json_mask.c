/* Secrets in a value: in strings, keys and numbers. Nothing is copied where there is
 * none. */
#include <stdlib.h>

#include "json/json.h"

/* What each kind of value becomes; NULL: it stays as it is. */
static struct json *changed(const struct json *json, const struct mask *mask);

static struct json *
changed_string(const struct json *json, const struct mask *mask)
{
	const char *text = json_str(json);
	size_t len = json_str_len(json);
	struct buf masked = { 0 };
	struct json *made;

	if (!mask_finds(mask, text, len))
		return NULL;
	mask_text(mask, text, len, &masked);
	made = json_new_str_len(buf_text(&masked), masked.len);
	buf_fini(&masked);
	return made;
}

static struct json *
changed_number(const struct json *json, const struct mask *mask)
{
	struct buf text = { 0 };
	struct json *made = NULL;

	if (!mask_has_number(mask))
		return NULL;
	json_write(json, &text);
	if (mask_finds(mask, buf_text(&text), text.len))
		made = json_new_str("***");
	buf_fini(&text);
	return made;
}

static struct json *
changed_array(const struct json *json, const struct mask *mask)
{
	size_t count = json_count(json);
	struct json *made = NULL, *item;

	for (size_t i = 0; i < count; i++) {
		item = changed(json_at(json, i), mask);
		if (item != NULL && made == NULL) {
			made = json_new_array();
			for (size_t before = 0; before < i; before++)
				json_append(made, json_ref(json_at(json, before)));
		}
		if (made != NULL)
			json_append(made,
				    item != NULL ? item : json_ref(json_at(json, i)));
	}
	return made;
}

/* Takes value. */
static void
set_masked(struct json *object, const struct json_iter *it, struct json *value,
	   const struct mask *mask)
{
	struct buf key = { 0 };

	mask_text(mask, it->key, it->key_len, &key);
	json_set_len(object, buf_text(&key), key.len, value);
	buf_fini(&key);
}

static bool
is_touched(const struct json *object, const struct mask *mask)
{
	struct json *made;

	for (struct json_iter it = json_iter(object); json_next(&it);) {
		if (mask_finds(mask, it.key, it.key_len))
			return true;
		made = changed(it.value, mask);
		if (made == NULL)
			continue;
		json_unref(&made);
		return true;
	}
	return false;
}

static struct json *
changed_object(const struct json *json, const struct mask *mask)
{
	struct json *made, *value;

	if (!is_touched(json, mask))
		return NULL;
	made = json_new_object();
	for (struct json_iter it = json_iter(json); json_next(&it);) {
		value = changed(it.value, mask);
		set_masked(made, &it, value != NULL ? value : json_ref(it.value), mask);
	}
	return made;
}

static struct json *
changed(const struct json *json, const struct mask *mask)
{
	switch (json_type(json)) {
	case JSON_STRING:
		return changed_string(json, mask);
	case JSON_INT:
	case JSON_DOUBLE:
		return changed_number(json, mask);
	case JSON_ARRAY:
		return changed_array(json, mask);
	case JSON_OBJECT:
		return changed_object(json, mask);
	default:
		return NULL;
	}
}

struct json *
json_masked(struct json *json, const struct mask *mask)
{
	struct json *made = mask_is_empty(mask) ? NULL : changed(json, mask);

	if (made == NULL)
		return json;
	json_unref(&json);
	return made;
}
