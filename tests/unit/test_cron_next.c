/* When schedules fire: tests/tables/cron.txt forwards and backwards, and every second
 * of days with an edge compared with what the wall shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "lang/cron_local.h"
#include "lang/cron_next.h"
#include "text_file.h"

#define FIRINGS_MAX 10

static usec_t
instant(const char *text)
{
	usec_t out;

	if (!rfc3339_parse(text, strlen(text), &out))
		fail_msg("no instant: %s", text);
	return out;
}

static const struct zone *
zone_named(const char *name)
{
	struct err err = { 0 };
	const struct zone *zone = zone_get(name, &err);

	if (zone == NULL)
		fail_msg("%s", err.text);
	return zone;
}

static void
add_firing(struct buf *out, const struct zone *zone, const struct cron_firing *firing)
{
	struct wall wall = zone_wall(zone, firing->at);
	int minutes = wall.offset / 60;
	int distance = minutes < 0 ? -minutes : minutes;

	buf_printf(out, "%s%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d%s",
		   out->len > 0 ? ", " : "", wall.year, wall.month, wall.day, wall.hour,
		   wall.minute, wall.second, minutes < 0 ? '-' : '+', distance / 60,
		   distance % 60, firing->after_gap ? " gap" : "");
}

/* From behind the last firing back to the first: the same ones. */
static void
check_backwards(const char *line, const struct cron *cron, const struct zone *zone,
		usec_t after, const struct cron_firing *firings, int count)
{
	struct cron_firing firing;
	usec_t before = count > 0 ? firings[count - 1].at + 1 : after;

	for (int i = count - 1; i >= 0; i--) {
		if (!cron_previous(cron, zone, after, before, &firing) ||
		    firing.at != firings[i].at ||
		    firing.after_gap != firings[i].after_gap)
			fail_msg("backwards at %d: %s", i, line);
		before = firing.at;
	}
	if (cron_previous(cron, zone, after, before, &firing))
		assert_true(firing.at <= after);
}

static void
check_firings(const char *line, const struct cron *cron, const char *zone_name,
	      const char *after_text, const char *expected)
{
	const struct zone *zone = zone_named(zone_name);
	struct cron_firing firings[FIRINGS_MAX];
	struct buf got = { 0 };
	usec_t after = instant(after_text), from = after;
	int wanted = 1, count = 0;

	for (const char *at = expected; (at = strstr(at, ", ")) != NULL; at += 2)
		wanted++;
	assert_in_range(wanted, 1, FIRINGS_MAX);
	while (count < wanted) {
		if (!cron_next(cron, zone, after, from, &firings[count])) {
			buf_str(&got, got.len > 0 ? ", never" : "never");
			break;
		}
		assert_true(firings[count].at > from);
		add_firing(&got, zone, &firings[count]);
		from = firings[count++].at;
	}
	if (strcmp(buf_text(&got), expected) != 0)
		fail_msg("%s\n  got %s", line, buf_text(&got));
	check_backwards(line, cron, zone, after, firings, count);
	buf_fini(&got);
}

/* "schedule | zone | after -> expected" */
static void
check_line(char *line)
{
	char copy[400], *save = NULL;
	char *schedule, *zone, *after, *expected = strstr(line, " -> ");
	struct cron cron;
	struct err err = { 0 };

	assert_non_null(expected);
	snprintf(copy, sizeof copy, "%.*s", (int)(expected - line), line);
	expected += 4;
	schedule = strtok_r(copy, "|", &save);
	zone = strtok_r(NULL, "| ", &save);
	after = strtok_r(NULL, "| ", &save);
	assert_non_null(after);
	if (cron_parse(schedule, strlen(schedule), &cron, &err) == 0)
		check_firings(line, &cron, zone, after, expected);
	else if (strncmp(expected, "error: ", 7) != 0 ||
		 strcmp(err.text, expected + 7) != 0)
		fail_msg("%s\n  got error: %s", line, err.text);
}

static void
test_table(void **state)
{
	char *text = text_file_read(TESTS_DIR "/tables/cron.txt", NULL), *save = NULL;
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
	assert_true(lines > 90);
	free(text);
}

