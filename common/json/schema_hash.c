/*
 * Keyed hashes (SipHash), so that nobody outside can make many values collide. Members
 * are added up, since their order means nothing; 1 and 1.0 hash the same.
 */
#include "json/schema_hash.h"

#include <stdlib.h>
#include <string.h>

#include "base/siphash.h"
#include "base/xalloc.h"

struct block {
	uint64_t kind, a, b;
};

static uint64_t
mix(enum json_type kind, uint64_t a, uint64_t b)
{
	struct block block = { (uint64_t)kind, a, b };

	return siphash(siphash_seed(), &block, sizeof block);
}

static uint64_t
hash_text(const char *text, size_t len)
{
	return siphash(siphash_seed(), text, len);
}

static uint64_t
hash_number(const struct json *json)
{
	double number = json_double(json);
	uint64_t bits;

	if (json_type(json) == JSON_INT ||
	    (number >= -0x1p63 && number < 0x1p63 && (double)(int64_t)number == number))
		return mix(JSON_INT, (uint64_t)json_int(json), 0);
	memcpy(&bits, &number, sizeof bits);
	return mix(JSON_DOUBLE, bits, 0);
}

static uint64_t
hash_array(const struct json *json, int64_t *work)
{
	uint64_t hash = json_count(json);

	for (size_t i = 0; i < json_count(json) && *work > 0; i++)
		hash = mix(JSON_ARRAY, hash, schema_hash(json_at(json, i), work));
	return mix(JSON_ARRAY, hash, 1);
}

static uint64_t
hash_object(const struct json *json, int64_t *work)
{
	uint64_t hash = json_count(json);

	for (struct json_iter it = json_iter(json); *work > 0 && json_next(&it);) {
		*work -= (int64_t)it.key_len / 64;
		hash += mix(JSON_OBJECT, hash_text(it.key, it.key_len),
			    schema_hash(it.value, work));
	}
	return mix(JSON_OBJECT, hash, 1);
}

uint64_t
schema_hash(const struct json *json, int64_t *work)
{
	*work -= 1 + (int64_t)json_str_len(json) / 64;
	switch (json_type(json)) {
	case JSON_INT:
	case JSON_DOUBLE:
		return hash_number(json);
	case JSON_BOOL:
		return mix(JSON_BOOL, json_bool(json), 0);
	case JSON_STRING:
		return mix(JSON_STRING, hash_text(json_str(json), json_str_len(json)),
			   0);
	case JSON_ARRAY:
		return hash_array(json, work);
	case JSON_OBJECT:
		return hash_object(json, work);
	default:
		return mix(JSON_NULL, 0, 0);
	}
}

static int
compare(const void *a, const void *b)
{
	const struct hashed *left = a, *right = b;

	if (left->hash != right->hash)
		return left->hash < right->hash ? -1 : 1;
	return (left->index > right->index) - (left->index < right->index);
}

struct hashed *
schema_hash_items(const struct json *array, int64_t *work)
{
	size_t count = json_count(array);
	struct hashed *items = xcalloc(count + 1, sizeof *items);

	for (size_t i = 0; i<count && * work> 0; i++)
		items[i] = (struct hashed){ schema_hash(json_at(array, i), work), i };
	qsort(items, count, sizeof *items, compare);
	return items;
}

/* The first item with this hash or a greater one. */
static size_t
lower_bound(const struct hashed *items, size_t count, uint64_t hash)
{
	size_t low = 0, high = count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (items[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool
schema_hash_has(const struct json *array, const struct hashed *items,
		const struct json *value, int64_t *work)
{
	size_t count = json_count(array);
	uint64_t hash = schema_hash(value, work);

	for (size_t i = lower_bound(items, count, hash);
	     i < count && items[i].hash == hash; i++)
		if (json_equal(json_at(array, items[i].index), value))
			return true;
	return false;
}

bool
schema_hash_twins(const struct json *array, const struct hashed *items, size_t *first,
		  size_t *second)
{
	size_t count = json_count(array);

	for (size_t i = 1; i < count; i++) {
		if (items[i - 1].hash != items[i].hash ||
		    !json_equal(json_at(array, items[i - 1].index),
				json_at(array, items[i].index)))
			continue;
		*first = items[i - 1].index;
		*second = items[i].index;
		return true;
	}
	return false;
}
