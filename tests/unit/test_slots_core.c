/* The order of priorities is an order, not a wall. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "slots_core.h"

static void
test_every_priority_comes_first_sometimes(void **state)
{
	struct slots_core core = { 0 };
	int first[PRIORITIES] = { 0 };

	(void)state;
	for (int i = 0; i < 64; i++) {
		enum priority order[PRIORITIES];
		int seen = 0;

		slots_order(&core, order);
		first[order[0]]++;
		for (int k = 0; k < PRIORITIES; k++)
			seen |= 1 << order[k];
		assert_int_equal(seen, 7);
	}
	assert_int_equal(first[PRIORITY_LOW], 1);
	assert_int_equal(first[PRIORITY_NORMAL], 7);
	assert_int_equal(first[PRIORITY_HIGH], 56);
}

static void
test_a_streak_ends_by_count_or_time(void **state)
{
	(void)state;
	assert_false(slots_streak_over(SLOT_STREAK_MAX - 1, 0));
	assert_true(slots_streak_over(SLOT_STREAK_MAX, 0));
	assert_false(slots_streak_over(0, SLOT_STREAK_TIME - 1));
	assert_true(slots_streak_over(0, SLOT_STREAK_TIME));
}

static void
test_a_step_that_runs_alone_leaves_no_room(void **state)
{
	(void)state;
	assert_int_equal(slots_room(8, 0, false), 8);
	assert_int_equal(slots_room(8, 3, false), 5);
	assert_int_equal(slots_room(8, 8, false), 0);
	assert_int_equal(slots_room(8, 9, false), 0);
	assert_int_equal(slots_room(8, 1, true), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_priority_comes_first_sometimes),
		cmocka_unit_test(test_a_streak_ends_by_count_or_time),
		cmocka_unit_test(test_a_step_that_runs_alone_leaves_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
