/* A run as it goes: what each event prints, on a terminal and elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "cli/live.h"

#define WIPE "\033[1A\033[2K"

/* Feeds one event and checks what it prints. */
static void
check_event(struct live *live, usec_t now, const char *text, const char *expected)
{
	struct json *event = NULL;
	struct buf out = { 0 };
	struct err err = { 0 };

	assert_int_equal(json_parse(text, strlen(text), &event, &err), 0);
	live_event(live, event, now, &out);
	assert_string_equal(buf_text(&out), expected);
	buf_fini(&out);
	json_unref(&event);
}

static void
check_drawn(struct live *live, usec_t now, const char *expected)
{
	struct buf out = { 0 };

	live_draw(live, now, &out);
	assert_string_equal(buf_text(&out), expected);
	buf_fini(&out);
}

#define STARTED(n, name)                                                               \
	"{\"type\":\"step.started\",\"payload\":{\"stepNumber\":" #n                   \
	",\"name\":\"" name "\"}}"
#define COMPLETED(n, name, ms)                                                         \
	"{\"type\":\"step.completed\",\"payload\":{\"stepNumber\":" #n                 \
	",\"name\":\"" name "\",\"durationMs\":" #ms "}}"
#define FAILED(n, name, again)                                                         \
	"{\"type\":\"step.failed\",\"payload\":{\"stepNumber\":" #n                    \
	",\"name\":\"" name "\",\"willRetry\":" #again                                 \
	",\"error\":{\"message\":\"no\\nluck\"}}}"

static void
test_elsewhere_each_change_is_a_plain_line(void **state)
{
	struct live live = { 0 };

	(void)state;
	check_event(&live, 0, "{\"type\":\"run.started\",\"payload\":{}}", "");
	check_event(&live, 0, STARTED(1, "Collect"), "  > Collect\n");
	check_drawn(&live, USEC_SECOND, "");
	check_event(&live, 0, COMPLETED(1, "Collect", 1500), "  ✓ Collect  1.5 s\n");
	check_event(&live, 0, STARTED(2, "Publish"), "  > Publish\n");
	check_event(&live, 0, FAILED(2, "Publish", true),
		    "  ✗ Publish  no luck  (will be tried again)\n");
	check_event(&live, 0, STARTED(2, "Publish"), "  > Publish\n");
	check_event(&live, 0, FAILED(2, "Publish", false), "  ✗ Publish  no luck\n");
	assert_int_equal(live.running_count, 0);
}

static void
test_a_terminal_sees_what_runs(void **state)
{
	struct live live = { .terminal = true, .width = 80 };

	(void)state;
	check_event(&live, 0, STARTED(1, "Collect"), "");
	check_drawn(&live, 250 * USEC_MS, "  ⠙ Collect  250 ms\n");
	check_drawn(&live, 1500 * USEC_MS, WIPE "  ⠹ Collect  1.5 s\n");
	check_event(&live, 0, STARTED(2, "Other"), WIPE);
	check_drawn(&live, USEC_SECOND, "  ⠸ Collect  1.0 s\n  ⠸ Other  1.0 s\n");
	check_event(&live, 0, COMPLETED(1, "Collect", 1000),
		    WIPE WIPE "  \033[32m✓\033[0m Collect  1.0 s\n");
	check_drawn(&live, USEC_SECOND, "  ⠼ Other  1.0 s\n");
}

static void
test_attempts_are_counted(void **state)
{
	struct live live = { .terminal = true };

	(void)state;
	check_event(&live, 0, STARTED(1, "Fetch"), "");
	check_event(&live, USEC_SECOND, FAILED(1, "Fetch", true),
		    "  \033[31m✗\033[0m Fetch  no luck  (will be tried again)\n");
	check_drawn(&live, 2 * USEC_SECOND,
		    "  ⠙ Fetch  1.0 s  (waits for its next attempt)\n");
	check_event(&live, 3 * USEC_SECOND, STARTED(1, "Fetch"), WIPE);
	check_drawn(&live, 5 * USEC_SECOND, "  ⠹ Fetch  2.0 s  (attempt 2)\n");
}

