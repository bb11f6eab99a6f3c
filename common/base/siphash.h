/* SipHash-1-3: whoever does not know the seed cannot make keys that collide. */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_seed {
	uint64_t k0, k1;
};

struct siphash_seed siphash_seed(void); /* random, the same for the whole process */
uint64_t siphash(struct siphash_seed seed, const void *data, size_t len);

#endif
