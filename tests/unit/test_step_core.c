/*
 * The tables of what is legal: every place of them, what must hold of any such table,
 * and that the pictures in ARCHITECTURE.md show what stands in the code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "engine/step_core.h"
#include "text_file.h"

struct rule {
	int from, event, to;
};

/* clang-format off */
static const struct rule step_rules[] = {
	{ STEP_PENDING,  STEP_EV_READY,       STEP_QUEUED },
	{ STEP_PENDING,  STEP_EV_CANCELLED,   STEP_CANCELLED },
	{ STEP_QUEUED,   STEP_EV_CLAIMED,     STEP_RUNNING },
	{ STEP_QUEUED,   STEP_EV_HELD_UP,     STEP_PENDING },
	{ STEP_QUEUED,   STEP_EV_CANCELLED,   STEP_CANCELLED },
	{ STEP_RUNNING,  STEP_EV_SUCCEEDED,   STEP_COMPLETED },
	{ STEP_RUNNING,  STEP_EV_FAILED,      STEP_FAILED },
	{ STEP_RUNNING,  STEP_EV_AGAIN,       STEP_RETRYING },
	{ STEP_RUNNING,  STEP_EV_WAITS,       STEP_WAITING },
	{ STEP_RUNNING,  STEP_EV_ASKS,        STEP_WAITING_APPROVAL },
	{ STEP_RUNNING,  STEP_EV_SKIPPED,     STEP_SKIPPED },
	{ STEP_RUNNING,  STEP_EV_LOST,        STEP_QUEUED },
	{ STEP_RUNNING,  STEP_EV_HANDED_BACK, STEP_QUEUED },
	{ STEP_RUNNING,  STEP_EV_CANCELLED,   STEP_CANCELLED },
	{ STEP_RETRYING, STEP_EV_DUE,         STEP_QUEUED },
	{ STEP_RETRYING, STEP_EV_CANCELLED,   STEP_CANCELLED },
	{ STEP_WAITING_APPROVAL, STEP_EV_DECIDED, STEP_QUEUED },
	{ STEP_WAITING_APPROVAL, STEP_EV_DUE, STEP_QUEUED },
	{ STEP_WAITING_APPROVAL, STEP_EV_CANCELLED, STEP_CANCELLED },
	{ STEP_WAITING,  STEP_EV_WOKEN,       STEP_QUEUED },
	{ STEP_WAITING,  STEP_EV_DUE,         STEP_QUEUED },
	{ STEP_WAITING,  STEP_EV_CANCELLED,   STEP_CANCELLED },
};

static const struct rule run_rules[] = {
	{ RUN_PENDING, RUN_EV_ADMITTED,  RUN_RUNNING },
	{ RUN_PENDING, RUN_EV_CANCELLED, RUN_CANCELLED },
	{ RUN_PENDING, RUN_EV_STUCK,     RUN_CRASHED },
	{ RUN_RUNNING, RUN_EV_PAUSED,    RUN_PAUSED },
	{ RUN_RUNNING, RUN_EV_COMPLETED, RUN_COMPLETED },
	{ RUN_RUNNING, RUN_EV_FAILED,    RUN_FAILED },
	{ RUN_RUNNING, RUN_EV_CANCELLED, RUN_CANCELLED },
	{ RUN_RUNNING, RUN_EV_TIMED_OUT, RUN_TIMED_OUT },
	{ RUN_RUNNING, RUN_EV_STUCK,     RUN_CRASHED },
	{ RUN_PAUSED,  RUN_EV_RESUMED,   RUN_RUNNING },
	{ RUN_PAUSED,  RUN_EV_COMPLETED, RUN_COMPLETED },
	{ RUN_PAUSED,  RUN_EV_FAILED,    RUN_FAILED },
	{ RUN_PAUSED,  RUN_EV_CANCELLED, RUN_CANCELLED },
	{ RUN_PAUSED,  RUN_EV_STUCK,     RUN_CRASHED },
	{ RUN_CRASHED, RUN_EV_RESUMED,   RUN_RUNNING },
};
/* clang-format on */

static int
expected(const struct rule *rules, size_t count, int from, int event)
{
	for (size_t i = 0; i < count; i++)
		if (rules[i].from == from && rules[i].event == event)
			return rules[i].to;
	return -1;
}

static void
test_every_place_of_the_steps(void **state)
{
	(void)state;
	for (int from = 0; from < STEP_STATUSES; from++)
		for (int event = 0; event < STEP_EVENTS; event++)
			assert_int_equal(
			    step_on((enum step_status)from, (enum step_event)event),
			    expected(step_rules,
				     sizeof step_rules / sizeof step_rules[0], from,
				     event));
}

