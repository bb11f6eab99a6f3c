/* What is looked for, between the two halves of mask.h: only they include it. */
#ifndef BASE_MASK_PRIV_H
#define BASE_MASK_PRIV_H

#include <stdint.h>

#include "base/mask.h"

#define MASK_PAIR_HEADS 4096
#define MASK_LEARNT_MAX 64
#define MASK_SECRET_MIN 4
/* A line of base64 is not broken before so many of its characters are a secret's: else
 * every line that ends in a letter would have to wait for the next one. */
#define MASK_WRAP_MIN 4

struct mask_pattern {
	char *text;
	size_t len;
	bool escapes; /* its bytes may be escaped */
	bool wraps;   /* it may be broken into lines: base64 */
	/* Place plus one of another with the same first byte, the same two bytes. */
	uint32_t next_first, next_pair;
};

struct mask_learnt {
	char *text; /* NULL: none */
	size_t len;
};

struct mask {
	struct mask_pattern *patterns; /* none is shorter than two bytes */
	size_t count;
	bool has_number;
	uint64_t pairs[1024]; /* a bit for each two bytes that a pattern, perhaps
				 escaped, can begin with */
	uint32_t by_first[256], by_pair[MASK_PAIR_HEADS]; /* place plus one */
	struct mask_learnt learnt[MASK_LEARNT_MAX];       /* a ring */
	size_t learnt_next;
};

static inline unsigned
mask_pair(const char *text)
{
	return (unsigned)(unsigned char)text[0] << 8 | (unsigned char)text[1];
}

static inline bool
mask_may_begin(const struct mask *mask, const char *text)
{
	unsigned pair = mask_pair(text);

	return (mask->pairs[pair / 64] >> (pair % 64) & 1) != 0;
}

static inline unsigned
mask_pair_head(const char *text)
{
	return (mask_pair(text) * 2654435761u) >> 20;
}

/* Appends text, masked; how much of it. With more to come it stops where a secret might
 * begin. */
size_t mask_add_masked(const struct mask *mask, const char *text, size_t len, bool more,
		       struct buf *out);

#endif
