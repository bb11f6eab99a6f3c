/* Timers read ahead: order, what flies, what is parked, and a long random life. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "timers_core.h"

static struct step_ref
ref_of(int number)
{
	struct step_ref ref = { .number = number + 1 };

	ref.run.b[0] = (unsigned char)number;
	return ref;
}

static int
number_of(const struct step_ref *ref)
{
	assert_int_equal(ref->run.b[0], (unsigned char)(ref->number - 1));
	return ref->number - 1;
}

static void
add(struct timers_core *core, int number, usec_t run_at)
{
	struct step_ref ref = ref_of(number);

	timers_core_add(core, &ref, run_at);
}

static void
test_earliest_first_and_not_before_time(void **state)
{
	struct timers_core core;
	struct step_ref out[4];

	(void)state;
	timers_core_init(&core);
	assert_true(timers_core_next(&core) == USEC_NEVER);
	add(&core, 1, 300);
	add(&core, 2, 100);
	add(&core, 3, 200);
	assert_int_equal(timers_core_next(&core), 100);
	assert_int_equal(timers_core_take(&core, 99, out, 4), 0);
	assert_int_equal(timers_core_take(&core, 250, out, 1), 1);
	assert_int_equal(number_of(&out[0]), 2);
	assert_int_equal(timers_core_take(&core, 250, out, 4), 1);
	assert_int_equal(number_of(&out[0]), 3);
	assert_int_equal(timers_core_next(&core), 300);
	assert_int_equal(timers_core_count(&core), 1);
	timers_core_fini(&core);
}

static void
test_a_known_one_moves(void **state)
{
	struct timers_core core;
	struct step_ref out[4];

	(void)state;
	timers_core_init(&core);
	add(&core, 1, 300);
	add(&core, 1, 100);
	assert_int_equal(timers_core_next(&core), 100);
	add(&core, 1, 500);
	assert_int_equal(timers_core_next(&core), 500);
	assert_int_equal(timers_core_count(&core), 1);
	assert_int_equal(timers_core_take(&core, 500, out, 4), 1);
	timers_core_fini(&core);
}

static void
test_steps_of_one_run_are_different(void **state)
{
	struct timers_core core;
	struct step_ref a = { .number = 1 }, b = { .number = 2 };

	(void)state;
	timers_core_init(&core);
	timers_core_add(&core, &a, 5);
	timers_core_add(&core, &b, 5);
	assert_int_equal(timers_core_count(&core), 2);
	timers_core_fini(&core);
}

static void
test_what_flies_is_not_taken_twice(void **state)
{
	struct timers_core core;
	struct step_ref out[4];

	(void)state;
	timers_core_init(&core);
	add(&core, 1, 100);
	assert_int_equal(timers_core_take(&core, 100, out, 4), 1);
	add(&core, 1, 100); /* a look that was under way still saw it */
	assert_int_equal(timers_core_take(&core, 100, out, 4), 0);
	assert_int_equal(core.flying, 1);
	timers_core_fired(&core, &out[0]);
	timers_core_landed(&core, out, 1, 100);
	assert_int_equal(core.flying, 0);
	add(&core, 1, 100); /* it has a time again */
	assert_int_equal(timers_core_take(&core, 100, out, 4), 1);
	timers_core_fini(&core);
}

static void
test_what_does_not_fire_rests(void **state)
{
	struct timers_core core;
	struct step_ref out[4];
	usec_t now = 1000, late = now + TIMERS_AGAIN_SOON;

	(void)state;
	timers_core_init(&core);
	add(&core, 1, now);
	timers_core_take(&core, now, out, 4);
	timers_core_landed(&core, out, 1, now); /* the clocks disagree by a little */
	add(&core, 1, now);
	assert_int_equal(timers_core_take(&core, late - 1, out, 4), 0);
	add(&core, 1, now);
	assert_int_equal(timers_core_take(&core, late, out, 4), 0);
	add(&core, 1, now); /* forgotten, and read again */
	assert_int_equal(timers_core_take(&core, late, out, 4), 1);
	timers_core_landed(&core, out, 1, late); /* it is held up by something else */
	add(&core, 1, now);
	assert_int_equal(timers_core_take(&core, late + TIMERS_AGAIN_LATE - 1, out, 4),
			 0);
	timers_core_take(&core, late + TIMERS_AGAIN_LATE, out, 4);
	add(&core, 1, now);
	assert_int_equal(timers_core_take(&core, late + TIMERS_AGAIN_LATE, out, 4), 1);
	timers_core_fini(&core);
}

