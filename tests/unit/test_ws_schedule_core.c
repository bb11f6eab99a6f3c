/* Messages about schedules: what of them is sent on, and what is wrong with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "front/ws_priv.h"
#include "front/ws_schedule_core.h"

static struct json *
parse(const char *text)
{
	struct json *json = NULL;
	struct err err = { 0 };

	assert_int_equal(json_parse(text, strlen(text), &json, &err), 0);
	return json;
}

static void
sends(const char *type, const char *text, const char *expected)
{
	struct json *message = parse(text);
	struct json *sent = ws_schedule_sent(ws_route_find(ws_routes, type), message);
	char *found = json_text(sent);

	assert_string_equal(found, expected);
	free(found);
	json_unref(&sent);
	json_unref(&message);
}

static void
test_what_is_sent_on(void **state)
{
	(void)state;
	sends(
	    "schedule.create",
	    "{\"type\":\"schedule.create\",\"id\":1,\"name\":\"n\",\"cronExpression\":"
	    "\"@daily\",\"enabled\":false,\"maxRuns\":null,\"x\":1}",
	    "{\"name\":\"n\",\"cronExpression\":\"@daily\",\"maxRuns\":null}");
	sends(
	    "schedule.update",
	    "{\"scheduleId\":\"s\",\"name\":\"n\",\"cronExpression\":null,\"enabled\":"
	    "null,\"timezone\":null,\"idempotencyKey\":\"k\"}",
	    "{\"timezone\":null}");
	sends("schedule.delete", "{\"scheduleId\":\"s\",\"name\":\"n\"}", "{}");
}

/* The paths of what is wrong, each behind a blank. */
static void
wrong(const char *type, const char *text, const char *expected)
{
	const struct ws_route *route = ws_route_find(ws_routes, type);
	struct json *message = parse(text), *errors = json_new_array();
	struct buf paths = { 0 };

	assert_int_equal(ws_message_check(route, message, errors), *expected == '\0');
	for (size_t i = 0; i < json_count(errors); i++)
		buf_printf(&paths, " %s",
			   json_str(json_get(json_at(errors, i), "path")));
	assert_string_equal(buf_text(&paths), expected);
	buf_fini(&paths);
	json_unref(&errors);
	json_unref(&message);
}

static void
test_what_is_wrong(void **state)
{
	(void)state;
	wrong("schedule.create",
	      "{\"id\":1,\"name\":\"n\",\"cronExpression\":\"@daily\"}", "");
	wrong("schedule.create", "{\"idempotencyKey\":\"\",\"maxRuns\":0}",
	      " id idempotencyKey name cronExpression maxRuns");
	wrong("schedule.update", "{\"id\":1,\"scheduleId\":\"s\",\"input\":null}", "");
	wrong("schedule.update",
	      "{\"id\":1,\"cronExpression\":\"soon\",\"activeHours\":{\"start\":\"9\","
	      "\"end\":\"17:00\"},\"enabled\":1}",
	      " scheduleId enabled cronExpression activeHours.start");
}

static void
test_what_is_quoted_is_no_format(void **state)
{
	struct json *message = parse("{\"id\":1,\"name\":\"n\",\"cronExpression\":"
				     "\"@daily\",\"timezone\":\"%n%s%p\"}");
	struct json *errors = json_new_array();

	(void)state;
	ws_message_check(ws_route_find(ws_routes, "schedule.create"), message, errors);
	assert_non_null(
	    strstr(json_str(json_get(json_at(errors, 0), "message")), "\"%n%s%p\""));
	json_unref(&errors);
	json_unref(&message);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_sent_on),
		cmocka_unit_test(test_what_is_wrong),
		cmocka_unit_test(test_what_is_quoted_is_no_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
