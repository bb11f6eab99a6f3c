/* What becomes of expected firings: late, missed, caught up, skipped, counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "firing_core.h"

#define MINUTE (60 * USEC_SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static struct schedule_rule rule;
static struct firing firings[FIRINGS_MOST];
static struct firing_verdict verdict = { .firings = firings };

static usec_t
instant(const char *text)
{
	usec_t out = 0;

	assert_true(rfc3339_parse(text, strlen(text), &out));
	return out;
}

static struct firing_case
that(const char *cron, const char *expected, const char *now)
{
	struct err err = { 0 };
	struct schedule_words words = { .cron = cron };
	struct firing_case it = { .rule = &rule,
				  .expected = instant(expected),
				  .now = instant(now),
				  .catch_up = CATCH_UP_LAST,
				  .skip_overlap = true,
				  .runs_left = -1 };

	assert_int_equal(schedule_rule_read(&words, it.expected - MINUTE, &rule, &err),
			 0);
	return it;
}

static void
active(const char *start, const char *end)
{
	struct err err = { 0 };

	rule.has_hours = true;
	rule.hours.days = ACTIVE_DAYS_ALL;
	assert_int_equal(active_hours_time(start, 5, false, &rule.hours.start, &err),
			 0);
	assert_int_equal(active_hours_time(end, 5, true, &rule.hours.end, &err), 0);
}

/* A letter per entry: s started, a skipped for active hours, o for overlap, m missed, c
 * caught up, n no workflow, f failed. */
static void
becomes(const struct firing_case *it, const char *expected)
{
	char text[FIRINGS_MOST + 1];

	firing_decide(it, &verdict);
	for (size_t i = 0; i < verdict.count; i++)
		text[i] = "saomcnf"[firings[i].outcome];
	text[verdict.count] = '\0';
	assert_string_equal(text, expected);
}

static void
next_is(const char *expected)
{
	assert_false(verdict.over);
	assert_int_equal(verdict.next, instant(expected));
}

static void
test_on_time(void **state)
{
	struct firing_case it =
	    that("0 * * * *", "2025-01-01T10:00:00Z", "2025-01-01T10:00:00.002Z");

	(void)state;
	becomes(&it, "s");
	next_is("2025-01-01T11:00:00Z");
	it.now = it.expected - 1;
	becomes(&it, "");
	next_is("2025-01-01T10:00:00Z");
	it.now = instant("2025-01-01T10:01:00Z");
	becomes(&it, "s");
	it.last_alive = true;
	becomes(&it, "o");
	it.skip_overlap = false;
	becomes(&it, "s");
	it.refused = true;
	becomes(&it, "f");
	it.no_workflow = true;
	becomes(&it, "n");
	assert_int_equal(verdict.counted, 1);
}

/* A failover: what came due in its seconds is late, not missed. */
static void
test_seconds(void **state)
{
	struct firing_case it =
	    that("* * * * * *", "2025-01-01T10:00:00Z", "2025-01-01T10:00:04.5Z");

	(void)state;
	it.skip_overlap = false;
	becomes(&it, "sssss");
	it.skip_overlap = true;
	becomes(&it, "soooo");
	it.now = instant("2025-01-01T10:00:14Z");
	becomes(&it, "mmmmsoooooooooo");
	next_is("2025-01-01T10:00:15Z");
}

static void
test_missed(void **state)
{
	struct firing_case it =
	    that("0 * * * *", "2025-01-01T10:00:00Z", "2025-01-01T13:30:00Z");

	(void)state;
	becomes(&it, "mmmc");
	next_is("2025-01-01T14:00:00Z");
	it.catch_up = CATCH_UP_NONE;
	becomes(&it, "mmmm");
	it.catch_up = CATCH_UP_ALL;
	becomes(&it, "cccc");
	it.refused = true;
	becomes(&it, "ffff");
	it.refused = false;
	/* the newest one is on time: it stands for all */
	it.now = instant("2025-01-01T13:00:30Z");
	it.catch_up = CATCH_UP_LAST;
	becomes(&it, "mmms");
	it.catch_up = CATCH_UP_NONE;
	becomes(&it, "mmms");
	it.catch_up = CATCH_UP_ALL;
	becomes(&it, "ccco");
}

