/* A set of places as bits, grown as needed. */
#include "json/schema_seen.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

static void
grow(struct seen *seen, size_t words)
{
	if (words <= seen->words)
		return;
	if (words < seen->words * 2)
		words = seen->words * 2;
	seen->bits = xrealloc(seen->bits, words, sizeof *seen->bits);
	memset(seen->bits + seen->words, 0, (words - seen->words) * sizeof *seen->bits);
	seen->words = words;
}

void
schema_seen_add(struct seen *seen, size_t index)
{
	if (seen->all)
		return;
	grow(seen, index / 64 + 1);
	seen->bits[index / 64] |= UINT64_C(1) << index % 64;
}

bool
schema_seen_has(const struct seen *seen, size_t index)
{
	if (seen->all)
		return true;
	return index / 64 < seen->words && (seen->bits[index / 64] >> index % 64 & 1);
}

void
schema_seen_merge(struct seen *into, const struct seen *from)
{
	into->all = into->all || from->all;
	if (into->all)
		return;
	grow(into, from->words);
	for (size_t i = 0; i < from->words; i++)
		into->bits[i] |= from->bits[i];
}

void
schema_seen_fini(struct seen *seen)
{
	free(seen->bits);
	*seen = (struct seen){ 0 };
}
