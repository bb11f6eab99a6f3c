/*
 * Memory that is freed all at once: for a compiled expression, and for one evaluation.
 * Knows no limits; who gives it sizes from outside counts them before.
 */
#ifndef LANG_ARENA_H
#define LANG_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

struct arena {
	char *at, *end; /* the free room of the current block */
	struct arena_block *blocks;
	size_t next_size;
};

/* first: memory of the caller's that is used before any is allocated; may be NULL. */
void arena_init(struct arena *arena, void *first, size_t size);
void arena_fini(struct arena *arena);
void *arena_alloc(struct arena *arena,
		  size_t size); /* aligned for anything, not zeroed */
void *arena_zalloc(struct arena *arena, size_t size);
/* A copy of len bytes and a NUL. */
char *arena_strndup(struct arena *arena, const char *text, size_t len);
/* Makes the bytes that were given out last longer, in place. false: they are not the
 * last, or there is no room behind them. */
bool arena_extend(struct arena *arena, const char *data, size_t len, size_t more);

#endif