static void
test_forty_days(void **state)
{
	struct firing_case it =
	    that("* * * * *", "2025-01-01T00:00:00Z", "2025-02-10T00:00:30Z");
	size_t total = 0, started = 0, caught_up = 0;

	(void)state;
	it.catch_up = CATCH_UP_ALL;
	for (int turn = 0; turn < 60 && it.expected <= it.now; turn++) {
		firing_decide(&it, &verdict);
		for (size_t i = 0; i < verdict.count; i++) {
			assert_int_equal(firings[i].at,
					 it.expected + (usec_t)i * MINUTE);
			started += firings[i].outcome == FIRING_STARTED;
			caught_up += firings[i].outcome == FIRING_CAUGHT_UP_LATE;
		}
		total += verdict.count;
		it.expected = verdict.next;
	}
	assert_int_equal(total, 40 * 24 * 60 + 1);
	assert_int_equal(started, 0); /* the ones before it live */
	assert_int_equal(caught_up, 99);
}

static void
test_active_hours(void **state)
{
	struct firing_case it =
	    that("0 * * * *", "2025-01-01T15:00:00Z", "2025-01-01T20:30:00Z");

	(void)state;
	active("09:00", "18:00");
	becomes(&it, "mmmaaa"); /* closed now: nothing runs */
	it.now = instant("2025-01-02T09:30:00Z");
	becomes(&it, "mmmaaaaaaaaaaaaaaac");
	it.now = instant("2025-01-01T17:59:00Z");
	becomes(&it, "mmc");
	it.expected = it.now = instant("2025-01-01T18:00:00Z");
	becomes(&it, "a");
}

static void
test_max_runs(void **state)
{
	struct firing_case it =
	    that("0 * * * *", "2025-01-01T10:00:00Z", "2025-01-01T13:30:00Z");

	(void)state;
	it.runs_left = 2;
	it.catch_up = CATCH_UP_ALL;
	becomes(&it, "cc");
	assert_true(verdict.over && verdict.reached);
	it.catch_up = CATCH_UP_NONE;
	becomes(&it, "mmmm");
	assert_false(verdict.over || verdict.reached);
	it = that("0 0 10 1 1 * 2025", "2025-01-01T10:00:00Z", "2025-01-01T10:00:00Z");
	becomes(&it, "s");
	assert_true(verdict.over && !verdict.reached);
}

static void
test_jitter(void **state)
{
	struct firing_case it =
	    that("* * * * *", "2025-01-01T10:00:00Z", "2025-01-01T10:00:00Z");
	usec_t due;

	(void)state;
	it.schedule.b[0] = 7;
	it.jitter = 30 * USEC_SECOND;
	due = it.expected + schedule_jitter(&it.schedule, it.expected, it.jitter);
	assert_true(due > it.expected);
	becomes(&it, "");
	assert_int_equal(verdict.next, it.expected);
	assert_int_equal(verdict.due, due);
	it.now = due;
	becomes(&it, "s");
	next_is("2025-01-01T10:01:00Z");
}

static void
test_names(void **state)
{
	(void)state;
	assert_int_equal(catch_up_find("all"), CATCH_UP_ALL);
	assert_int_equal(catch_up_find("some"), CATCH_UPS);
	for (int i = 0; i < FIRING_OUTCOMES; i++)
		assert_non_null(firing_outcome_name((enum firing_outcome)i));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_on_time),      cmocka_unit_test(test_seconds),
		cmocka_unit_test(test_missed),       cmocka_unit_test(test_forty_days),
		cmocka_unit_test(test_active_hours), cmocka_unit_test(test_max_runs),
		cmocka_unit_test(test_jitter),       cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
