/* When what ended by itself is started again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dev/restart_core.h"

static void
test_the_first_time_at_once(void **state)
{
	struct restart restart = { 0 };
	usec_t due = 0;

	(void)state;
	restart_started(&restart, 100);
	assert_true(restart_ended(&restart, 150, &due));
	assert_int_equal(due, 150);
}

static void
test_who_keeps_dying_young_waits_longer_and_is_given_up(void **state)
{
	struct restart restart = { 0 };
	usec_t now = 0, due = 0, before = -1;
	int times = 0;

	(void)state;
	restart_started(&restart, now);
	while (restart_ended(&restart, now += RESTART_YOUNG - 1, &due)) {
		assert_true(due - now > before);
		before = due - now;
		now = due;
		restart_started(&restart, now);
		times++;
		assert_true(times <= RESTARTS_MAX);
	}
	assert_int_equal(times, RESTARTS_MAX);
	assert_true(before < 60 * USEC_SECOND);
}

static void
test_who_lived_long_starts_anew(void **state)
{
	struct restart restart = { 0 };
	usec_t due = 0;

	(void)state;
	restart_started(&restart, 0);
	for (int i = 0; i < RESTARTS_MAX; i++)
		assert_true(restart_ended(&restart, 1, &due));
	assert_true(restart_ended(&restart, RESTART_YOUNG, &due));
	assert_int_equal(due, RESTART_YOUNG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_time_at_once),
		cmocka_unit_test(
		    test_who_keeps_dying_young_waits_longer_and_is_given_up),
		cmocka_unit_test(test_who_lived_long_starts_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
