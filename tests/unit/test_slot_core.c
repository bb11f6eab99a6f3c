/* Walks the whole table of a slot: nothing is started twice, nothing ends unanswered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "slot_core.h"

static void
test_done_is_the_end(void **state)
{
	(void)state;
	for (int event = 0; event < SLOT_EVENTS; event++)
		for (int reason = 0; reason < SLOT_REASONS; reason++) {
			struct slot_step step =
			    slot_on(SLOT_DONE, (enum slot_reason)reason,
				    (enum slot_event)event);

			assert_int_equal(step.state, SLOT_DONE);
			assert_int_equal(step.order, SLOT_DO_NOTHING);
		}
}

static void
test_what_an_answer_is_worth(void **state)
{
	static const enum slot_order expected[SLOT_REASONS] = {
		SLOT_DO_FINISH, SLOT_DO_FINISH, SLOT_DO_DROP, SLOT_DO_GIVE_BACK
	};

	(void)state;
	for (int s = SLOT_RUNNING; s <= SLOT_KILLING; s++)
		for (int reason = 0; reason < SLOT_REASONS; reason++)
			assert_int_equal(slot_on((enum slot_state)s,
						 (enum slot_reason)reason,
						 SLOT_EV_ANSWERED)
					     .order,
					 expected[reason]);
}

static void
test_the_ladder(void **state)
{
	struct slot_step step;

	(void)state;
	step = slot_on(SLOT_RUNNING, SLOT_REASON_NONE, SLOT_EV_TIMED_OUT);
	assert_int_equal(step.order, SLOT_DO_ASK);
	step = slot_on(step.state, step.reason, SLOT_EV_PATIENCE_OVER);
	assert_int_equal(step.order, SLOT_DO_FORCE);
	assert_int_equal(step.state, SLOT_KILLING);
	/* cancelled while being killed for time: what it answers is dropped */
	step = slot_on(step.state, step.reason, SLOT_EV_TAKEN_AWAY);
	assert_int_equal(step.order, SLOT_DO_NOTHING);
	step = slot_on(step.state, step.reason, SLOT_EV_ANSWERED);
	assert_int_equal(step.order, SLOT_DO_DROP);
}

/* Random events: exactly one start at most, and after DONE exactly one end was ordered.
 */
static void
test_any_order_of_events_ends_once(void **state)
{
	(void)state;
	srand(7);
	for (int round = 0; round < 20000; round++) {
		enum slot_state s = SLOT_LOADING;
		enum slot_reason reason = SLOT_REASON_NONE;
		int starts = 0, ends = 0;

		for (int i = 0; i < 30; i++) {
			struct slot_step step =
			    slot_on(s, reason, (enum slot_event)(rand() % SLOT_EVENTS));

			starts += step.order == SLOT_DO_START;
			ends += step.order == SLOT_DO_FINISH ||
				step.order == SLOT_DO_DROP ||
				step.order == SLOT_DO_GIVE_BACK;
			s = step.state;
			reason = step.reason;
			assert_int_equal(ends, s == SLOT_DONE);
		}
		assert_true(starts <= 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_done_is_the_end),
		cmocka_unit_test(test_what_an_answer_is_worth),
		cmocka_unit_test(test_the_ladder),
		cmocka_unit_test(test_any_order_of_events_ends_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
