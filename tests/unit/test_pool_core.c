/* Seats: the whole table, the delays of crash loops, and a pool under random luck. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pool/pool_core.h"

#define MS USEC_MS

static const struct uuid no_id;

/* Rows: states; columns: FORKED READY DISMISSED LEFT AGAIN MISCONFIGURED CRASHED
 * RECONSIDERED. */
static const enum seat_state expected[SEAT_STATES][SEAT_EVENTS] = {
	[SEAT_DOWN] = { SEAT_STARTING, 0, 0, 0, SEAT_DOWN, 0, 0, SEAT_DOWN },
	[SEAT_STARTING] = { 0, SEAT_READY, SEAT_LEAVING, SEAT_DOWN, SEAT_DOWN,
			    SEAT_REFUSED, SEAT_DOWN, SEAT_STARTING },
	[SEAT_READY] = { 0, SEAT_READY, SEAT_LEAVING, SEAT_DOWN, SEAT_DOWN,
			 SEAT_REFUSED, SEAT_DOWN, SEAT_READY },
	[SEAT_LEAVING] = { 0, SEAT_LEAVING, 0, SEAT_GONE, SEAT_GONE, SEAT_GONE,
			   SEAT_GONE, SEAT_LEAVING },
	[SEAT_REFUSED] = { 0, 0, 0, 0, 0, 0, 0, SEAT_DOWN },
};

static void
test_the_table(void **state)
{
	(void)state;
	for (int s = 0; s < SEAT_STATES; s++)
		for (int e = 0; e < SEAT_EVENTS; e++)
			if (seat_next((enum seat_state)s, (enum seat_event)e) !=
			    expected[s][e])
				fail_msg("state %s event %d",
					 seat_state_name((enum seat_state)s), e);
}

static int
count_workers(const struct pool_core *core)
{
	int count = 0;

	list_each (link, &core->workers)
		count++;
	return count;
}

/* Starts whatever is due; every process says ready when asked to. */
static void
start_all(struct pool_core *core, usec_t now, bool ready)
{
	static pid_t pid = 100;
	struct pool_verdict verdict;

	while ((verdict = pool_core_next(core, now)).deed == POOL_START) {
		pool_core_forked(verdict.seat, &no_id, ++pid, now, now);
		if (ready)
			pool_core_said_ready(verdict.seat);
	}
	assert_int_equal(verdict.deed, POOL_WAIT);
}

static struct seat *
worker(struct pool_core *core, int index)
{
	struct list *link = core->workers.next;

	while (index-- > 0)
		link = link->next;
	return container_of(link, struct seat, link);
}

static void
test_fills_its_seats_front_first(void **state)
{
	struct pool_core core;
	struct pool_verdict verdict;

	(void)state;
	pool_core_init(&core, 3, 8);
	verdict = pool_core_next(&core, 5);
	assert_int_equal(verdict.deed, POOL_START);
	assert_ptr_equal(verdict.seat, &core.front);
	start_all(&core, 5, true);
	assert_int_equal(pool_core_living(&core), 4);
	verdict = pool_core_next(&core, 5);
	assert_int_equal(verdict.deed, POOL_WAIT);
	assert_true(verdict.at == USEC_NEVER);
	pool_core_fini(&core);
}

static void
test_a_crash_after_a_second_is_mended_at_once(void **state)
{
	struct pool_core core;
	struct seat_end end;

	(void)state;
	pool_core_init(&core, 1, 8);
	start_all(&core, 0, true);
	end = pool_core_ended(worker(&core, 0), SEAT_CRASHED, EARLY_DEATH);
	assert_true(end.lost);
	assert_false(end.ordered);
	assert_int_equal(end.next, SEAT_DOWN);
	assert_int_equal(end.delay, 0);
	assert_int_equal(pool_core_next(&core, EARLY_DEATH).deed, POOL_START);
	pool_core_fini(&core);
}

static void
test_early_deaths_are_mended_more_and_more_slowly(void **state)
{
	static const usec_t delays[] = { 100 * MS,   200 * MS,   400 * MS,  800 * MS,
					 1600 * MS,  3200 * MS,  6400 * MS, 12800 * MS,
					 25600 * MS, DELAY_MOST, DELAY_MOST };
	struct pool_core core;
	struct pool_verdict verdict;
	struct seat_end end;
	usec_t now = 0;

	(void)state;
	pool_core_init(&core, 1, 8);
	start_all(&core, now, true);
	for (size_t i = 0; i < sizeof delays / sizeof delays[0]; i++) {
		now += EARLY_DEATH - 1;
		end = pool_core_ended(worker(&core, 0), SEAT_CRASHED, now);
		assert_int_equal(end.delay, delays[i]);
		verdict = pool_core_next(&core, now + end.delay - 1);
		assert_int_equal(verdict.deed, POOL_WAIT);
		assert_int_equal(verdict.at, now + end.delay);
		now += end.delay;
		start_all(&core, now, true);
		assert_int_equal(worker(&core, 0)->starts, (int)i + 2);
	}
	now += EARLY_DEATH; /* a good life makes all of it forgotten */
	assert_int_equal(pool_core_ended(worker(&core, 0), SEAT_CRASHED, now).delay, 0);
	start_all(&core, now, true);
	end = pool_core_ended(worker(&core, 0), SEAT_CRASHED, now);
	assert_int_equal(end.delay, DELAY_LEAST);
	pool_core_fini(&core);
}

