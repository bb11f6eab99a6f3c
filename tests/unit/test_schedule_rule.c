/* What is stored of a schedule as a value: each wrong field by its name; jitter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lang/schedule_rule.h"

#define HOUR (3600 * USEC_SECOND)

static void
refused(const struct schedule_words *words, const char *expected)
{
	struct schedule_rule rule;
	struct err err = { 0 };

	assert_int_equal(schedule_rule_read(words, 0, &rule, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_ptr_equal(strstr(err.text, expected), err.text);
}

static void
test_refused(void **state)
{
	static const int days[] = { 1, 8 };

	(void)state;
	refused(&(struct schedule_words){ .zone = "UTC" }, "cronExpression: expected");
	refused(&(struct schedule_words){ .cron = "* * *" }, "cronExpression: ");
	refused(&(struct schedule_words){ .cron = "0 0 30 2 *" },
		"cronExpression: \"0 0 30 2 *\" never fires");
	refused(&(struct schedule_words){ .cron = "@daily", .zone = "Mars/Base" },
		"timezone: ");
	refused(
	    &(struct schedule_words){ .cron = "@daily", .start = "9", .end = "17:00" },
	    "activeHours.start: expected HH:MM");
	refused(&(struct schedule_words){ .cron = "@daily", .start = "09:00" },
		"activeHours.end: expected HH:MM");
	refused(&(struct schedule_words){ .cron = "@daily",
					  .start = "09:00",
					  .end = "17:00",
					  .days = days,
					  .days_count = 2 },
		"activeHours.daysOfWeek: expected days");
}

static void
test_read(void **state)
{
	const int day = 0;
	const struct schedule_words words = { .cron = "every 90 minutes",
					      .start = "22:00",
					      .end = "06:00",
					      .days = &day,
					      .days_count = 1 };
	struct schedule_rule rule;
	struct cron_firing firing;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(schedule_rule_read(&words, 5 * HOUR, &rule, &err), 0);
	assert_true(schedule_rule_next(&rule, 6 * HOUR, &firing));
	assert_int_equal(firing.at, 6 * HOUR + HOUR / 2);
	/* 1970-01-04 was a Sunday */
	assert_true(schedule_rule_is_active(&rule, 3 * 24 * HOUR + 23 * HOUR));
	assert_true(schedule_rule_is_active(&rule, 4 * 24 * HOUR + 5 * HOUR));
	assert_false(schedule_rule_is_active(&rule, 4 * 24 * HOUR + 23 * HOUR));
}

static void
test_jitter(void **state)
{
	const struct uuid id = { .b = { 1, 2, 3 } }, other = { .b = { 1, 2, 4 } };
	usec_t least = HOUR, most = 0;

	(void)state;
	assert_int_equal(schedule_jitter(&id, HOUR, 0), 0);
	assert_int_equal(schedule_jitter(&id, HOUR, HOUR),
			 schedule_jitter(&id, HOUR, HOUR));
	assert_int_not_equal(schedule_jitter(&id, HOUR, HOUR),
			     schedule_jitter(&other, HOUR, HOUR));
	for (int i = 0; i < 1000; i++) {
		usec_t jitter = schedule_jitter(&id, i * HOUR, HOUR);

		assert_in_range(jitter, 0, HOUR - 1);
		least = jitter < least ? jitter : least;
		most = jitter > most ? jitter : most;
	}
	assert_in_range(least, 0, HOUR / 50);
	assert_in_range(most, HOUR - HOUR / 50, HOUR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_jitter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
