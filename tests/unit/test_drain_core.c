/* How a supervisor ends: every phase with every event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pool/drain_core.h"

#define PATIENCE (60 * USEC_SECOND)
#define NOW      (7 * USEC_SECOND)

static const struct place {
	enum drain_phase next;
	enum drain_deed deed;
} expected[DRAIN_PHASES][DRAIN_EVENTS] = {
	[DRAIN_OFF] = { { DRAIN_PATIENT, DRAIN_ASK },
			{ DRAIN_KILLED, DRAIN_KILL },
			{ DRAIN_OFF, DRAIN_NOTHING } },
	[DRAIN_PATIENT] = { { DRAIN_HURRIED, DRAIN_HURRY },
			    { DRAIN_KILLED, DRAIN_KILL },
			    { DRAIN_HURRIED, DRAIN_HURRY } },
	[DRAIN_HURRIED] = { { DRAIN_HURRIED, DRAIN_NOTHING },
			    { DRAIN_KILLED, DRAIN_KILL },
			    { DRAIN_KILLED, DRAIN_KILL } },
	[DRAIN_KILLED] = { { DRAIN_KILLED, DRAIN_NOTHING },
			   { DRAIN_KILLED, DRAIN_NOTHING },
			   { DRAIN_KILLED, DRAIN_GIVE_UP } },
};

static void
test_the_table(void **state)
{
	(void)state;
	for (int p = 0; p < DRAIN_PHASES; p++) {
		for (int e = 0; e < DRAIN_EVENTS; e++) {
			struct drain drain = { (enum drain_phase)p, 1 };
			enum drain_deed deed =
			    drain_on(&drain, (enum drain_event)e, PATIENCE, NOW);

			assert_int_equal(deed, expected[p][e].deed);
			assert_int_equal(drain.phase, expected[p][e].next);
			if (deed == DRAIN_NOTHING)
				assert_int_equal(drain.until, 1);
		}
	}
}

static void
test_patience(void **state)
{
	struct drain drain;

	(void)state;
	drain_init(&drain);
	assert_true(drain.until == USEC_NEVER);
	assert_int_equal(drain_on(&drain, DRAIN_ON_TERM, PATIENCE, NOW), DRAIN_ASK);
	assert_int_equal(drain.until, NOW + PATIENCE);
	drain_on(&drain, DRAIN_ON_TIME, PATIENCE, drain.until);
	assert_int_equal(drain.until, NOW + PATIENCE + DRAIN_GRACE);
	assert_string_equal(drain_phase_name(drain.phase), "hurried");
	drain_on(&drain, DRAIN_ON_TIME, PATIENCE, drain.until);
	assert_int_equal(drain.phase, DRAIN_KILLED);
	assert_int_equal(drain.until, NOW + PATIENCE + 2 * DRAIN_GRACE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_table),
		cmocka_unit_test(test_patience),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
