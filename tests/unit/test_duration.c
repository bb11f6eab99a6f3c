/* Durations: what is taken, what is refused and why, and the way back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"

#define H ((usec_t)3600 * USEC_SECOND)

static void
test_what_people_write(void **state)
{
	static const struct {
		const char *text;
		usec_t value;
	} cases[] = {
		{ "0s", 0 },
		{ "250ms", 250 * USEC_MS },
		{ "10s", 10 * USEC_SECOND },
		{ "1h30m", H + H / 2 },
		{ "2d", 48 * H },
		{ "1w", 168 * H },
		{ "1.5s", 1500 * USEC_MS },
		{ "0.5h", H / 2 },
		{ "1w2d3h4m5s6ms7us",
		  168 * H + 48 * H + 3 * H + 240 * USEC_SECOND + 5006007 },
		{ "7us", 7 },
		{ "1.9999999us", 1 },
		{ "0.333333333s", 333333 },
		{ "36525d", 36525 * 24 * H },
	};
	usec_t value;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err err = { 0 };

		value = -1;
		assert_int_equal(
		    duration_parse(cases[i].text, strlen(cases[i].text), &value, &err),
		    0);
		assert_int_equal(value, cases[i].value);
	}
}

static void
test_what_is_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "it is empty" },
		{ "10", "lacks its unit" },
		{ "1.5", "lacks its unit" },
		{ "s", "expected numbers" },
		{ "-1s", "expected numbers" },
		{ "+1s", "expected numbers" },
		{ " 1s", "expected numbers" },
		{ ".5s", "expected numbers" },
		{ "1s ", "expected numbers" },
		{ "1 s", "units are" },
		{ "1.s", "units are" },
		{ "1y", "units are" },
		{ "1S", "units are" },
		{ "1sec", "units are" },
		{ "1e3s", "units are" },
		{ "30m1h", "larger units come first" },
		{ "1h1h", "larger units come first" },
		{ "36526d", "more than 100 years" },
		{ "5218w", "more than 100 years" },
		{ "99999999999999999999999999999999999999999999d", "expected numbers" },
	};
	usec_t value = 42;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err err = { 0 };

		assert_int_equal(
		    duration_parse(cases[i].text, strlen(cases[i].text), &value, &err),
		    -1);
		assert_int_equal(err.kind, ERR_INPUT);
		if (strstr(err.text, cases[i].why) == NULL)
			fail_msg("\"%s\": %s", cases[i].text, err.text);
	}
	assert_int_equal(value, 42);
}

static void
test_length_counts_not_the_nul(void **state)
{
	usec_t value = 0;

	(void)state;
	assert_int_equal(duration_parse("10s5", 3, &value, NULL), 0);
	assert_int_equal(value, 10 * USEC_SECOND);
	assert_int_equal(duration_parse("1s\0", 3, &value, NULL), -1);
}

static void
test_format(void **state)
{
	static const struct {
		usec_t value;
		const char *text;
	} cases[] = {
		{ 0, "0s" },
		{ 1, "1us" },
		{ 1500, "1.5ms" },
		{ 250 * USEC_MS, "250ms" },
		{ 1500 * USEC_MS, "1.5s" },
		{ 1000001, "1.000001s" },
		{ 90 * USEC_SECOND, "1m30s" },
		{ H + H / 2, "1h30m" },
		{ 24 * H, "1d" },
		{ 168 * H, "1w" },
		{ 192 * H, "8d" },
		{ 25 * H + 1, "1d1h1us" },
		{ -1500 * USEC_MS, "-1.5s" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_string_equal(duration_format(cases[i].value, text, sizeof text),
				    cases[i].text);
}

static void
test_what_is_formatted_reads_back(void **state)
{
	char text[32];
	uint64_t seed = 1;
	usec_t value, back;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		value = (usec_t)((seed >> 11) >> (i % 50));
		if (value > (usec_t)36525 * 24 * H)
			continue;
		duration_format(value, text, sizeof text);
		assert_int_equal(duration_parse(text, strlen(text), &back, NULL), 0);
		assert_int_equal(back, value);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_people_write),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_length_counts_not_the_nul),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_what_is_formatted_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
