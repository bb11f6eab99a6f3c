/* What clients send about a heartbeat: every problem at once, each with its path; what
 * is read, what stands over what is stored, and what the file says over both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "front/heartbeat_fields_core.h"

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
	struct heartbeat_fields fields;
	struct problems problems = { 0 };
	struct buf found = { 0 };

	assert_false(heartbeat_fields_read(json, true, NOW, &fields, &problems));
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
	refused("{}", "heartbeatPath: is missing|");
	refused("{\"heartbeatPath\":null}",
		"heartbeatPath: expected a string, got null|");
	refused("{\"heartbeatPath\":\"a\\nb\"}",
		"heartbeatPath: control characters are not allowed|");
	refused("{\"heartbeatPath\":\"x\",\"interval\":0}",
		"interval: 0 is less than 1|");
	refused("{\"heartbeatPath\":\"x\",\"interval\":525601}",
		"interval: 525601 is more than 525600|");
	refused("{\"heartbeatPath\":\"x\",\"interval\":1.5}",
		"interval: expected a whole number, got 1.5|");
	refused("{\"heartbeatPath\":\"x\",\"intervall\":5}",
		"intervall: is unknown; did you mean \"interval\"?|");
	refused("{\"heartbeatPath\":\"x\",\"webhook\":\"javascript:1\"}",
		"webhook: expected a URL, http or https|");
	refused("{\"heartbeatPath\":\"x\",\"projectId\":\"x\"}",
		"projectId: expected a UUID|");
	refused("{\"heartbeatPath\":\"x\",\"activeHours\":{\"start\":\"9\"},"
		"\"timezone\":\"no/where\"}",
		"activeHours.end: is missing|"
		"timezone: unknown time zone \"no/where\"|"
		"activeHours.start: expected HH:MM|");
}

/* "PATH CRON ZONE START-END/DAYS ENABLED" */
static void
read_as(struct json *json, const char *expected)
{
	struct heartbeat_fields fields;
	struct problems problems = { 0 };
	struct buf found = { 0 };

	assert_true(heartbeat_fields_read(json, true, NOW, &fields, &problems));
	buf_printf(&found, "%s|%s|%s|", fields.path, fields.cron, fields.zone);
	if (fields.rule.has_hours)
		buf_printf(&found, "%s-%s/%zu|", fields.hours.start, fields.hours.end,
			   fields.hours.days_count);
	buf_printf(&found, "%s|%s", fields.model != NULL ? fields.model : "-",
		   fields.enabled ? "on" : "off");
	assert_string_equal(buf_text(&found), expected);
	buf_fini(&found);
	problems_fini(&problems);
}

static void
test_read(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "{\"heartbeatPath\":\"x\"}", "x|*/30 * * * *|UTC|-|on" },
		{ "{\"heartbeatPath\":\"x\",\"interval\":null,\"timezone\":null,"
		  "\"activeHours\":null,\"enabled\":null,\"model\":null,"
		  "\"webhook\":null,\"projectId\":null}",
		  "x|*/30 * * * *|UTC|-|on" },
		{ "{\"heartbeatPath\":\"x\",\"interval\":45,\"timezone\":\"Asia/"
		  "Tokyo\","
		  "\"model\":\"a:b\",\"enabled\":false,\"activeHours\":{\"start\":"
		  "\"22:00\",\"end\":\"06:00\",\"daysOfWeek\":[0,7,1]}}",
		  "x|@every 45m|Asia/Tokyo|22:00-06:00/2|a:b|off" },
		{ "{\"heartbeatPath\":\"x\",\"activeHours\":{\"start\":\"00:00\","
		  "\"end\":"
		  "\"24:00\",\"daysOfWeek\":[1,2,3,4,5,6,7]}}",
		  "x|*/30 * * * *|UTC|00:00-24:00/0|-|on" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct json *json = parse(cases[i].text);

		read_as(json, cases[i].expected);
		json_unref(&json);
	}
}

static void
test_merged(void **state)
{
	struct json *stored =
	    parse("{\"id\":\"heartbeat-x\",\"heartbeatPath\":\"x\",\"cronExpression\":"
		  "\"@every 90m\",\"timezone\":\"Asia/Tokyo\",\"activeHours\":null,"
		  "\"model\":\"a:b\",\"enabled\":true,\"runCount\":7}");
	struct json *sent = parse("{\"model\":null,\"enabled\":false}");
	struct json *says = parse("{\"interval\":20,\"model\":\"c:d\",\"activeHours\":"
				  "{\"start\":\"08:00\",\"end\":\"09:00\"}}");
	struct json *merged, *followed;

	(void)state;
	merged = heartbeat_fields_merge(stored, sent);
	read_as(merged, "x|@every 90m|Asia/Tokyo|-|off");
	followed = heartbeat_fields_follow(merged, says);
	read_as(followed, "x|*/20 * * * *|Asia/Tokyo|08:00-09:00/0|-|off");
	read_as(merged, "x|@every 90m|Asia/Tokyo|-|off");
	json_unref(&merged);
	json_unref(&followed);
	json_unref(&stored);
	json_unref(&sent);
	json_unref(&says);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_merged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
