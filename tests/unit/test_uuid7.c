/* UUIDv7: its bits, its order, its text; parent and child never make the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <sys/wait.h>
#include <unistd.h>

#include "base/uuid7.h"

#define NOW ((usec_t)1700000000123456)

static void
test_bits_after_rfc_9562(void **state)
{
	struct uuid id = uuid7_new(NOW);
	uint64_t ms = 0;

	(void)state;
	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id.b[i];
	assert_int_equal(ms, NOW / 1000);
	assert_int_equal(id.b[6] >> 4, 7);
	assert_int_equal((id.b[6] & 0xf) << 8 | id.b[7], 456 * 4096 / 1000);
	assert_int_equal(id.b[8] >> 6, 2);
}

static void
test_ids_rise_in_one_tick_and_when_the_clock_goes_back(void **state)
{
	struct uuid last = uuid7_new(NOW + 1000000), id;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		id = uuid7_new(NOW + 1000000 - i % 3 * 500000);
		assert_true(uuid_compare(&id, &last) > 0);
		assert_int_equal(id.b[6] >> 4, 7);
		assert_int_equal(id.b[8] >> 6, 2);
		last = id;
	}
}

static void
test_time_before_1970_is_no_crash(void **state)
{
	struct uuid id = uuid7_new(-5);

	(void)state;
	assert_int_equal(id.b[6] >> 4, 7);
}

static void
test_a_fork_makes_other_ids(void **state)
{
	struct uuid mine, theirs;
	int pipes[2], status;
	pid_t child;

	(void)state;
	uuid7_new(NOW + 5000000);
	assert_int_equal(pipe(pipes), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		theirs = uuid7_new(NOW + 5000000);
		_exit(write(pipes[1], &theirs, sizeof theirs) == sizeof theirs ? 0 : 1);
	}
	mine = uuid7_new(NOW + 5000000);
	assert_int_equal(read(pipes[0], &theirs, sizeof theirs), sizeof theirs);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_false(uuid_equal(&mine, &theirs));
	close(pipes[0]);
	close(pipes[1]);
}

static void
test_text_and_back(void **state)
{
	static const char text[] = "018bcfe5-687b-7123-8abc-0123456789ab";
	static const char upper[] = "018BCFE5-687B-7123-8ABC-0123456789AB";
	struct uuid id, other;
	char out[UUID_TEXT];

	(void)state;
	assert_true(uuid_parse(text, 36, &id));
	assert_string_equal(uuid_format(&id, out), text);
	assert_true(uuid_parse(upper, 36, &other));
	assert_true(uuid_equal(&id, &other));
	assert_false(uuid_is_nil(&id));
	other.b[15]++;
	assert_true(uuid_compare(&id, &other) < 0);
	assert_true(uuid_compare(&other, &id) > 0);
	assert_true(uuid_parse("00000000-0000-0000-0000-000000000000", 36, &id));
	assert_true(uuid_is_nil(&id));
}

static void
test_other_texts_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"018bcfe5-687b-7123-8abc-0123456789a",
		"018bcfe5-687b-7123-8abc-0123456789abc",
		"018bcfe5687b-7123-8abc-0123456789ab-",
		"018bcfe5-687b-7123-8abc-0123456789ag",
		"018bcfe5-687b-7123-8abc_0123456789ab",
		"018bcfe568-7b-7123-8abc-0123456789ab",
		"{18bcfe5-687b-7123-8abc-0123456789a}",
		" 18bcfe5-687b-7123-8abc-0123456789ab",
		"018bcfe5-687b-7123-8abc-"
		"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4",
	};
	struct uuid id;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_false(uuid_parse(texts[i], strlen(texts[i]), &id));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bits_after_rfc_9562),
		cmocka_unit_test(
		    test_ids_rise_in_one_tick_and_when_the_clock_goes_back),
		cmocka_unit_test(test_time_before_1970_is_no_crash),
		cmocka_unit_test(test_a_fork_makes_other_ids),
		cmocka_unit_test(test_text_and_back),
		cmocka_unit_test(test_other_texts_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
