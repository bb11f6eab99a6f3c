/*
 * A binary heap of links that stand in the things themselves, so that one in the middle
 * is moved or removed in logarithmic time. Equal times come out in no particular order.
 */
#include "base/heap.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/xalloc.h"

static void
place(struct heap *heap, struct heap_link *link, size_t at)
{
	heap->links[at] = link;
	link->index = at + 1;
}

static void
sift_up(struct heap *heap, size_t at)
{
	struct heap_link *link = heap->links[at];
	size_t parent;

	while (at > 0) {
		parent = (at - 1) / 2;
		if (heap->links[parent]->at <= link->at)
			break;
		place(heap, heap->links[parent], at);
		at = parent;
	}
	place(heap, link, at);
}

static void
sift_down(struct heap *heap, size_t at)
{
	struct heap_link *link = heap->links[at];
	size_t child;

	while ((child = 2 * at + 1) < heap->count) {
		if (child + 1 < heap->count &&
		    heap->links[child + 1]->at < heap->links[child]->at)
			child++;
		if (link->at <= heap->links[child]->at)
			break;
		place(heap, heap->links[child], at);
		at = child;
	}
	place(heap, link, at);
}

void
heap_push(struct heap *heap, struct heap_link *link, usec_t at)
{
	if (link->index != 0)
		bug("a link is pushed into a heap twice");
	if (heap->count == heap->capacity) {
		heap->capacity = heap->capacity == 0 ? 16 : 2 * heap->capacity;
		heap->links =
		    xrealloc(heap->links, heap->capacity, sizeof heap->links[0]);
	}
	link->at = at;
	heap->links[heap->count++] = link;
	sift_up(heap, heap->count - 1);
}

void
heap_move(struct heap *heap, struct heap_link *link, usec_t at)
{
	usec_t before = link->at;

	if (link->index == 0) {
		heap_push(heap, link, at);
		return;
	}
	link->at = at;
	if (at < before)
		sift_up(heap, link->index - 1);
	else
		sift_down(heap, link->index - 1);
}

void
heap_remove(struct heap *heap, struct heap_link *link)
{
	size_t at = link->index - 1;
	struct heap_link *last;

	if (link->index == 0)
		return;
	link->index = 0;
	last = heap->links[--heap->count];
	if (last == link)
		return;
	place(heap, last, at);
	sift_up(heap, at);
	sift_down(heap, last->index - 1);
}

struct heap_link *
heap_top(const struct heap *heap)
{
	return heap->count > 0 ? heap->links[0] : NULL;
}

void
heap_fini(struct heap *heap)
{
	for (size_t i = 0; i < heap->count; i++)
		heap->links[i]->index = 0;
	free(heap->links);
	*heap = (struct heap){ 0 };
}
