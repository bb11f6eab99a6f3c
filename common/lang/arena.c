/* Bump allocation in blocks that double in size. */
#include "lang/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define ALIGN       16
#define BLOCK_LEAST 4096
#define BLOCK_MOST  ((size_t)1 << 20)

struct arena_block {
	struct arena_block *next;
	char pad[ALIGN - sizeof(struct arena_block *)];
};

void
arena_init(struct arena *arena, void *first, size_t size)
{
	*arena = (struct arena){ .next_size = BLOCK_LEAST };
	if (first != NULL) {
		arena->at = first;
		arena->end = arena->at + size;
	}
}

void
arena_fini(struct arena *arena)
{
	struct arena_block *block = arena->blocks, *next;

	for (; block != NULL; block = next) {
		next = block->next;
		free(block);
	}
	arena_init(arena, NULL, 0);
}

static void *
from_new_block(struct arena *arena, size_t size)
{
	size_t room = size > arena->next_size ? size : arena->next_size;
	struct arena_block *block = xmalloc(sizeof *block + room);

	block->next = arena->blocks;
	arena->blocks = block;
	arena->at = (char *)(block + 1) + size;
	arena->end = (char *)(block + 1) + room;
	if (arena->next_size < BLOCK_MOST)
		arena->next_size *= 2;
	return block + 1;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	size_t pad = (size_t)(-(uintptr_t)arena->at) % ALIGN;
	char *start;

	if (arena->at == NULL || (size_t)(arena->end - arena->at) < pad ||
	    (size_t)(arena->end - arena->at) - pad < size)
		return from_new_block(arena, size);
	start = arena->at + pad;
	arena->at = start + size;
	return start;
}

void *
arena_zalloc(struct arena *arena, size_t size)
{
	return memset(arena_alloc(arena, size), 0, size);
}

char *
arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

bool
arena_extend(struct arena *arena, const char *data, size_t len, size_t more)
{
	if (arena->at != data + len || (size_t)(arena->end - arena->at) < more)
		return false;
	arena->at += more;
	return true;
}
