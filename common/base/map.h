/*
 * A hash map from byte strings to pointers. Keys are copied; values are the caller's.
 * Keys may come from outside: the hash is keyed with a random seed (SipHash-1-3).
 * Iteration is in order of insertion.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

struct map;
typedef void map_free_fn(void *value);

struct map *map_new(void);
void map_free(struct map **map_p, map_free_fn *free_value /* or NULL */);
size_t map_count(const struct map *map);
void *map_get(const struct map *map, const void *key, size_t len); /* or NULL */
/* Returns the value that stood there before, or NULL. value may not be NULL. */
void *map_put(struct map *map, const void *key, size_t len, void *value);
void *map_remove(struct map *map, const void *key, size_t len);
/* cursor starts at 0; false at the end. The current entry may be removed meanwhile. */
bool map_next(const struct map *map, size_t *cursor, const void **key, size_t *len,
	      void **value);

#endif