/* ---- each second around an edge ---- */

static bool
shows(const struct cron *cron, int64_t wall)
{
	int64_t days = wall / 86400 - (wall % 86400 < 0);
	int second = (int)(wall - days * 86400);

	return second % 60 == 0 && (cron->minutes >> (second / 60 % 60) & 1) &&
	       (cron->hours >> (second / 3600) & 1);
}

/* A pattern that follows elapsed time fires exactly when the wall shows its time. */
static void
check_elapsed(const char *schedule, const char *zone_name, const char *from_text)
{
	const struct zone *zone = zone_named(zone_name);
	int64_t from = instant(from_text) / USEC_SECOND;
	struct zone_span span = zone_span(zone, from);
	struct cron_firing next, last;
	struct err err = { 0 };
	struct cron cron;

	assert_int_equal(cron_parse(schedule, strlen(schedule), &cron, &err), 0);
	assert_true(cron.follows_elapsed);
	assert_true(cron_next(&cron, zone, 0, from * USEC_SECOND - 1, &next));
	for (int64_t at = from; at < from + 3 * 86400; at++) {
		if (at == span.end)
			span = zone_span(zone, at);
		if ((next.at == at * USEC_SECOND) != shows(&cron, at + span.offset))
			fail_msg("%s %s: %lld", schedule, zone_name, (long long)at);
		if (next.at != at * USEC_SECOND)
			continue;
		assert_true(cron_previous(&cron, zone, 0, next.at + 1, &last));
		assert_int_equal(last.at, next.at);
		assert_true(cron_next(&cron, zone, 0, next.at, &next));
		assert_true(cron_previous(&cron, zone, 0, next.at, &last));
		assert_int_equal(last.at, at * USEC_SECOND);
	}
}

static const struct {
	const char *zone, *from;
} edges[] = {
	{ "Europe/Berlin", "2024-03-30T00:00:00Z" },
	{ "Europe/Berlin", "2024-10-26T00:00:00Z" },
	{ "Australia/Lord_Howe", "2024-10-05T00:00:00Z" },
	{ "Australia/Lord_Howe", "2024-04-05T12:00:00Z" },
	{ "Pacific/Apia", "2011-12-29T00:00:00Z" },
	{ "America/Havana", "2024-11-02T00:00:00Z" },
	{ "Asia/Pyongyang", "2015-08-13T12:00:00Z" },
	{ "UTC", "2024-02-28T00:00:00Z" },
	{ "Antarctica/Troll", "2024-10-26T00:00:00Z" }, /* two hours */
	{ "Asia/Manila", "1844-12-30T00:00:00Z" },     /* a day, not in whole minutes */
	{ "America/Juneau", "1867-10-17T00:00:00Z" },  /* a day comes twice */
	{ "Africa/Monrovia", "1972-01-06T00:00:00Z" }, /* 44 minutes and 30 seconds */
};

static void
test_elapsed_time_is_what_the_wall_shows(void **state)
{
	static const char *const schedules[] = { "* * * * *", "*/7 * * * *",
						 "30 */2 * * *", "*/20 0-3 * * *",
						 "15 * * * *" };

	(void)state;
	for (size_t i = 0; i < sizeof schedules / sizeof schedules[0]; i++)
		for (size_t j = 0; j < sizeof edges / sizeof edges[0]; j++)
			check_elapsed(schedules[i], edges[j].zone, edges[j].from);
}

/* The latest time that the wall has shown until this second, not counting it. */
static int64_t
latest_shown(const struct zone *zone, int64_t second)
{
	struct zone_span span = zone_span(zone, second - 200000);
	int64_t latest = INT64_MIN;

	for (; span.start < second; span = zone_span(zone, span.end)) {
		int64_t last = span.end < second ? span.end - 1 : second - 1;

		if (last + span.offset > latest)
			latest = last + span.offset;
		if (span.end == INT64_MAX)
			break;
	}
	return latest;
}

/* A fixed time fires in the second in which the wall first shows it, or jumps over it.
 */
