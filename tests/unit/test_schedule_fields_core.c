/* What clients send about a schedule: every problem at once, each with its path; what
 * is read, and what stands over what is stored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "front/schedule_fields_core.h"

#define NOW (INT64_C(1790000000) * USEC_SECOND)

static struct json *
parse(const char *text)
{
	struct json *json = NULL;
	struct err err = { 0 };

	assert_int_equal(json_parse(text, strlen(text), &json, &err), 0);
	return json;
}

/* Each problem as "path: message|" */
static void
refused(const char *text, const char *expected)
{
	struct json *json = parse(text);
	struct schedule_fields fields;
	struct problems problems = { 0 };
	struct buf found = { 0 };

	assert_false(schedule_fields_read(json, true, NOW, &fields, &problems));
	for (size_t i = 0; i < problems.count; i++)
		buf_printf(&found, "%s: %s|", problems.list[i].path,
			   problems.list[i].message);
	assert_string_equal(buf_text(&found), expected);
	buf_fini(&found);
	problems_fini(&problems);
	json_unref(&json);
}

static void
test_refused(void **state)
{
	(void)state;
	refused("[]", ": expected an object, got array|");
	refused("{}", "name: is missing|cronExpression: is missing|");
	refused("{\"name\":\"\",\"cronExpression\":7}",
		"name: expected 1 to 200 bytes|cronExpression: expected a string, got "
		"number|");
	refused("{\"name\":null,\"cronExpression\":\"@daily\"}",
		"name: expected a string, got null|");
	refused("{\"name\":\"a\\nb\",\"cronExpression\":\"@daily\"}",
		"name: control characters are not allowed|");
	refused("{\"name\":\"n\",\"cronExpression\":\"@daily\",\"maxRun\":1}",
		"maxRun: is unknown; did you mean \"maxRuns\"?|");
	refused("{\"name\":\"n\",\"cronExpression\":\"@daily\",\"enabled\":null}",
		"enabled: expected true or false, got null|");
	refused("{\"name\":\"n\",\"cronExpression\":\"@daily\",\"projectId\":\"x\"}",
		"projectId: expected a UUID|");
	refused("{\"name\":\"n\",\"cronExpression\":\"0 0 30 2 *\"}",
		"cronExpression: \"0 0 30 2 *\" never fires|");
}

static void
test_all_at_once(void **state)
{
	(void)state;
	refused(
	    "{\"name\":\"n\",\"cronExpression\":\"* * *\",\"timezone\":\"Mars\","
	    "\"maxRuns\":0,\"catchUp\":\"some\",\"overlap\":1,\"jitterMs\":3600001,"
	    "\"input\":[],\"activeHours\":{\"start\":\"9\",\"end\":\"25:00\","
	    "\"daysOfWeek\":[1,8,\"x\"],\"days\":[]}}",
	    "activeHours.days: is unknown|maxRuns: 0 is less than 1|"
	    "catchUp: \"some\" is not one of last, all, none|"
	    "overlap: expected a string, got number|"
	    "jitterMs: 3600001 is more than 3600000|"
	    "input: expected an object, got array|"
	    "activeHours.daysOfWeek[1]: expected days 1 (Monday) to 7 (Sunday), got "
	    "8|activeHours.daysOfWeek[2]: expected a day from 1 (Monday) to 7, got "
	    "string|timezone: unknown time zone \"Mars\"|"
	    "cronExpression: a cron pattern has 5 fields, 6 with seconds, 7 with "
	    "seconds and years; this has 3|activeHours.start: expected HH:MM|"
	    "activeHours.end: expected HH:MM, 00:00 to 24:00|");
}

static void
test_half_of_the_hours(void **state)
{
	(void)state;
	refused("{\"name\":\"n\",\"cronExpression\":\"@daily\","
		"\"activeHours\":{\"end\":\"17:00\"}}",
		"activeHours.start: is missing|");
	refused("{\"name\":\"n\",\"cronExpression\":\"@daily\",\"activeHours\":7}",
		"activeHours: expected an object, got number|");
	refused("{\"name\":\"n\",\"cronExpression\":\"@daily\",\"activeHours\":"
		"{\"start\":\"09:00\",\"end\":\"17:00\",\"daysOfWeek\":[]}}",
		"activeHours.daysOfWeek: expected a list of days, 1 (Monday) to 7|");
}

static void
test_read(void **state)
{
	struct json *json =
	    parse("{\"name\":\"n\",\"cronExpression\":\"every 90 minutes\","
		  "\"timezone\":null,\"activeHours\":{\"start\":\"22:00\",\"end\":"
		  "\"06:00\",\"daysOfWeek\":[0,1,7]},\"other\":1}");
	struct schedule_fields fields;
	struct problems problems = { 0 };
	struct cron_firing firing;

	(void)state;
	assert_true(schedule_fields_read(json, false, NOW, &fields, &problems));
	assert_string_equal(fields.zone, "UTC");
	assert_string_equal(fields.catch_up, "last");
	assert_string_equal(fields.overlap, "skip");
	assert_true(fields.enabled);
	assert_null(fields.workflow);
	assert_int_equal(fields.max_runs, 0);
	assert_int_equal(fields.hours.days_count, 2);
	assert_int_equal(fields.hours.days[0], 7);
	assert_int_equal(fields.hours.days[1], 1);
	assert_true(schedule_rule_next(&fields.rule, NOW, &firing));
	assert_int_equal(firing.at, NOW + 90 * 60 * USEC_SECOND);
	json_unref(&json);
}

static void
test_merged(void **state)
{
	static const char *const hours[] = { "timezone", "activeHours", NULL };
	static const char *const other[] = { "name", "maxRuns", NULL };
	struct json *stored = parse("{\"id\":\"x\",\"name\":\"n\",\"cronExpression\":"
				    "\"@daily\",\"timezone\":\"Asia/Tokyo\",\"maxRuns\""
				    ":3,\"runCount\":2,\"input\":null}");
	struct json *sent = parse("{\"maxRuns\":null,\"input\":{\"a\":1}}");
	struct json *merged = schedule_fields_merge(stored, sent);
	char *text = json_text(merged);

	(void)state;
	assert_string_equal(text, "{\"name\":\"n\",\"cronExpression\":\"@daily\","
				  "\"timezone\":\"Asia/Tokyo\",\"maxRuns\":null,"
				  "\"input\":{\"a\":1}}");
	assert_false(schedule_fields_differ(stored, merged, hours));
	assert_true(schedule_fields_differ(stored, merged, other));
	free(text);
	json_unref(&merged);
	merged = schedule_fields_merge(NULL, sent);
	assert_int_equal(json_count(merged), 2);
	json_unref(&merged);
	json_unref(&sent);
	json_unref(&stored);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_all_at_once),
		cmocka_unit_test(test_half_of_the_hours),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_merged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
