/* An intrusive binary heap by time: the earliest on top. For timers by the thousand. */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/usec.h"

struct heap_link {
	usec_t at;
	size_t index; /* place in the heap, plus one; 0 when in none */
};

struct heap {
	struct heap_link **links;
	size_t count, capacity;
};

void heap_push(struct heap *heap, struct heap_link *link, usec_t at);
void heap_move(struct heap *heap, struct heap_link *link, usec_t at); /* or pushes */
void heap_remove(struct heap *heap, struct heap_link *link); /* nothing when in none */
struct heap_link *heap_top(const struct heap *heap);         /* or NULL */
void heap_fini(struct heap *heap);

#endif
