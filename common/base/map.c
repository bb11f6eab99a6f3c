/*
 * A hash map in two parts: the entries in order of insertion, and an open-addressing
 * index into them. A removed entry leaves a hole, so that a walk over the map stays
 * valid; holes go when the entries have to grow. Not for iteration while new keys are
 * put.
 */
#include "base/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/siphash.h"
#include "base/xalloc.h"

#define EMPTY   0u /* index values are positions plus one */
#define REMOVED UINT32_MAX

struct entry {
	char *key; /* NULL: a hole */
	size_t len;
	uint64_t hash;
	void *value;
};

struct map {
	struct siphash_seed seed;
	struct entry *entries;
	size_t used;  /* entries with holes */
	size_t count; /* without */
	size_t capacity;
	uint32_t *index; /* 2 * capacity places, a power of two */
};

struct map *
map_new(void)
{
	struct map *map = xcalloc(1, sizeof *map);

	map->seed = siphash_seed();
	return map;
}

void
map_free(struct map **map_p, map_free_fn *free_value)
{
	struct map *map = *map_p;

	*map_p = NULL;
	if (map == NULL)
		return;
	for (size_t i = 0; i < map->used; i++) {
		if (map->entries[i].key != NULL && free_value != NULL)
			free_value(map->entries[i].value);
		free(map->entries[i].key);
	}
	free(map->entries);
	free(map->index);
	free(map);
}

size_t
map_count(const struct map *map)
{
	return map->count;
}

/* The place in the index where the key stands, or NULL. */
static uint32_t *
find(const struct map *map, const void *key, size_t len, uint64_t hash)
{
	size_t mask = 2 * map->capacity - 1;
	const struct entry *entry;

	if (map->count == 0)
		return NULL;
	for (size_t at = hash & mask; map->index[at] != EMPTY; at = (at + 1) & mask) {
		if (map->index[at] == REMOVED)
			continue;
		entry = &map->entries[map->index[at] - 1];
		if (entry->hash == hash && entry->len == len &&
		    (len == 0 || memcmp(entry->key, key, len) == 0))
			return &map->index[at];
	}
	return NULL;
}

static void
index_entry(struct map *map, size_t position)
{
	size_t mask = 2 * map->capacity - 1;
	size_t at = map->entries[position].hash & mask;

	while (map->index[at] != EMPTY)
		at = (at + 1) & mask;
	map->index[at] = (uint32_t)position + 1;
}

/* Makes room for one more entry; closes the holes. */
static void
make_room(struct map *map)
{
	size_t kept = 0, capacity = map->capacity;

	for (size_t i = 0; i < map->used; i++)
		if (map->entries[i].key != NULL)
			map->entries[kept++] = map->entries[i];
	map->used = kept;
	if (kept >= capacity - capacity / 4)
		capacity = capacity == 0 ? 8 : 2 * capacity;
	if (capacity > UINT32_MAX / 4)
		bug("a map of %zu entries", map->count);
	map->entries = xrealloc(map->entries, capacity, sizeof *map->entries);
	free(map->index);
	map->index = xcalloc(2 * capacity, sizeof *map->index);
	map->capacity = capacity;
	for (size_t i = 0; i < map->used; i++)
		index_entry(map, i);
}

void *
map_get(const struct map *map, const void *key, size_t len)
{
	uint32_t *place = find(map, key, len, siphash(map->seed, key, len));

	return place == NULL ? NULL : map->entries[*place - 1].value;
}

void *
map_put(struct map *map, const void *key, size_t len, void *value)
{
	uint64_t hash = siphash(map->seed, key, len);
	uint32_t *place = find(map, key, len, hash);
	void *before;

	if (value == NULL)
		bug("NULL put into a map");
	if (place != NULL) {
		before = map->entries[*place - 1].value;
		map->entries[*place - 1].value = value;
		return before;
	}
	if (map->used == map->capacity)
		make_room(map);
	map->entries[map->used] = (struct entry){
		.key = xstrndup(key, len), .len = len, .hash = hash, .value = value
	};
	index_entry(map, map->used);
	map->used++;
	map->count++;
	return NULL;
}

void *
map_remove(struct map *map, const void *key, size_t len)
{
	uint32_t *place = find(map, key, len, siphash(map->seed, key, len));
	struct entry *entry;

	if (place == NULL)
		return NULL;
	entry = &map->entries[*place - 1];
	*place = REMOVED;
	free(entry->key);
	entry->key = NULL;
	map->count--;
	return entry->value;
}

bool
map_next(const struct map *map, size_t *cursor, const void **key, size_t *len,
	 void **value)
{
	const struct entry *entry;

	while (*cursor < map->used) {
		entry = &map->entries[(*cursor)++];
		if (entry->key == NULL)
			continue;
		if (key != NULL)
			*key = entry->key;
		if (len != NULL)
			*len = entry->len;
		if (value != NULL)
			*value = entry->value;
		return true;
	}
	return false;
}
