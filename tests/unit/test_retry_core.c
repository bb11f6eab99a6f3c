/* Delays against a table, jitter within its bounds, and when trying again ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "engine/retry_core.h"
#include "text_file.h"

static enum backoff
backoff_of(const char *name)
{
	if (strcmp(name, "fixed") == 0)
		return BACKOFF_FIXED;
	if (strcmp(name, "linear") == 0)
		return BACKOFF_LINEAR;
	assert_string_equal(name, "exponential");
	return BACKOFF_EXPONENTIAL;
}

static void
check_line(const char *line)
{
	static const uint64_t randoms[] = { 0, 1, 12345, UINT64_MAX / 3, UINT64_MAX };
	struct retry retry = { .max_attempts = 3 };
	long long delay, max, expected;
	usec_t got;
	char name[32];
	int failures;

	if (sscanf(line, "%31s %lld %lld %d -> %lld", name, &delay, &max, &failures,
		   &expected) != 5)
		fail_msg("not a line of the table: %s", line);
	retry.backoff = backoff_of(name);
	retry.delay = delay * USEC_MS;
	retry.max_delay = max * USEC_MS;
	got = retry_delay(&retry, failures, 77);
	if (got != expected * USEC_MS)
		fail_msg("%s: got %lld us", line, (long long)got);
	retry.jitter = true;
	for (size_t i = 0; i < sizeof randoms / sizeof randoms[0]; i++) {
		got = retry_delay(&retry, failures, randoms[i]);
		assert_true(got >= expected * USEC_MS / 2);
		assert_true(got <= expected * USEC_MS);
	}
}

static void
test_table(void **state)
{
	char *text = text_file_read(TESTS_DIR "/tables/retry.txt", NULL), *save = NULL;
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
	assert_true(lines > 30);
	free(text);
}

static void
test_jitter_reaches_both_ends(void **state)
{
	const struct retry retry = { 5, BACKOFF_FIXED, 10, 10, true };
	bool seen[11] = { false };

	(void)state;
	for (uint64_t random = 0; random < 100; random++) {
		usec_t delay = retry_delay(&retry, 1, random);

		assert_in_range(delay, 5, 10);
		seen[delay] = true;
	}
	for (int i = 5; i <= 10; i++)
		assert_true(seen[i]);
}

static void
test_attempts_are_counted_without_losses(void **state)
{
	struct retry retry = { .max_attempts = 3 };

	(void)state;
	assert_true(retry_again(&retry, 1, 0));
	assert_true(retry_again(&retry, 2, 0));
	assert_false(retry_again(&retry, 3, 0));
	assert_false(retry_again(&retry, 4, 0));
	/* Two workers died: the fifth attempt is the third that can have failed. */
	assert_true(retry_again(&retry, 4, 2));
	assert_false(retry_again(&retry, 5, 2));
	retry.max_attempts = 1;
	assert_false(retry_again(&retry, 1, 0));
	assert_true(retry_again(&retry, 1, 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_jitter_reaches_both_ends),
		cmocka_unit_test(test_attempts_are_counted_without_losses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
