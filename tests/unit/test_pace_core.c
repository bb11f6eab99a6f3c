/* Slow, bursting and silent clients against the leaking bucket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/pace_core.h"

#define GRACE (10 * USEC_SECOND)

/* Sends so many bytes every step, until it is cut off or the end; the time of that. */
static usec_t
run(uint64_t bytes, usec_t step, usec_t end)
{
	usec_t deadline = GRACE;

	for (usec_t now = step; now <= end; now += step) {
		if (deadline <= now)
			return deadline;
		deadline = pace_pay(deadline, now, GRACE, bytes);
	}
	return end;
}

static void
test_silence(void **state)
{
	(void)state;
	assert_int_equal(run(0, USEC_SECOND, 100 * USEC_SECOND), GRACE);
}

static void
test_just_fast_enough(void **state)
{
	(void)state;
	assert_int_equal(run(PACE_RATE, USEC_SECOND, 3600 * USEC_SECOND),
			 3600 * USEC_SECOND);
	assert_int_equal(run(1 << 20, USEC_SECOND, 3600 * USEC_SECOND),
			 3600 * USEC_SECOND);
}

static void
test_too_slow(void **state)
{
	usec_t half = run(PACE_RATE / 2, USEC_SECOND, 3600 * USEC_SECOND);
	usec_t drip = run(1, USEC_SECOND, 3600 * USEC_SECOND);

	(void)state;
	assert_in_range(half, 19 * USEC_SECOND, 21 * USEC_SECOND);
	assert_in_range(drip, GRACE, GRACE + USEC_SECOND);
}

/* Having been fast is worth the grace and no more. */
static void
test_burst(void **state)
{
	(void)state;
	assert_int_equal(pace_pay(GRACE, 5 * USEC_SECOND, GRACE, UINT64_MAX),
			 5 * USEC_SECOND + GRACE);
	assert_int_equal(pace_pay(GRACE, 5 * USEC_SECOND, GRACE, 1 << 30),
			 5 * USEC_SECOND + GRACE);
	assert_int_equal(pace_pay(GRACE, 5 * USEC_SECOND, GRACE, PACE_RATE),
			 GRACE + USEC_SECOND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_just_fast_enough),
		cmocka_unit_test(test_too_slow),
		cmocka_unit_test(test_burst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