static void
test_what_was_dropped_is_read_again(void **state)
{
	struct timers_core core;
	struct step_ref out[4];

	(void)state;
	timers_core_init(&core);
	add(&core, 1, 100);
	timers_core_take(&core, 100, out, 4);
	timers_core_dropped(&core, out, 1);
	assert_int_equal(core.flying, 0);
	add(&core, 1, 100);
	assert_int_equal(timers_core_take(&core, 100, out, 4), 1);
	timers_core_clear(&core);
	timers_core_fired(&core, &out[0]); /* an answer after we stopped leading */
	timers_core_landed(&core, out, 1, 200);
	assert_int_equal(timers_core_count(&core), 0);
	timers_core_fini(&core);
}

static void
test_bounded(void **state)
{
	struct timers_core core;

	(void)state;
	timers_core_init(&core);
	for (int i = 0; i < 2 * TIMERS_HELD_MAX; i++)
		add(&core, i, 1000000 - i);
	assert_int_equal(timers_core_count(&core), TIMERS_HELD_MAX);
	add(&core, 5, 1); /* a known one still moves */
	assert_int_equal(timers_core_next(&core), 1);
	timers_core_fini(&core);
}

/* ---- against a table of rows, as the database would be ---- */

#define ROWS 200

struct world {
	usec_t run_at[ROWS]; /* 0: no timer */
	bool stuck[ROWS];
	int fired[ROWS], set[ROWS];
};

static void
look(struct timers_core *core, const struct world *world, usec_t until)
{
	for (int i = 0; i < ROWS; i++)
		if (world->run_at[i] != 0 && world->run_at[i] <= until)
			add(core, i, world->run_at[i]);
}

static void
fire(struct timers_core *core, struct world *world, usec_t now)
{
	struct step_ref out[8];
	size_t count = timers_core_take(core, now, out, 8);

	if (count > 0 && rand() % 10 == 0) {
		timers_core_dropped(core, out, count);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		int number = number_of(&out[i]);

		if (world->run_at[number] == 0 || world->run_at[number] > now ||
		    world->stuck[number])
			continue;
		world->run_at[number] = 0;
		world->fired[number]++;
		timers_core_fired(core, &out[i]);
	}
	timers_core_landed(core, out, count, now);
}

static void
change(struct world *world, usec_t now)
{
	int number = rand() % ROWS;

	world->stuck[number] = rand() % 4 == 0;
	if (world->run_at[number] == 0) {
		world->run_at[number] = now + rand() % (2 * USEC_SECOND);
		world->set[number]++;
	}
}

static void
test_random_life(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++) {
		struct timers_core core;
		struct world world = { 0 };
		usec_t now = USEC_SECOND;

		srand(seed);
		timers_core_init(&core);
		for (int i = 0; i < 3000; i++) {
			now += rand() % (10 * USEC_MS);
			change(&world, now);
			if (rand() % 5 == 0)
				look(&core, &world, now + TIMERS_WINDOW);
			fire(&core, &world, now);
		}
		for (int i = 0; i < ROWS; i++)
			world.stuck[i] = false;
		for (int i = 0; i < 2000; i++) {
			now += 10 * USEC_MS;
			look(&core, &world, now + TIMERS_WINDOW);
			fire(&core, &world, now);
		}
		for (int i = 0; i < ROWS; i++)
			assert_int_equal(world.fired[i], world.set[i]);
		assert_int_equal(core.flying, 0);
		timers_core_fini(&core);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_earliest_first_and_not_before_time),
		cmocka_unit_test(test_a_known_one_moves),
		cmocka_unit_test(test_steps_of_one_run_are_different),
		cmocka_unit_test(test_what_flies_is_not_taken_twice),
		cmocka_unit_test(test_what_does_not_fire_rests),
		cmocka_unit_test(test_what_was_dropped_is_read_again),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_random_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
