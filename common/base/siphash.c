/*
 * SipHash with one round per word and three at the end, after Aumasson and Bernstein:
 * for tables whose keys come from outside. Not a digest: for those see the layer
 * digest.
 */
#include "base/siphash.h"

#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"

struct state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t
rotl(uint64_t x, int bits)
{
	return (x << bits) | (x >> (64 - bits));
}

static inline void
sip_round(struct state *s)
{
	s->v0 += s->v1;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v2 = rotl(s->v2, 32);
}

static inline void
sip_word(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	s->v0 ^= word;
}

uint64_t
siphash(struct siphash_seed seed, const void *data, size_t len)
{
	struct state s = { seed.k0 ^ 0x736f6d6570736575, seed.k1 ^ 0x646f72616e646f6d,
			   seed.k0 ^ 0x6c7967656e657261, seed.k1 ^ 0x7465646279746573 };
	const unsigned char *at = data;
	size_t left = len;
	uint64_t word;

	for (; left >= 8; at += 8, left -= 8) {
		memcpy(&word, at, 8); /* little-endian machines only agree with the
				       * paper; elsewhere it is as good a hash */
		sip_word(&s, word);
	}
	word = (uint64_t)len << 56;
	for (size_t i = 0; i < left; i++)
		word |= (uint64_t)at[i] << (8 * i);
	sip_word(&s, word);
	s.v2 ^= 0xff;
	sip_round(&s);
	sip_round(&s);
	sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

struct siphash_seed
siphash_seed(void)
{
	static struct siphash_seed seed;
	static bool made;

	if (made)
		return seed;
	if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
		bug("the system gives no random bytes");
	made = true;
	return seed;
}
