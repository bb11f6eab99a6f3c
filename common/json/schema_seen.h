/* Which members or items of one value some keyword has looked at: what `unevaluated...`
 * goes by. By their places, in order of the value. */
#ifndef JSON_SCHEMA_SEEN_H
#define JSON_SCHEMA_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seen {
	bool all;
	uint64_t *bits;
	size_t words;
};

void schema_seen_add(struct seen *seen, size_t index);
bool schema_seen_has(const struct seen *seen, size_t index);
void schema_seen_merge(struct seen *into, const struct seen *from);
void schema_seen_fini(struct seen *seen);

#endif
