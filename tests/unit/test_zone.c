/* Wall time at the edges of daylight saving, the calendar, RFC 3339. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "zone/zone.h"

/* The instant as "2024-03-31 01:59:59.999999 +3600 7 91" in the zone. */
static const char *
wall_text(const char *name, const char *instant_text, char out[static 100])
{
	struct err err = { 0 };
	const struct zone *zone = zone_get(name, &err);
	struct wall wall;
	usec_t instant;

	if (zone == NULL)
		fail_msg("%s", err.text);
	assert_true(rfc3339_parse(instant_text, strlen(instant_text), &instant));
	wall = zone_wall(zone, instant);
	snprintf(out, 100, "%04d-%02d-%02d %02d:%02d:%02d.%06d %+d %d %d", wall.year,
		 wall.month, wall.day, wall.hour, wall.minute, wall.second, wall.usec,
		 wall.offset, wall.weekday, wall.year_day);
	return out;
}

static void
test_wall_time(void **state)
{
	static const struct {
		const char *zone, *instant, *wall;
	} cases[] = {
		{ "UTC", "1970-01-01T00:00:00Z", "1970-01-01 00:00:00.000000 +0 4 1" },
		{ "UTC", "1969-12-31T23:59:59.999999Z",
		  "1969-12-31 23:59:59.999999 +0 3 365" },
		{ "UTC", "2000-02-29T12:00:00.5Z",
		  "2000-02-29 12:00:00.500000 +0 2 60" },
		{ "UTC", "2024-12-31T00:00:00Z",
		  "2024-12-31 00:00:00.000000 +0 2 366" },
		/* spring: 2 o'clock does not exist */
		{ "Europe/Berlin", "2024-03-31T00:59:59.999999Z",
		  "2024-03-31 01:59:59.999999 +3600 7 91" },
		{ "Europe/Berlin", "2024-03-31T01:00:00Z",
		  "2024-03-31 03:00:00.000000 +7200 7 91" },
		/* autumn: 2 o'clock comes twice */
		{ "Europe/Berlin", "2024-10-27T00:30:00Z",
		  "2024-10-27 02:30:00.000000 +7200 7 301" },
		{ "Europe/Berlin", "2024-10-27T01:30:00Z",
		  "2024-10-27 02:30:00.000000 +3600 7 301" },
		{ "America/New_York", "2024-01-01T04:59:59Z",
		  "2023-12-31 23:59:59.000000 -18000 7 365" },
		{ "America/New_York", "2024-11-03T06:00:00Z",
		  "2024-11-03 01:00:00.000000 -18000 7 308" },
		{ "Asia/Kathmandu", "2024-01-01T00:00:00Z",
		  "2024-01-01 05:45:00.000000 +20700 1 1" },
		{ "Australia/Lord_Howe", "2024-04-06T15:00:00Z",
		  "2024-04-07 01:30:00.000000 +37800 7 98" },
		{ "Pacific/Apia", "2011-12-30T10:00:00Z", /* a day that never was */
		  "2011-12-31 00:00:00.000000 +50400 6 365" },
		{ "America/Argentina/Buenos_Aires", "2024-07-01T00:00:00Z",
		  "2024-06-30 21:00:00.000000 -10800 7 182" },
		{ "Etc/GMT+5", "2024-01-01T00:00:00Z",
		  "2023-12-31 19:00:00.000000 -18000 7 365" },
		{ "EST5EDT", "2024-07-01T00:00:00Z",
		  "2024-06-30 20:00:00.000000 -14400 7 182" },
		{ "+02:00", "2024-01-01T00:00:00Z",
		  "2024-01-01 02:00:00.000000 +7200 1 1" },
		{ "-05:30", "2024-01-01T00:00:00Z",
		  "2023-12-31 18:30:00.000000 -19800 7 365" },
		{ "+00:00", "2024-01-01T00:00:00Z",
		  "2024-01-01 00:00:00.000000 +0 1 1" },
		/* the rules of today reach past the end of the tables */
		{ "Europe/Berlin", "2099-07-01T00:00:00Z",
		  "2099-07-01 02:00:00.000000 +7200 3 182" },
		{ "UTC", "9999-12-31T23:59:59Z",
		  "9999-12-31 23:59:59.000000 +0 5 365" },
		{ "UTC", "0000-03-01T00:00:00Z", "0000-03-01 00:00:00.000000 +0 3 61" },
	};
	char text[100];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_string_equal(wall_text(cases[i].zone, cases[i].instant, text),
				    cases[i].wall);
}