static void
test_a_narrow_screen_gets_one_line_a_step(void **state)
{
	struct live live = { .terminal = true, .width = 10 };

	(void)state;
	check_event(&live, 0, STARTED(1, "A long name of a step"), "");
	check_drawn(&live, 0, "  ⠙ A lon\n");
	assert_int_equal(live.lines, 1);
}

static void
test_many_at_once_are_not_all_drawn(void **state)
{
	struct live live = { .terminal = true };
	struct buf out = { 0 };
	char event[200];

	(void)state;
	for (int i = 1; i <= LIVE_RUNNING_MAX + 3; i++) {
		snprintf(event, sizeof event,
			 "{\"type\":\"step.started\",\"payload\":{\"stepNumber\":%d,"
			 "\"name\":\"s%d\"}}",
			 i, i);
		check_event(&live, 0, event, "");
	}
	live_draw(&live, 0, &out);
	assert_int_equal(live.lines, LIVE_RUNNING_MAX);
	buf_fini(&out);
	/* the end of one that was not drawn is shown all the same */
	check_event(&live, 0, COMPLETED(11, "s11", 1),
		    WIPE WIPE WIPE WIPE WIPE WIPE WIPE WIPE
		    "  \033[32m✓\033[0m s11  1 ms\n");
}

static void
test_other_events(void **state)
{
	struct live live = { 0 };

	(void)state;
	check_event(&live, 0, STARTED(1, "Nap"), "  > Nap\n");
	check_event(&live, 0,
		    "{\"type\":\"step.waiting\",\"payload\":{\"stepNumber\":1,"
		    "\"name\":\"Nap\"}}",
		    "  … Nap  waits\n");
	check_event(
	    &live, 0,
	    "{\"type\":\"comment.added\",\"payload\":{\"message\":\"hi \\u001b[2J\"}}",
	    "    hi ?[2J\n");
	check_event(
	    &live, 0,
	    "{\"type\":\"artifact.created\",\"payload\":{\"artifact\":\"n.md\"}}",
	    "    n.md\n");
	check_event(&live, 0, STARTED(2, "Lost"), "  > Lost\n");
	check_event(
	    &live, 0,
	    "{\"type\":\"run.recovered\",\"payload\":{\"reason\":\"worker lost\"}}",
	    "  ! taken up again: worker lost\n");
	check_event(&live, 0,
		    "{\"type\":\"step.cancelled\",\"payload\":{\"stepNumber\":2,"
		    "\"name\":\"Lost\"}}",
		    "  - Lost  cancelled\n");
	assert_int_equal(live.running_count, 0);
}

static void
test_anything_may_come(void **state)
{
	static const char *const events[] = {
		"null",
		"{}",
		"[]",
		"{\"type\":7}",
		"{\"type\":\"step.new\"}",
		"{\"type\":\"comment.added\"}",
	};
	struct live live = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof events / sizeof *events; i++)
		check_event(&live, 0, events[i], "");
	check_event(&live, 0, "{\"type\":\"step.completed\"}", "  ✓ ?\n");
	check_event(&live, 0, "{\"type\":\"step.failed\",\"payload\":[]}", "  ✗ ?\n");
}

static void
test_names_are_harmless_and_short(void **state)
{
	struct live live = { .terminal = true };
	char event[1000], name[400] = "";

	(void)state;
	for (int i = 0; i < 100; i++)
		strcat(name, "日");
	snprintf(event, sizeof event,
		 "{\"type\":\"step.started\",\"payload\":{\"stepNumber\":1,\"name\":"
		 "\"\\u001b%s\"}}",
		 name);
	check_event(&live, 0, event, "");
	assert_int_equal(live.running[0].name[0], '?');
	assert_true(strlen(live.running[0].name) < sizeof live.running[0].name);
	assert_int_equal((strlen(live.running[0].name) - 1) % 3, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elsewhere_each_change_is_a_plain_line),
		cmocka_unit_test(test_a_terminal_sees_what_runs),
		cmocka_unit_test(test_attempts_are_counted),
		cmocka_unit_test(test_a_narrow_screen_gets_one_line_a_step),
		cmocka_unit_test(test_many_at_once_are_not_all_drawn),
		cmocka_unit_test(test_other_events),
		cmocka_unit_test(test_anything_may_come),
		cmocka_unit_test(test_names_are_harmless_and_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
