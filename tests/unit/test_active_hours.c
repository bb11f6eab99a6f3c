/* Active hours, by tests/tables/active_hours.txt; and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "lang/active_hours.h"
#include "text_file.h"

static void
check_line(const char *line)
{
	char start[8], end[8], days[16], zone_name[64], at[64], expected[8];
	struct active_hours hours = { 0 };
	struct err err = { 0 };
	const struct zone *zone;
	struct wall wall;
	usec_t instant;

	assert_int_equal(sscanf(line, "%7s %7s %15s | %63s | %63s -> %7s", start, end,
				days, zone_name, at, expected),
			 6);
	assert_int_equal(active_hours_time(start, 5, false, &hours.start, &err), 0);
	assert_int_equal(active_hours_time(end, 5, true, &hours.end, &err), 0);
	for (const char *day = days; *day != '\0'; day++)
		assert_int_equal(active_hours_day(&hours, *day - '0', &err), 0);
	zone = zone_get(zone_name, &err);
	assert_non_null(zone);
	assert_true(rfc3339_parse(at, strlen(at), &instant));
	wall = zone_wall(zone, instant);
	if (active_hours_open(&hours, &wall) != (strcmp(expected, "open") == 0))
		fail_msg("%s", line);
}

static void
test_table(void **state)
{
	char *text = text_file_read(TESTS_DIR "/tables/active_hours.txt", NULL);
	char *save = NULL;
	int lines = 0;

	(void)state;
	assert_non_null(text);
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		if (line[0] == '#')
			continue;
		check_line(line);
		lines++;
	}
	assert_true(lines > 25);
	free(text);
}

static void
test_what_is_refused(void **state)
{
	static const char *const bad[] = { "",      "9:00",  "09:0",  "24:00",
					   "12:60", "ab:cd", "09-00", "09:000" };
	struct active_hours hours = { 0 };
	struct err err = { 0 };
	int time;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(
		    active_hours_time(bad[i], strlen(bad[i]), false, &time, &err), -1);
		assert_int_equal(err.kind, ERR_INPUT);
	}
	assert_int_equal(active_hours_time("24:00", 5, true, &time, &err), 0);
	assert_int_equal(time, 1440);
	assert_int_equal(active_hours_time("24:01", 5, true, &time, &err), -1);
	assert_int_equal(active_hours_day(&hours, -1, &err), -1);
	assert_int_equal(active_hours_day(&hours, 8, &err), -1);
	for (int day = 0; day <= 6; day++)
		assert_int_equal(active_hours_day(&hours, day, &err), 0);
	assert_int_equal(hours.days, ACTIVE_DAYS_ALL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
