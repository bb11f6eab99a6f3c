/* The keys of the objects that are open while a document is scanned: finds the second
 * of two equal ones. Not for anything that outlives a scan. */
#ifndef JSON_KEYS_H
#define JSON_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/siphash.h"

struct keys {
	struct siphash_seed seed;
	struct key *list; /* in order of coming; those of inner objects behind */
	size_t count, capacity;
	uint32_t *slots; /* positions in list plus one; 2 * capacity places */
	struct buf text; /* of all keys */
};

void keys_init(struct keys *keys);
void keys_fini(struct keys *keys);
/* False when the object open at this depth has the key already. */
bool keys_add(struct keys *keys, unsigned depth, const char *text, size_t len);
/* The innermost object ended: forgets all keys but the first count. */
void keys_drop(struct keys *keys, size_t count);

#endif