static void
check_fixed(const char *schedule, const char *zone_name, const char *from_text)
{
	const struct zone *zone = zone_named(zone_name);
	int64_t from = instant(from_text) / USEC_SECOND, latest, wall, named;
	struct zone_span span = zone_span(zone, from);
	struct cron_firing next, last;
	struct err err = { 0 };
	struct cron cron;

	assert_int_equal(cron_parse(schedule, strlen(schedule), &cron, &err), 0);
	assert_false(cron.follows_elapsed);
	latest = latest_shown(zone, from);
	assert_true(cron_next(&cron, zone, 0, from * USEC_SECOND - 1, &next));
	assert_true(cron_local_seek(&cron, latest + 1, 1, &named));
	for (int64_t at = from; at < from + 3 * 86400; at++) {
		if (at == span.end)
			span = zone_span(zone, at);
		wall = at + span.offset;
		if ((next.at == at * USEC_SECOND) != (wall > latest && named <= wall))
			fail_msg("%s %s: %lld", schedule, zone_name, (long long)at);
		latest = wall > latest ? wall : latest;
		if (next.at != at * USEC_SECOND)
			continue;
		assert_true(cron_local_seek(&cron, latest + 1, 1, &named));
		assert_true(cron_next(&cron, zone, 0, next.at, &next));
		assert_true(cron_previous(&cron, zone, 0, next.at, &last));
		assert_int_equal(last.at, at * USEC_SECOND);
	}
}

static void
test_a_fixed_time_fires_when_the_wall_gets_there(void **state)
{
	static const char *const schedules[] = { "0,30 0-23 * * *",
						 "*/20 15,59 0-23 * * *", "0 0 * * *" };

	(void)state;
	for (size_t i = 0; i < sizeof schedules / sizeof schedules[0]; i++)
		for (size_t j = 0; j < sizeof edges / sizeof edges[0]; j++)
			check_fixed(schedules[i], edges[j].zone, edges[j].from);
}

/* ---- ends of time, @every ---- */

static void
test_ends_of_time(void **state)
{
	static const char *const schedules[] = { "0 0 * * *", "* * * * *",
						 "@every 36500d" };
	const struct zone *zone = zone_named("America/New_York");
	struct cron_firing firing;
	struct err err = { 0 };
	struct cron cron;

	(void)state;
	for (size_t i = 0; i < sizeof schedules / sizeof schedules[0]; i++) {
		const char *text = schedules[i];

		assert_int_equal(cron_parse(text, strlen(text), &cron, &err), 0);
		assert_false(cron_next(&cron, zone, 0, INT64_MAX, &firing));
		assert_false(cron_previous(&cron, zone, INT64_MIN, INT64_MIN, &firing));
		assert_true(cron_next(&cron, zone, INT64_MIN, INT64_MIN, &firing));
		assert_true(cron_previous(&cron, zone, 0, INT64_MAX, &firing));
	}
}

static void
test_every_counts_from_the_anchor(void **state)
{
	const struct zone *zone = zone_named("UTC");
	struct cron_firing firing;
	struct err err = { 0 };
	struct cron cron;

	(void)state;
	assert_int_equal(cron_parse("@every 10s", 10, &cron, &err), 0);
	assert_true(cron_next(&cron, zone, 5, -1000 * USEC_SECOND, &firing));
	assert_int_equal(firing.at, 10 * USEC_SECOND + 5);
	assert_true(cron_next(&cron, zone, 5, firing.at, &firing));
	assert_int_equal(firing.at, 20 * USEC_SECOND + 5);
	assert_true(cron_previous(&cron, zone, 5, firing.at, &firing));
	assert_int_equal(firing.at, 10 * USEC_SECOND + 5);
	assert_false(cron_previous(&cron, zone, 5, firing.at, &firing));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_elapsed_time_is_what_the_wall_shows),
		cmocka_unit_test(test_a_fixed_time_fires_when_the_wall_gets_there),
		cmocka_unit_test(test_ends_of_time),
		cmocka_unit_test(test_every_counts_from_the_anchor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
