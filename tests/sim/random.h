/* Numbers that look random and are the same for the same seed. */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t
random_bits(struct random *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* From 0 to count - 1. */
static inline int
random_below(struct random *random, int count)
{
	return (int)(random_bits(random) % (uint64_t)count);
}

static inline int
random_from(struct random *random, int least, int most)
{
	return least + random_below(random, most - least + 1);
}

/* True so many times in a thousand. */
static inline bool
random_is(struct random *random, int per_mille)
{
	return random_below(random, 1000) < per_mille;
}

#endif
