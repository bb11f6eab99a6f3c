/*
 * A stack of keys with a hash table over it. Keys leave in the reverse order of their
 * coming, so taking one out of the open addressing needs no mark: it undoes the last
 * step. Hashed with a random seed, for the keys come from outside.
 */
#include "json/keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

struct key {
	uint64_t hash;
	size_t offset, len; /* in keys->text */
	size_t slot;
	unsigned depth;
};

void
keys_init(struct keys *keys)
{
	*keys = (struct keys){ 0 };
}

void
keys_fini(struct keys *keys)
{
	free(keys->list);
	free(keys->slots);
	buf_fini(&keys->text);
}

static void
put_slot(struct keys *keys, size_t position)
{
	size_t mask = 2 * keys->capacity - 1;
	size_t slot = keys->list[position].hash & mask;

	while (keys->slots[slot] != 0)
		slot = (slot + 1) & mask;
	keys->slots[slot] = (uint32_t)position + 1;
	keys->list[position].slot = slot;
}

static void
make_room(struct keys *keys)
{
	if (keys->capacity == 0)
		keys->seed = siphash_seed();
	keys->capacity = keys->capacity == 0 ? 32 : 2 * keys->capacity;
	keys->list = xrealloc(keys->list, keys->capacity, sizeof keys->list[0]);
	free(keys->slots);
	keys->slots = xcalloc(2 * keys->capacity, sizeof keys->slots[0]);
	for (size_t i = 0; i < keys->count; i++)
		put_slot(keys, i);
}

static bool
has(const struct keys *keys, const struct key *key, const char *text)
{
	size_t mask = 2 * keys->capacity - 1;
	const struct key *other;

	for (size_t slot = key->hash & mask; keys->slots[slot] != 0;
	     slot = (slot + 1) & mask) {
		other = &keys->list[keys->slots[slot] - 1];
		if (other->hash == key->hash && other->depth == key->depth &&
		    other->len == key->len &&
		    (key->len == 0 ||
		     memcmp(keys->text.data + other->offset, text, key->len) == 0))
			return true;
	}
	return false;
}

bool
keys_add(struct keys *keys, unsigned depth, const char *text, size_t len)
{
	struct key key = { .offset = keys->text.len, .len = len, .depth = depth };

	if (keys->count == keys->capacity)
		make_room(keys);
	key.hash =
	    siphash(keys->seed, text, len) + depth * UINT64_C(0x9e3779b97f4a7c15);
	if (has(keys, &key, text))
		return false;
	buf_add(&keys->text, text, len);
	keys->list[keys->count] = key;
	put_slot(keys, keys->count);
	keys->count++;
	return true;
}

void
keys_drop(struct keys *keys, size_t count)
{
	while (keys->count > count) {
		keys->count--;
		keys->slots[keys->list[keys->count].slot] = 0;
		keys->text.len = keys->list[keys->count].offset;
	}
}