static void
test_names_that_are_none(void **state)
{
	static const char *const names[] = {
		"",
		"Europe/Atlantis",
		"europe/berlin",
		"Europe",
		"Europe/",
		"/Europe/Berlin",
		"Europe//Berlin",
		"../../etc/passwd",
		"Europe/../UTC",
		"Europe/Berlin ",
		"ABC5",
		"GMT+5",
		"XYZ-7:30",
		"right/UTC",
		"posix/UTC",
		"localtime",
		"leapseconds",
		"zone.tab",
		"+2",
		"+0200",
		"+24:00",
		"+02:60",
		"+29:00",
		"+02:00:00",
		"02:00",
		"+a2:00",
		":UTC",
		"UTC\n",
		"Z\xff",
		"A/"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aa",
	};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct err err = { 0 };

		if (zone_get(names[i], &err) != NULL)
			fail_msg("\"%s\" is taken for a zone", names[i]);
		assert_int_equal(err.kind, ERR_INPUT);
		assert_non_null(strstr(err.text, "unknown time zone \""));
	}
	assert_null(zone_get("Nowhere", NULL));
}

static void
test_zones_are_kept(void **state)
{
	(void)state;
	assert_ptr_equal(zone_get("Asia/Tokyo", NULL), zone_get("Asia/Tokyo", NULL));
	assert_ptr_not_equal(zone_get("Asia/Tokyo", NULL),
			     zone_get("Asia/Seoul", NULL));
}

/* Walks the calendar day by day against the plain rules. */
static void
test_the_calendar_day_by_day(void **state)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year = -401, month = 1, day = 1, y, m, d, length;
	bool leap;

	(void)state;
	for (int64_t days = civil_days(year, month, day); year < 2801; days++) {
		civil_date(days, &y, &m, &d);
		if (y != year || m != month || d != day ||
		    civil_days(year, month, day) != days)
			fail_msg("%d-%d-%d is %d-%d-%d", year, month, day, y, m, d);
		leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
		length = lengths[month - 1] + (month == 2 && leap);
		if (++day > length) {
			day = 1;
			month++;
		}
		if (month > 12) {
			month = 1;
			year++;
		}
	}
	assert_int_equal(civil_days(1970, 1, 1), 0);
	assert_int_equal(civil_days(2000, 3, 1), 11017);
}

static void
test_rfc3339_reads(void **state)
{
	static const struct {
		const char *text;
		usec_t instant;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01t00:00:01z", 1000000 },
		{ "1970-01-01 00:00:01Z", 1000000 },
		{ "1970-01-01T00:00:00.1Z", 100000 },
		{ "1970-01-01T00:00:00.123456789Z", 123456 },
		{ "1970-01-01T02:00:00+02:00", 0 },
		{ "1969-12-31T18:30:00-05:30", 0 },
		{ "1970-01-01T00:00:00-00:00", 0 },
		{ "1969-12-31T23:59:59.999999Z", -1 },
		{ "2024-02-29T00:00:00Z", 1709164800000000 },
		{ "2016-12-31T23:59:60Z", 1483228800000000 },
		{ "0000-01-01T00:00:00Z", -62167219200000000 },
		{ "9999-12-31T23:59:59.999999Z", 253402300799999999 },
	};
	usec_t instant;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		instant = -7;
		if (!rfc3339_parse(cases[i].text, strlen(cases[i].text), &instant) ||
		    instant != cases[i].instant)
			fail_msg("%s reads as %lld", cases[i].text, (long long)instant);
	}
}