static void
test_exit_75_waits_and_78_stays_away(void **state)
{
	struct pool_core core;
	struct seat_end end;

	(void)state;
	pool_core_init(&core, 1, 8);
	start_all(&core, 0, false);
	end = pool_core_ended(worker(&core, 0), SEAT_TRY_AGAIN, 5000 * MS);
	assert_true(end.lost && end.ordered);
	assert_int_equal(end.delay, LATER_LEAST);
	start_all(&core, 6000 * MS, false);
	end = pool_core_ended(worker(&core, 0), SEAT_TRY_AGAIN, 6001 * MS);
	assert_int_equal(end.delay, 2 * LATER_LEAST);
	start_all(&core, 60000 * MS, false);
	end = pool_core_ended(worker(&core, 0), SEAT_MISCONFIGURED, 60001 * MS);
	assert_int_equal(end.next, SEAT_REFUSED);
	assert_true(pool_core_next(&core, 9000000 * MS).at == USEC_NEVER);
	pool_core_reconsider(&core, 9000000 * MS);
	assert_int_equal(pool_core_next(&core, 9000000 * MS).deed, POOL_START);
	pool_core_fini(&core);
}

static void
test_a_fork_that_fails_is_tried_later(void **state)
{
	struct pool_core core;

	(void)state;
	pool_core_init(&core, 0, 8);
	pool_core_not_forked(pool_core_next(&core, 10).seat, 10);
	assert_int_equal(pool_core_next(&core, 10).at, 10 + LATER_LEAST);
	pool_core_fini(&core);
}

static void
test_shrinking_asks_the_idlest(void **state)
{
	struct pool_core core;
	struct pool_verdict verdict;
	struct seat_end end;

	(void)state;
	pool_core_init(&core, 3, 8);
	start_all(&core, 0, true);
	worker(&core, 0)->used = 5;
	worker(&core, 1)->used = 2;
	worker(&core, 2)->used = 7;
	assert_int_equal(pool_core_want(&core, 2, 0), 2);
	verdict = pool_core_next(&core, 0);
	assert_int_equal(verdict.deed, POOL_DISMISS);
	assert_ptr_equal(verdict.seat, worker(&core, 1));
	pool_core_dismissed(verdict.seat);
	assert_int_equal(pool_core_next(&core, 0).deed, POOL_WAIT);
	end = pool_core_ended(verdict.seat, SEAT_LEFT, 900 * MS);
	assert_int_equal(end.next, SEAT_GONE);
	assert_false(end.lost);
	assert_int_equal(count_workers(&core), 2);
	pool_core_fini(&core);
}

static void
test_shrinking_takes_empty_seats_first(void **state)
{
	struct pool_core core;
	struct pool_verdict verdict;

	(void)state;
	pool_core_init(&core, 4, 8);
	start_all(&core, 0, true);
	pool_core_ended(worker(&core, 0), SEAT_MISCONFIGURED, 1);
	pool_core_ended(worker(&core, 1), SEAT_CRASHED, 1);
	core.desired = 2; /* not by a wish, which would give the refused one a chance */
	verdict = pool_core_next(&core, 1);
	assert_int_equal(verdict.deed, POOL_WAIT);
	assert_int_equal(count_workers(&core), 2);
	assert_int_equal(worker(&core, 0)->state, SEAT_READY);
	assert_int_equal(worker(&core, 1)->state, SEAT_READY);
	pool_core_fini(&core);
}

static void
test_a_wavering_wish_is_bounded(void **state)
{
	struct pool_core core;
	struct pool_verdict verdict;

	(void)state;
	pool_core_init(&core, 4, 4);
	start_all(&core, 0, true);
	for (int i = 0; i < 10; i++) {
		pool_core_want(&core, 0, 0);
		while ((verdict = pool_core_next(&core, 0)).deed == POOL_DISMISS)
			pool_core_dismissed(verdict.seat);
		pool_core_want(&core, 100, 0);
		assert_int_equal(core.desired, 4);
		start_all(&core, 0, true);
		assert_true(pool_core_living(&core) <= 8);
	}
	pool_core_want(&core, -5, 0);
	assert_int_equal(core.desired, 0);
	pool_core_fini(&core);
}

static void
test_who_buries(void **state)
{
	struct pool_core core;

	(void)state;
	pool_core_init(&core, 2, 4);
	assert_null(pool_core_undertaker(&core));
	start_all(&core, 0, false);
	assert_null(pool_core_undertaker(&core));
	pool_core_said_ready(worker(&core, 1));
	assert_ptr_equal(pool_core_undertaker(&core), worker(&core, 1));
	pool_core_said_ready(&core.front);
	assert_ptr_equal(pool_core_undertaker(&core), &core.front);
	pool_core_dismissed(&core.front);
	assert_ptr_equal(pool_core_undertaker(&core), worker(&core, 1));
	pool_core_dismissed(worker(&core, 1));
	assert_ptr_equal(pool_core_undertaker(&core), worker(&core, 1));
	pool_core_ended(worker(&core, 1), SEAT_LEFT, 0);
	assert_ptr_equal(pool_core_undertaker(&core), &core.front);
	pool_core_fini(&core);
}

