/* The database's clock through ours: never early, close, and quick after a jump. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "clock_core.h"

#define DAY (86400 * USEC_SECOND)

static void
test_one_sample_bounds(void **state)
{
	struct clock_core clock = { 0 };

	(void)state;
	clock_core_sample(&clock, 1000, 1400, 50300);
	assert_true(clock.known);
	assert_int_equal(clock_core_surely(&clock, 2000), 2000 + 50300 - 1400);
	assert_int_equal(clock_core_when(&clock, clock_core_surely(&clock, 777)), 777);
}

static void
test_samples_narrow_each_other(void **state)
{
	struct clock_core clock = { 0 };

	(void)state;
	clock_core_sample(&clock, 1000, 1010, 5010); /* answered late */
	clock_core_sample(&clock, 2000, 2010, 6000); /* asked late */
	assert_int_equal(clock.low, 4000);
	assert_int_equal(clock.high, 4000);
}

/* Whatever the round trips, what is surely past is past, and a fair guess is near. */
static void
test_never_early(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 50; seed++) {
		struct clock_core clock = { 0 };
		usec_t offset = 1700000000 * USEC_SECOND, mono = 5 * DAY;

		srand(seed);
		for (int i = 0; i < 500; i++) {
			usec_t out = rand() % 3000, back = rand() % 3000;

			offset += rand() % 401 - 200; /* clocks drift a little */
			clock_core_sample(&clock, mono, mono + out + back,
					  mono + out + offset);
			mono += out + back;
			assert_true(clock_core_surely(&clock, mono) <= mono + offset);
			assert_true(clock_core_surely(&clock, mono) >
				    mono + offset - 6000);
			mono += USEC_SECOND;
		}
	}
}

static void
test_a_jump_is_believed_at_once(void **state)
{
	struct clock_core clock = { 0 };

	(void)state;
	clock_core_sample(&clock, 0, 100, 50);
	clock_core_sample(&clock, 1000, 1100, 1050 - 3600 * USEC_SECOND);
	assert_int_equal(clock_core_surely(&clock, 1100), 1050 - 3600 * USEC_SECOND);
	clock_core_sample(&clock, 2000, 2100, 2050 + DAY);
	assert_int_equal(clock_core_surely(&clock, 2100), 2050 + DAY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_sample_bounds),
		cmocka_unit_test(test_samples_narrow_each_other),
		cmocka_unit_test(test_never_early),
		cmocka_unit_test(test_a_jump_is_believed_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
