/* See rate_core.h. A token is a million parts, and a second a million microseconds: at
 * `rate` tokens a second, so many parts come in a microsecond. */
#include "front/rate_core.h"

#define TOKEN 1000000

struct rate_bucket
rate_full(const struct rate_limit *limit, usec_t now)
{
	return (struct rate_bucket){ .level = limit->burst * TOKEN, .at = now };
}

static void
fill(struct rate_bucket *bucket, const struct rate_limit *limit, usec_t now)
{
	int64_t most = limit->burst * TOKEN, missing = most - bucket->level;
	usec_t past = now - bucket->at;

	if (past <= 0)
		return;
	bucket->at = now;
	if (past > missing / limit->rate)
		bucket->level = most;
	else
		bucket->level += past * limit->rate;
}

usec_t
rate_spend(struct rate_bucket *bucket, const struct rate_limit *limit, usec_t now)
{
	fill(bucket, limit, now);
	if (bucket->level < TOKEN)
		return (TOKEN - bucket->level + limit->rate - 1) / limit->rate;
	bucket->level -= TOKEN;
	return 0;
}

long
rate_seconds(usec_t wait)
{
	return (long)((wait + USEC_SECOND - 1) / USEC_SECOND);
}
