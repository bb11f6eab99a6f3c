/* Hashes of values that are equal by json_equal exactly when the values are: for
 * finding equal ones among many. */
#ifndef JSON_SCHEMA_HASH_H
#define JSON_SCHEMA_HASH_H

#include <stdint.h>

#include "json/json.h"

struct hashed {
	uint64_t hash;
	size_t index; /* in the array */
};

/* Takes from *work what it costs; with nothing left the hash means nothing. */
uint64_t schema_hash(const struct json *json, int64_t *work);
/* The items of an array, sorted by hash, then place. The caller's. */
struct hashed *schema_hash_items(const struct json *array, int64_t *work);
/* Is a value equal to one of them? */
bool schema_hash_has(const struct json *array, const struct hashed *items,
		     const struct json *value, int64_t *work);
/* Two equal items, the first such pair by hash. */
bool schema_hash_twins(const struct json *array, const struct hashed *items,
		       size_t *first, size_t *second);

#endif
