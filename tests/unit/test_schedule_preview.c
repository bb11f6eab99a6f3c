/* The coming firings as JSON: notes of both kinds, the end of a schedule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "lang/schedule_preview.h"

static void
check(const char *schedule, const char *zone, const char *after, int count,
      const struct active_hours *hours, const char *expected)
{
	struct err err = { 0 };
	struct json *list;
	struct cron cron;
	usec_t instant;
	char *text;

	assert_int_equal(cron_parse(schedule, strlen(schedule), &cron, &err), 0);
	assert_true(rfc3339_parse(after, strlen(after), &instant));
	list = schedule_preview(&cron, zone_get(zone, &err), instant, count, hours);
	text = json_text(list);
	assert_string_equal(text, expected);
	free(text);
	json_unref(&list);
}

static void
test_notes(void **state)
{
	const struct active_hours night = { 120, 180, ACTIVE_DAYS_ALL };

	(void)state;
	check("30 2 * * *", "Europe/Berlin", "2024-03-30T12:00:00Z", 2, NULL,
	      "[{\"at\":\"2024-03-31T01:00:00Z\","
	      "\"local\":\"2024-03-31T03:00:00+02:00\",\"note\":\"after the gap\"},"
	      "{\"at\":\"2024-04-01T00:30:00Z\","
	      "\"local\":\"2024-04-01T02:30:00+02:00\"}]");
	check("30 2 * * *", "Europe/Berlin", "2024-03-30T12:00:00Z", 1, &night,
	      "[{\"at\":\"2024-03-31T01:00:00Z\","
	      "\"local\":\"2024-03-31T03:00:00+02:00\","
	      "\"note\":\"after the gap, skipped by active hours\"}]");
	check("0 2,4 * * *", "America/St_Johns", "2024-01-01T12:00:00Z", 2, &night,
	      "[{\"at\":\"2024-01-02T05:30:00Z\","
	      "\"local\":\"2024-01-02T02:00:00-03:30\"},"
	      "{\"at\":\"2024-01-02T07:30:00Z\","
	      "\"local\":\"2024-01-02T04:00:00-03:30\","
	      "\"note\":\"skipped by active hours\"}]");
}

static void
test_the_end(void **state)
{
	(void)state;
	check("0 0 30 2 *", "UTC", "2024-01-01T00:00:00Z", 5, NULL, "[]");
	check("0 0 0 1 1 * 2025", "UTC", "2024-01-01T00:00:00Z", 5, NULL,
	      "[{\"at\":\"2025-01-01T00:00:00Z\","
	      "\"local\":\"2025-01-01T00:00:00+00:00\"}]");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
