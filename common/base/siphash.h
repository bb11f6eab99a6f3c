/* SipHash-1-3: a hash that nobody can fill with collisions who does not know the seed.
 */
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
