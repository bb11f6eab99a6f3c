/* Pure: when a failed attempt is tried again. */
#ifndef ENGINE_RETRY_CORE_H
#define ENGINE_RETRY_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/usec.h"

enum backoff { BACKOFF_FIXED, BACKOFF_LINEAR, BACKOFF_EXPONENTIAL, BACKOFFS };

struct retry {
	int max_attempts; /* 1: never again */
	enum backoff backoff;
	usec_t delay, max_delay;
	bool jitter; /* the delay is drawn between half of it and all of it */
};

#define RETRY_ATTEMPTS_MAX 1000

/* The delay after `failures` failed attempts (from 1); random is any 64 bits. */
usec_t retry_delay(const struct retry *retry, int failures, uint64_t random);
/* Attempts lost to the death of a worker are no failures. */
bool retry_again(const struct retry *retry, int attempt, int losses);

#endif