static void
test_leaving_empties_everything(void **state)
{
	struct pool_core core;
	struct pool_verdict verdict;
	struct seat_end end;
	int dismissed = 0;

	(void)state;
	pool_core_init(&core, 3, 4);
	start_all(&core, 0, true);
	pool_core_ended(worker(&core, 0), SEAT_CRASHED, 1);
	core.leaving = true;
	while ((verdict = pool_core_next(&core, 1)).deed == POOL_DISMISS) {
		pool_core_dismissed(verdict.seat);
		dismissed++;
	}
	assert_int_equal(dismissed, 3);
	assert_true(verdict.at == USEC_NEVER);
	end = pool_core_ended(worker(&core, 0), SEAT_CRASHED, 2);
	assert_true(end.lost && end.ordered);
	assert_false(pool_core_ended(worker(&core, 0), SEAT_LEFT, 2).lost);
	assert_false(pool_core_ended(&core.front, SEAT_LEFT, 2).lost);
	assert_int_equal(count_workers(&core), 0);
	assert_int_equal(pool_core_living(&core), 0);
	assert_int_equal(pool_core_next(&core, 9).deed, POOL_WAIT);
	pool_core_fini(&core);
}

/* ---- random luck ---- */

static struct seat *
any_living(struct pool_core *core)
{
	int index = rand() % (pool_core_living(core) + 1);

	if (index == 0 && seat_lives(&core->front))
		return &core->front;
	list_each (link, &core->workers) {
		struct seat *seat = container_of(link, struct seat, link);

		if (seat_lives(seat) && index-- <= 0)
			return seat;
	}
	return NULL;
}

static void
something_happens(struct pool_core *core, usec_t now)
{
	static const enum seat_event ends[] = { SEAT_LEFT, SEAT_TRY_AGAIN,
						SEAT_MISCONFIGURED, SEAT_CRASHED };
	struct seat *seat = any_living(core);

	switch (rand() % 4) {
	case 0:
		pool_core_want(core, rand() % 12 - 1, now);
		break;
	case 1:
		pool_core_reconsider(core, now);
		break;
	case 2:
		if (seat != NULL)
			pool_core_said_ready(seat);
		break;
	default:
		if (seat != NULL && (!seat->front || rand() % 2 == 0))
			pool_core_ended(seat, ends[rand() % 4], now);
	}
}

static int
settle(struct pool_core *core, usec_t now)
{
	static pid_t pid = 1000;
	struct pool_verdict verdict;
	int rounds = 0;

	while ((verdict = pool_core_next(core, now)).deed != POOL_WAIT) {
		assert_true(rounds++ < 100);
		if (verdict.deed == POOL_DISMISS)
			pool_core_dismissed(verdict.seat);
		else if (rand() % 10 == 0)
			pool_core_not_forked(verdict.seat, now);
		else
			pool_core_forked(verdict.seat, &no_id, ++pid, now, now);
	}
	assert_true(verdict.at > now);
	return rounds;
}

static void
check(struct pool_core *core)
{
	int taken = 0;

	list_each (link, &core->workers) {
		struct seat *seat = container_of(link, struct seat, link);
		bool has_process = seat->state == SEAT_STARTING ||
				   seat->state == SEAT_READY ||
				   seat->state == SEAT_LEAVING;

		assert_int_equal(seat_lives(seat), has_process);
		assert_int_not_equal(seat->state, SEAT_GONE);
		taken += seat->state != SEAT_LEAVING ? 1 : 0;
	}
	assert_int_equal(taken, core->desired);
	assert_true(pool_core_living(core) <= 2 * core->most + 1);
}

static void
test_random_luck(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 200; seed++) {
		struct pool_core core;
		usec_t now = 1;

		srand(seed);
		pool_core_init(&core, rand() % 8, 8);
		settle(&core, now);
		for (int i = 0; i < 500; i++) {
			now += rand() % (2 * EARLY_DEATH);
			something_happens(&core, now);
			settle(&core, now);
			check(&core);
		}
		pool_core_fini(&core);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_table),
		cmocka_unit_test(test_fills_its_seats_front_first),
		cmocka_unit_test(test_a_crash_after_a_second_is_mended_at_once),
		cmocka_unit_test(test_early_deaths_are_mended_more_and_more_slowly),
		cmocka_unit_test(test_exit_75_waits_and_78_stays_away),
		cmocka_unit_test(test_a_fork_that_fails_is_tried_later),
		cmocka_unit_test(test_shrinking_asks_the_idlest),
		cmocka_unit_test(test_shrinking_takes_empty_seats_first),
		cmocka_unit_test(test_a_wavering_wish_is_bounded),
		cmocka_unit_test(test_who_buries),
		cmocka_unit_test(test_leaving_empties_everything),
		cmocka_unit_test(test_random_luck),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
