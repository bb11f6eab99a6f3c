/* How long until a failed attempt is tried again, and whether it is at all. */
#include "engine/retry_core.h"

/* a * b, but never more than most. a, b and most are not negative. */
static usec_t
times(usec_t a, int64_t b, usec_t most)
{
	if (a != 0 && b > most / a)
		return most;
	return a * b < most ? a * b : most;
}

static usec_t
fixed_delay(const struct retry *retry, int failures)
{
	(void)failures;
	return times(retry->delay, 1, retry->max_delay);
}

static usec_t
linear_delay(const struct retry *retry, int failures)
{
	return times(retry->delay, failures, retry->max_delay);
}

static usec_t
exponential_delay(const struct retry *retry, int failures)
{
	int doublings = failures - 1 < 62 ? failures - 1 : 62;

	return times(retry->delay, INT64_C(1) << doublings, retry->max_delay);
}

static usec_t (*const delays[BACKOFFS])(const struct retry *retry, int failures) = {
	[BACKOFF_FIXED] = fixed_delay,
	[BACKOFF_LINEAR] = linear_delay,
	[BACKOFF_EXPONENTIAL] = exponential_delay,
};

usec_t
retry_delay(const struct retry *retry, int failures, uint64_t random)
{
	usec_t delay = delays[retry->backoff](retry, failures > 0 ? failures : 1);
	usec_t half = delay / 2;

	if (!retry->jitter)
		return delay;
	return half + (usec_t)(random % (uint64_t)(delay - half + 1));
}

bool
retry_again(const struct retry *retry, int attempt, int losses)
{
	return attempt - losses < retry->max_attempts;
}
