/* Statuses and event types: every number has one name, and the numbers never change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <string.h>

#include "engine/status.h"

/* What databases hold already. A line may be added at the end, none may move. */
static const char *const run_names[] = {
	"pending", "running",   "paused",    "completed",
	"failed",  "cancelled", "timed_out", "crashed",
};
static const char *const step_names[] = {
	"pending", "queued",    "running", "retrying", "waiting_approval",
	"waiting", "completed", "failed",  "skipped",  "cancelled",
};
static const char *const event_names[] = {
	"none",
	"run.started",
	"step.started",
	"step.completed",
	"step.failed",
	"step.waiting",
	"step.skipped",
	"step.cancelled",
	"approval.requested",
	"approval.decided",
	"run.paused",
	"run.resumed",
	"run.recovered",
	"comment.added",
	"agent.updated",
	"artifact.created",
	"run.completed",
	"run.failed",
	"run.cancelled",
	"run.timed_out",
	"run.crashed",
};

static void
test_numbers_and_names(void **state)
{
	(void)state;
	assert_int_equal(sizeof run_names / sizeof run_names[0], RUN_STATUSES);
	assert_int_equal(sizeof step_names / sizeof step_names[0], STEP_STATUSES);
	assert_int_equal(sizeof event_names / sizeof event_names[0], EVENT_TYPES);
	for (int i = 0; i < RUN_STATUSES; i++)
		assert_string_equal(run_status_name((enum run_status)i), run_names[i]);
	for (int i = 0; i < STEP_STATUSES; i++)
		assert_string_equal(step_status_name((enum step_status)i),
				    step_names[i]);
	for (int i = 0; i < EVENT_TYPES; i++)
		assert_string_equal(event_type_name((enum event_type)i),
				    event_names[i]);
}

static void
test_numbers_of_a_newer_database(void **state)
{
	(void)state;
	assert_string_equal(run_status_name(RUN_STATUSES), "unknown");
	assert_string_equal(step_status_name(STEP_STATUSES), "unknown");
	assert_string_equal(event_type_name((enum event_type)9999), "unknown");
	assert_string_equal(run_status_name((enum run_status) - 1), "unknown");
	assert_int_equal(run_end_event((enum run_status)99), EVENT_NONE);
	assert_false(run_is_over((enum run_status)99));
	assert_false(step_is_over((enum step_status)99));
}

static void
test_parsing_takes_either_case(void **state)
{
	(void)state;
	for (int i = 0; i < RUN_STATUSES; i++) {
		enum run_status status = RUN_STATUSES;
		char upper[32] = "";

		assert_true(run_status_parse(run_names[i], &status));
		assert_int_equal(status, i);
		for (size_t c = 0; run_names[i][c] != '\0'; c++)
			upper[c] = (char)toupper(run_names[i][c]);
		status = RUN_STATUSES;
		assert_true(run_status_parse(upper, &status));
		assert_int_equal(status, i);
	}
}

static void
test_parsing_refuses_the_rest(void **state)
{
	static const char *const wrong[] = { "",         "pend",   "pendingx",
					     " running", "queued", "timed-out",
					     "unknown" };
	enum run_status status = RUN_PAUSED;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_false(run_status_parse(wrong[i], &status));
	assert_int_equal(status, RUN_PAUSED);
}

static void
test_ends(void **state)
{
	(void)state;
	for (int i = 0; i < RUN_STATUSES; i++) {
		enum run_status status = (enum run_status)i;

		assert_int_equal(run_is_over(status), i >= RUN_COMPLETED);
		if (!run_is_over(status)) {
			assert_int_equal(run_end_event(status), EVENT_NONE);
			continue;
		}
		/* run.failed ends a failed run, and so on. */
		assert_string_equal(event_type_name(run_end_event(status)) + 4,
				    run_status_name(status));
	}
	for (int i = 0; i < STEP_STATUSES; i++)
		assert_int_equal(step_is_over((enum step_status)i),
				 i >= STEP_COMPLETED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_and_names),
		cmocka_unit_test(test_numbers_of_a_newer_database),
		cmocka_unit_test(test_parsing_takes_either_case),
		cmocka_unit_test(test_parsing_refuses_the_rest),
		cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
