/* Pure: the bulk of JSON values. See bulk_core.h. */
#include "bulk_core.h"

#define BULK_EACH 6 /* a number, or quotes, commas and colons, are at most 36 bytes */

static void count(const struct json *json, size_t most, size_t *bulk);

static void
count_object(const struct json *json, size_t most, size_t *bulk)
{
	for (struct json_iter it = json_iter(json); *bulk <= most && json_next(&it);) {
		*bulk += it.key_len;
		count(it.value, most, bulk);
	}
}

static void
count_array(const struct json *json, size_t most, size_t *bulk)
{
	size_t items = json_count(json);

	for (size_t i = 0; *bulk <= most && i < items; i++)
		count(json_at((struct json *)json, i), most, bulk);
}

static void
count(const struct json *json, size_t most, size_t *bulk)
{
	*bulk += BULK_EACH;
	if (json_type(json) == JSON_STRING)
		*bulk += json_str_len(json);
	else if (json_type(json) == JSON_ARRAY)
		count_array(json, most, bulk);
	else if (json_type(json) == JSON_OBJECT)
		count_object(json, most, bulk);
}

size_t
bulk_of(const struct json *json, size_t most)
{
	size_t bulk = 0;

	count(json, most, &bulk);
	return bulk;
}