static void
test_rfc3339_refuses(void **state)
{
	static const char *const texts[] = {
		"",
		"1970",
		"1970-01-01",
		"1970-01-01T00:00:00",
		"1970-01-01T00:00Z",
		"1970-01-01T00:00:00.Z",
		"1970-01-01T00:00:00,5Z",
		"1970-1-01T00:00:00Z",
		"1970-13-01T00:00:00Z",
		"1970-00-01T00:00:00Z",
		"1970-01-00T00:00:00Z",
		"1970-01-32T00:00:00Z",
		"2023-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z",
		"1970-04-31T00:00:00Z",
		"1970-01-01T24:00:00Z",
		"1970-01-01T00:60:00Z",
		"1970-01-01T00:00:61Z",
		"1970-01-01T00:00:00+2:00",
		"1970-01-01T00:00:00+0200",
		"1970-01-01T00:00:00+24:00",
		"1970-01-01T00:00:00+00:60",
		"1970-01-01T00:00:00 Z",
		"1970-01-01T00:00:00ZZ",
		"1970-01-01X00:00:00Z",
		" 1970-01-01T00:00:00Z",
		"+970-01-01T00:00:00Z",
		"19700-01-01T00:00:00Z",
		"-001-01-01T00:00:00Z",
		"0000-01-01T00:00:00+00:01",
		"9999-12-31T23:59:59-00:01",
		"9999-12-31T23:59:60Z",
	};
	usec_t instant = 42;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (rfc3339_parse(texts[i], strlen(texts[i]), &instant))
			fail_msg("%s is taken", texts[i]);
	assert_false(rfc3339_parse("1970-01-01T00:00:00Z\0", 21, &instant));
	assert_false(rfc3339_parse("1970-01-01\0T00:00:00Z", 21, &instant));
	assert_int_equal(instant, 42);
	for (size_t len = 0; len < 27; len++)
		assert_false(
		    rfc3339_parse("1970-01-01T00:00:00.123456Z", len, &instant));
}

static void
test_rfc3339_writes_what_it_reads(void **state)
{
	static const char *const texts[] = {
		"1970-01-01T00:00:00Z",     "1969-12-31T23:59:59.999999Z",
		"2024-02-29T23:59:59.120Z", "2024-02-29T00:00:00.000001Z",
		"0000-01-01T00:00:00Z",     "9999-12-31T23:59:59.999Z",
	};
	char out[40];
	usec_t instant, back;
	uint64_t seed = 5;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_true(rfc3339_parse(texts[i], strlen(texts[i]), &instant));
		assert_string_equal(rfc3339_format(instant, out), texts[i]);
	}
	for (int i = 0; i < 20000; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		instant = (usec_t)(seed >> 11) % 253402300800000000;
		rfc3339_format(instant, out);
		assert_true(rfc3339_parse(out, strlen(out), &back));
		assert_int_equal(back, instant);
	}
	assert_true(strlen(rfc3339_format(INT64_MAX, out)) < 40);
	assert_true(strlen(rfc3339_format(INT64_MIN, out)) < 40);
}

/* ---- spans ---- */

/* Neighbours meet, and inside each the offset is what zone_wall says. */
static void
check_spans(const char *name, int count)
{
	struct err err = { 0 };
	const struct zone *zone = zone_get(name, &err);
	struct zone_span span, next;

	assert_non_null(zone);
	span = zone_span(zone, -4000000000);
	assert_int_equal(span.start, INT64_MIN);
	for (int i = 0; i < count; i++) {
		if (span.end == INT64_MAX)
			return;
		assert_int_equal(zone_wall(zone, span.end * USEC_SECOND - 1).offset,
				 span.offset);
		next = zone_span(zone, span.end);
		assert_int_equal(next.start, span.end);
		assert_true(next.end > next.start);
		assert_int_equal(zone_wall(zone, next.start * USEC_SECOND).offset,
				 next.offset);
		if (next.end != INT64_MAX) {
			struct zone_span again = zone_span(zone, next.end - 1);

			assert_int_equal(again.start, next.start);
			assert_int_equal(again.end, next.end);
		}
		span = next;
	}
}

static void
test_spans(void **state)
{
	struct err err = { 0 };
	struct zone_span span = zone_span(zone_get("Europe/Berlin", &err), 1711846800);

	(void)state;
	assert_int_equal(span.start, 1711846800); /* 2024-03-31T01:00:00Z */
	assert_int_equal(span.end, 1729990800);   /* 2024-10-27T01:00:00Z */
	assert_int_equal(span.offset, 7200);
	span = zone_span(zone_get("UTC", &err), 0);
	assert_int_equal(span.start, INT64_MIN);
	assert_int_equal(span.end, INT64_MAX);
	assert_int_equal(span.offset, 0);
	assert_int_equal(zone_span(zone_get("-05:30", &err), 0).offset, -19800);
	check_spans("Europe/Berlin", 400);
	check_spans("Pacific/Apia", 400);
	check_spans("Australia/Lord_Howe", 400);
	check_spans("Africa/Casablanca", 400);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wall_time),
		cmocka_unit_test(test_names_that_are_none),
		cmocka_unit_test(test_zones_are_kept),
		cmocka_unit_test(test_the_calendar_day_by_day),
		cmocka_unit_test(test_rfc3339_reads),
		cmocka_unit_test(test_rfc3339_refuses),
		cmocka_unit_test(test_rfc3339_writes_what_it_reads),
		cmocka_unit_test(test_spans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
