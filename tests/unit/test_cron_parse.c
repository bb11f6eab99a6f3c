/* Cron patterns as text: what is read into the sets, what is a wildcard, limits. What
 * is refused, and where, is in tests/tables/cron.txt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lang/cron_parse.h"

static struct cron
parse(const char *text)
{
	struct err err = { 0 };
	struct cron cron;

	if (cron_parse(text, strlen(text), &cron, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return cron;
}

static void
test_sets(void **state)
{
	struct cron cron =
	    parse("1,3-5 */20 8-12/2 15,L,10W FEB,nov MON#2,5L 2024-2026");

	(void)state;
	assert_int_equal(cron.seconds, 0x3a);
	assert_int_equal(cron.minutes, 1 | 1 << 20 | (uint64_t)1 << 40);
	assert_int_equal(cron.hours, 1 << 8 | 1 << 10 | 1 << 12);
	assert_int_equal(cron.days, 1 << 15);
	assert_int_equal(cron.near_days, 1 << 10);
	assert_true(cron.last_day);
	assert_false(cron.last_weekday);
	assert_int_equal(cron.months, 1 << 2 | 1 << 11);
	assert_int_equal(cron.weekdays[1], 2);
	assert_int_equal(cron.weekdays[5], 1 << CRON_NTH_LAST);
	assert_int_equal(cron.weekdays[0], 0);
	assert_true(cron.days_given);
	assert_true(cron.weekdays_given);
	assert_false(cron.both_days);
	assert_false(cron.every_year);
	assert_int_equal(cron.years[2024 / 64] >> (2024 % 64) & 7, 7);
}

static void
test_sunday_has_two_numbers(void **state)
{
	static const char *const texts[] = { "* * * * 0",   "* * * * 7",
					     "* * * * sun", "* * * * SUN-SUN",
					     "* * * * 0-7", "* * * * SAT-SUN" };
	static const int counts[] = { 1, 1, 1, 7, 7, 2 };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct cron cron = parse(texts[i]);
		int count = 0;

		for (int day = 0; day < 7; day++)
			count += cron.weekdays[day] == CRON_NTH_ALL;
		assert_int_equal(cron.weekdays[0], CRON_NTH_ALL);
		assert_int_equal(count, counts[i]);
	}
}

static void
test_what_follows_elapsed_time(void **state)
{
	static const struct {
		const char *text;
		bool elapsed;
	} cases[] = {
		{ "0 9 * * *", false },     { "0,30 9-17 * * *", false },
		{ "0 0-23 * * *", false },  { "* 0 9 * * *", false },
		{ "*/5 0 9 * * *", false }, { "* 9 * * *", true },
		{ "0 * * * *", true },      { "0,*/30 9 * * *", true },
		{ "0-59/5 9 * * *", true }, { "0 8-20/1 * * *", true },
		{ "@hourly", true },        { "@daily", false },
		{ "*,5 9 * * *", true },    { "daily at 9", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (parse(cases[i].text).follows_elapsed != cases[i].elapsed)
			fail_msg("%s", cases[i].text);
}

static void
test_days_that_are_not_given(void **state)
{
	(void)state;
	assert_false(parse("0 0 * * 1").days_given);
	assert_false(parse("0 0 ? * 1").days_given);
	assert_true(parse("0 0 */2 * 1").days_given);
	assert_false(parse("0 0 1 * ?").weekdays_given);
	assert_false(parse("0 0 1 * +*").weekdays_given);
	assert_true(parse("0 0 1 * +1").both_days);
	assert_true(parse("0 0 0 1 1 * *").every_year);
}

static void
test_space_and_limits(void **state)
{
	char text[CRON_TEXT_MAX + 2];
	struct err err = { 0 };
	struct cron cron;

	(void)state;
	parse("  0\t0  *  * *  ");
	parse(" @daily ");
	parse("\tdaily at 9 ");
	assert_int_equal(parse("@EVERY  1h30m").every, 5400 * USEC_SECOND);
	memset(text, ' ', sizeof text);
	assert_int_equal(cron_parse(text, 5, &cron, &err), -1);
	assert_string_equal(err.text, "the schedule is empty");
	assert_int_equal(cron_parse("", 0, &cron, &err), -1);
	memcpy(text, "@daily", 6);
	assert_int_equal(cron_parse(text, CRON_TEXT_MAX, &cron, &err), 0);
	assert_int_equal(cron_parse(text, CRON_TEXT_MAX + 1, &cron, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_int_equal(cron_parse("* * * *\0*", 9, &cron, &err), -1);
	assert_int_equal(cron_parse("* * * * \xff", 9, &cron, &err), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_sunday_has_two_numbers),
		cmocka_unit_test(test_what_follows_elapsed_time),
		cmocka_unit_test(test_days_that_are_not_given),
		cmocka_unit_test(test_space_and_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
