/* How many requests a second somebody may have: a bucket of tokens that fills evenly.
 * Pure. */
#ifndef FRONT_RATE_CORE_H
#define FRONT_RATE_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/usec.h"

#define RATE_MOST 1000000 /* of both figures of a limit */

struct rate_limit {
	int64_t rate;  /* tokens a second, at least 1 */
	int64_t burst; /* tokens that a full bucket holds, at least 1 */
};

struct rate_bucket {
	int64_t level; /* millionths of a token */
	usec_t at;     /* when it was so; monotonic */
};

struct rate_bucket rate_full(const struct rate_limit *limit, usec_t now);
/* Takes a token. 0: it was there; else none was taken, and there is one after so long.
 */
usec_t rate_spend(struct rate_bucket *bucket, const struct rate_limit *limit,
		  usec_t now);
/* As Retry-After has it: whole seconds, rounded up. */
long rate_seconds(usec_t wait);

#endif