static void
test_every_place_of_the_runs(void **state)
{
	(void)state;
	for (int from = 0; from < RUN_STATUSES; from++)
		for (int event = 0; event < RUN_EVENTS; event++)
			assert_int_equal(
			    run_on((enum run_status)from, (enum run_event)event),
			    expected(run_rules, sizeof run_rules / sizeof run_rules[0],
				     from, event));
}

/* An end is an end; only a crashed run comes back. Whatever can begin can be cancelled.
 */
static void
test_ends_and_cancelling(void **state)
{
	(void)state;
	for (int from = 0; from < STEP_STATUSES; from++) {
		bool moves = false;

		for (int event = 0; event < STEP_EVENTS; event++)
			moves |= step_on((enum step_status)from,
					 (enum step_event)event) >= 0;
		if (step_is_over((enum step_status)from))
			assert_false(moves);
		if (moves)
			assert_int_equal(
			    step_on((enum step_status)from, STEP_EV_CANCELLED),
			    STEP_CANCELLED);
	}
	for (int from = 0; from < RUN_STATUSES; from++)
		for (int event = 0; event < RUN_EVENTS; event++)
			if (run_is_over((enum run_status)from) &&
			    !(from == RUN_CRASHED && event == RUN_EV_RESUMED))
				assert_int_equal(run_on((enum run_status)from,
							(enum run_event)event),
						 -1);
}

static void
test_what_is_no_status_or_event(void **state)
{
	(void)state;
	assert_int_equal(step_on(STEP_STATUSES, STEP_EV_READY), -1);
	assert_int_equal(step_on(STEP_QUEUED, STEP_EVENTS), -1);
	assert_int_equal(step_on((enum step_status) - 1, STEP_EV_READY), -1);
	assert_int_equal(run_on(RUN_STATUSES, RUN_EV_PAUSED), -1);
	assert_int_equal(run_on(RUN_RUNNING, RUN_EVENTS), -1);
	assert_string_equal(step_event_name(STEP_EVENTS), "unknown");
	assert_string_equal(run_event_name(RUN_EVENTS), "unknown");
	for (int i = 0; i < STEP_EVENTS; i++)
		assert_non_null(step_event_name((enum step_event)i));
	for (int i = 0; i < RUN_EVENTS; i++)
		assert_non_null(run_event_name((enum run_event)i));
}

/* ---- the pictures ---- */

static void
draw_steps(struct buf *out)
{
	buf_str(out, "```mermaid\nstateDiagram-v2\n    [*] --> pending\n"
		     "    [*] --> queued\n");
	for (int from = 0; from < STEP_STATUSES; from++)
		for (int event = 0; event < STEP_EVENTS; event++) {
			int to =
			    step_on((enum step_status)from, (enum step_event)event);

			if (to >= 0)
				buf_printf(out, "    %s --> %s : %s\n",
					   step_status_name((enum step_status)from),
					   step_status_name((enum step_status)to),
					   step_event_name((enum step_event)event));
		}
	buf_str(out, "```\n");
}

static void
draw_runs(struct buf *out)
{
	buf_str(out, "```mermaid\nstateDiagram-v2\n    [*] --> pending\n"
		     "    [*] --> running\n");
	for (int from = 0; from < RUN_STATUSES; from++)
		for (int event = 0; event < RUN_EVENTS; event++) {
			int to = run_on((enum run_status)from, (enum run_event)event);

			if (to >= 0)
				buf_printf(out, "    %s --> %s : %s\n",
					   run_status_name((enum run_status)from),
					   run_status_name((enum run_status)to),
					   run_event_name((enum run_event)event));
		}
	buf_str(out, "```\n");
}

static void
check_picture(const char *name, void (*draw)(struct buf *out))
{
	char *page = text_file_read(TESTS_DIR "/../ARCHITECTURE.md", NULL);
	struct buf picture = { 0 };

	assert_non_null(page);
	buf_printf(&picture, "<!-- %s -->\n", name);
	draw(&picture);
	buf_printf(&picture, "<!-- /%s -->\n", name);
	if (strstr(page, buf_text(&picture)) == NULL)
		fail_msg("ARCHITECTURE.md should hold this:\n%s", buf_text(&picture));
	buf_fini(&picture);
	free(page);
}

static void
test_pictures(void **state)
{
	(void)state;
	check_picture("step-statuses", draw_steps);
	check_picture("run-statuses", draw_runs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_place_of_the_steps),
		cmocka_unit_test(test_every_place_of_the_runs),
		cmocka_unit_test(test_ends_and_cancelling),
		cmocka_unit_test(test_what_is_no_status_or_event),
		cmocka_unit_test(test_pictures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
