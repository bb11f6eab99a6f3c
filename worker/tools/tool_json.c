/* json.merge and json.pick: objects laid over one another, and parts of one. */
#include "actions/answer.h"
#include "base/xalloc.h"
#include "tools/tools.h"

/* The members of both, later ones first choice; objects are merged at every depth. The
 * result is the caller's; nothing that was given is changed. */
static struct json *
merge(struct json *under, struct json *over)
{
	struct json *result;

	if (json_type(under) != JSON_OBJECT || json_type(over) != JSON_OBJECT)
		return json_ref(over);
	result = json_new_object();
	for (struct json_iter it = json_iter(under); json_next(&it);)
		json_set(result, it.key,
			 json_has(over, it.key)
			     ? merge(it.value, json_get(over, it.key))
			     : json_ref(it.value));
	for (struct json_iter it = json_iter(over); json_next(&it);)
		if (!json_has(under, it.key))
			json_set(result, it.key, json_ref(it.value));
	return result;
}

static struct json *
merge_now(const struct attempt *attempt, struct err *err)
{
	const struct json *values = json_get(attempt->fields, "values");
	struct json *result = json_new_object(), *next;

	(void)err;
	for (size_t i = 0; i < json_count(values); i++) {
		next = merge(result, json_at(values, i));
		json_unref(&result);
		result = next;
	}
	return result;
}

static void
pick(const struct json *from, const struct json *key, struct json *into)
{
	const char *name = json_str(key);
	size_t len = json_str_len(key);

	if (json_has_len(from, name, len))
		json_set(into, name, json_ref(json_get_len(from, name, len)));
}

static struct json *
pick_now(const struct attempt *attempt, struct err *err)
{
	const struct json *from = json_get(attempt->fields, "from");
	const struct json *keys = json_get(attempt->fields, "keys");
	struct json *result = json_new_object();

	(void)err;
	if (json_type(keys) == JSON_STRING)
		pick(from, keys, result);
	for (size_t i = 0; json_type(keys) == JSON_ARRAY && i < json_count(keys); i++)
		pick(from, json_at(keys, i), result);
	return result;
}

const struct action tool_json_merge = { .name = "json.merge", .now = merge_now };
const struct action tool_json_pick = { .name = "json.pick", .now = pick_now };
