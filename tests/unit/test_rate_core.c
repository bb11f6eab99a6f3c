/* The bucket of tokens: what fits in, how long the next one takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "front/rate_core.h"

static void
test_burst_then_steady(void **state)
{
	const struct rate_limit limit = { .rate = 10, .burst = 3 };
	usec_t now = 5 * USEC_SECOND;
	struct rate_bucket bucket = rate_full(&limit, now);

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(rate_spend(&bucket, &limit, now), 0);
	assert_int_equal(rate_spend(&bucket, &limit, now), 100 * USEC_MS);
	assert_int_equal(rate_spend(&bucket, &limit, now + 40 * USEC_MS), 60 * USEC_MS);
	assert_int_equal(rate_spend(&bucket, &limit, now + 100 * USEC_MS - 1), 1);
	assert_int_equal(rate_spend(&bucket, &limit, now + 100 * USEC_MS), 0);
	assert_int_equal(rate_spend(&bucket, &limit, now + 100 * USEC_MS),
			 100 * USEC_MS);
	now += 3600 * USEC_SECOND; /* no more than it holds */
	for (int i = 0; i < 3; i++)
		assert_int_equal(rate_spend(&bucket, &limit, now), 0);
	assert_true(rate_spend(&bucket, &limit, now) > 0);
}

/* Whoever asks as often as can be gets what the limit says, to the token. */
static void
test_rates(void **state)
{
	static const int64_t rates[] = { 1, 3, 7, 100, 70000, RATE_MOST };

	(void)state;
	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
		const struct rate_limit limit = { .rate = rates[i], .burst = 2 };
		struct rate_bucket bucket = rate_full(&limit, 0);
		int64_t taken = 0;
		usec_t now = 0;

		while (now < 20 * USEC_SECOND && taken < 1000) {
			usec_t wait = rate_spend(&bucket, &limit, now);

			taken += wait == 0;
			now += wait > 0 ? wait : 0;
		}
		assert_in_range(now * limit.rate / USEC_SECOND, taken - 3, taken);
	}
}

static void
test_the_wait_is_enough(void **state)
{
	const struct rate_limit limit = { .rate = 3, .burst = 1 };
	struct rate_bucket bucket = rate_full(&limit, 0);
	usec_t now = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(rate_spend(&bucket, &limit, now), 0);
		now += rate_spend(&bucket, &limit, now);
	}
}

static void
test_clocks_that_stand_or_go_back(void **state)
{
	const struct rate_limit limit = { .rate = 1, .burst = RATE_MOST };
	struct rate_bucket bucket = rate_full(&limit, USEC_SECOND);

	(void)state;
	assert_int_equal(rate_spend(&bucket, &limit, 0), 0);
	assert_int_equal(bucket.at, USEC_SECOND);
	assert_int_equal(rate_spend(&bucket, &limit, INT64_MAX), 0);
	assert_int_equal(bucket.level, (int64_t)(RATE_MOST - 1) * 1000000);
}

static void
test_seconds(void **state)
{
	(void)state;
	assert_int_equal(rate_seconds(1), 1);
	assert_int_equal(rate_seconds(USEC_SECOND), 1);
	assert_int_equal(rate_seconds(USEC_SECOND + 1), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_then_steady),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_the_wait_is_enough),
		cmocka_unit_test(test_clocks_that_stand_or_go_back),
		cmocka_unit_test(test_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
