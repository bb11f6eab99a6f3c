/* The line of a worker's end: what is written is read, and nothing else is. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/ending.h"

#define ID "0197a000-0000-7000-8000-000000000001"

static const struct {
	const char *text;
	struct ending ending;
} good[] = {
	{ ID " signal 11 user 120 system 30 memory 51200",
	  { .signal = SIGSEGV, .user_ms = 120, .system_ms = 30, .max_rss_kb = 51200 } },
	{ ID " exit 1 user 0 system 0 memory 0", { .exit_status = 1 } },
	{ ID " exit 0 user 0 system 0 memory 0 ordered", { .ordered = true } },
	{ ID " signal 9 user 1 system 2 memory 3 ordered",
	  { .ordered = true,
	    .signal = SIGKILL,
	    .user_ms = 1,
	    .system_ms = 2,
	    .max_rss_kb = 3 } },
	{ ID " signal 64 user 999999999999999 system 999999999999999 memory "
	     "999999999999999 ordered",
	  { .ordered = true,
	    .signal = 64,
	    .user_ms = ENDING_NUMBER_MAX,
	    .system_ms = ENDING_NUMBER_MAX,
	    .max_rss_kb = ENDING_NUMBER_MAX } },
};

static const char *const bad[] = {
	"",
	ID,
	ID " ",
	"x" ID " exit 1 user 0 system 0 memory 0",
	ID " signal 0 user 0 system 0 memory 0",
	ID " signal 65 user 0 system 0 memory 0",
	ID " exit 256 user 0 system 0 memory 0",
	ID " exit -1 user 0 system 0 memory 0",
	ID " exit 01 user 0 system 0 memory 0",
	ID " exit  user 0 system 0 memory 0",
	ID " signal  exit 1 user 0 system 0 memory 0",
	ID "  exit 1 user 0 system 0 memory 0",
	ID " exit 1 user 0 system 0",
	ID " exit 1 user 0 memory 0 system 0",
	ID " exit 1 user 0 system 0 memory 1000000000000000",
	ID " exit 1 user 0 system 0 memory 99999999999999999999",
	ID " exit 1 user 0 system 0 memory 0 ",
	ID " exit 1 user 0 system 0 memory 0 ordered ",
	ID " exit 1 user 0 system 0 memory 0 Ordered",
	ID " exit 1 user 0 system 0 memory 0\n",
};

static void
test_what_is_written_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		const struct ending *wanted = &good[i].ending;
		struct ending got;
		struct uuid id;
		char text[ENDING_TEXT];

		if (!ending_parse(good[i].text, &id, &got))
			fail_msg("\"%s\"", good[i].text);
		assert_int_equal(got.ordered, wanted->ordered);
		assert_int_equal(got.signal, wanted->signal);
		assert_int_equal(got.exit_status, wanted->exit_status);
		assert_int_equal(got.user_ms, wanted->user_ms);
		assert_int_equal(got.system_ms, wanted->system_ms);
		assert_int_equal(got.max_rss_kb, wanted->max_rss_kb);
		assert_string_equal(ending_format(&id, &got, text), good[i].text);
	}
}

static void
test_nothing_else_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct ending got;
		struct uuid id;

		if (ending_parse(bad[i], &id, &got))
			fail_msg("\"%s\"", bad[i]);
	}
}

static void
test_signals_have_names(void **state)
{
	struct ending ending = { .signal = SIGSEGV };
	char name[32];

	(void)state;
	assert_string_equal(ending_signal_name(&ending, name), "SIGSEGV");
	ending.signal = 63;
	assert_string_equal(ending_signal_name(&ending, name), "signal 63");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_written_is_read),
		cmocka_unit_test(test_nothing_else_is_read),
		cmocka_unit_test(test_signals_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
