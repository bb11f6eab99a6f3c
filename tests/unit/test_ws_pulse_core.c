/* When a client is pinged, taken to be gone, or taken to be deaf. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "front/ws_pulse_core.h"

#define S USEC_SECOND

static void
test_a_quiet_client_is_pinged(void **state)
{
	struct ws_pulse pulse;

	(void)state;
	ws_pulse_begin(&pulse, 100 * S);
	assert_int_equal(ws_pulse_look(&pulse, 119 * S, 0, 0), WS_PULSE_FINE);
	assert_int_equal(ws_pulse_look(&pulse, 120 * S, 0, 0), WS_PULSE_PING);
	assert_int_equal(ws_pulse_look(&pulse, 125 * S, 2, 0), WS_PULSE_FINE);
	ws_pulse_pong(&pulse);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(ws_pulse_look(&pulse, (140 + 20 * i) * S, 2, 0),
				 WS_PULSE_PING);
		ws_pulse_pong(&pulse);
	}
}

static void
test_two_pings_without_a_pong(void **state)
{
	struct ws_pulse pulse;

	(void)state;
	ws_pulse_begin(&pulse, 0);
	assert_int_equal(ws_pulse_look(&pulse, 20 * S, 0, 0), WS_PULSE_PING);
	assert_int_equal(ws_pulse_look(&pulse, 40 * S, 0, 0), WS_PULSE_PING);
	assert_int_equal(ws_pulse_look(&pulse, 55 * S, 0, 0), WS_PULSE_FINE);
	assert_int_equal(ws_pulse_look(&pulse, 60 * S, 0, 0), WS_PULSE_GONE);
}

static void
test_one_late_pong_is_enough(void **state)
{
	struct ws_pulse pulse;

	(void)state;
	ws_pulse_begin(&pulse, 0);
	assert_int_equal(ws_pulse_look(&pulse, 20 * S, 0, 0), WS_PULSE_PING);
	assert_int_equal(ws_pulse_look(&pulse, 40 * S, 0, 0), WS_PULSE_PING);
	ws_pulse_pong(&pulse);
	assert_int_equal(ws_pulse_look(&pulse, 60 * S, 0, 0), WS_PULSE_PING);
}

static void
test_a_deaf_client(void **state)
{
	struct ws_pulse pulse;

	(void)state;
	ws_pulse_begin(&pulse, 0);
	assert_int_equal(ws_pulse_look(&pulse, 5 * S, 1000, 400), WS_PULSE_FINE);
	assert_int_equal(ws_pulse_look(&pulse, 10 * S, 9000, 8400), WS_PULSE_FINE);
	assert_int_equal(ws_pulse_look(&pulse, 30 * S, 9000, 8400), WS_PULSE_PING);
	assert_int_equal(ws_pulse_look(&pulse, 34 * S, 9000, 8400), WS_PULSE_FINE);
	assert_int_equal(ws_pulse_look(&pulse, 35 * S, 9000, 8400), WS_PULSE_DEAF);
}

/* What it takes stands before the pings: it has not missed them. */
static void
test_a_slow_client_is_neither(void **state)
{
	struct ws_pulse pulse;
	enum ws_pulse_verdict verdict;

	(void)state;
	ws_pulse_begin(&pulse, 0);
	for (int i = 1; i < 100; i++) {
		verdict = ws_pulse_look(&pulse, i * 5 * S, 1000000,
					1000000 - (size_t)i * 100);
		assert_true(verdict == WS_PULSE_FINE || verdict == WS_PULSE_PING);
	}
}

static void
test_taking_all_ends_the_count(void **state)
{
	struct ws_pulse pulse;

	(void)state;
	ws_pulse_begin(&pulse, 0);
	assert_int_equal(ws_pulse_look(&pulse, 19 * S, 1000, 500), WS_PULSE_FINE);
	assert_int_equal(ws_pulse_look(&pulse, 45 * S, 1000, 0), WS_PULSE_PING);
	assert_int_equal(ws_pulse_look(&pulse, 60 * S, 2000, 1000), WS_PULSE_FINE);
	assert_int_equal(ws_pulse_look(&pulse, 74 * S, 2000, 1000), WS_PULSE_PING);
	assert_int_equal(ws_pulse_look(&pulse, 75 * S, 2000, 1000), WS_PULSE_DEAF);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_quiet_client_is_pinged),
		cmocka_unit_test(test_two_pings_without_a_pong),
		cmocka_unit_test(test_one_late_pong_is_enough),
		cmocka_unit_test(test_a_deaf_client),
		cmocka_unit_test(test_a_slow_client_is_neither),
		cmocka_unit_test(test_taking_all_ends_the_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
