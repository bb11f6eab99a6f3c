/* json.merge and json.pick, and the table of tools against the table of their names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "actions/action.h"
#include "engine/action_fields.h"
#include "engine/tool_names.h"
#include "tools/media_core.h"

static const struct {
	const char *tool, *args, *output;
} rows[] = {
	{ "json.merge", "{\"values\":[]}", "{}" },
	{ "json.merge", "{\"values\":[{\"a\":1,\"b\":2},{\"b\":3,\"c\":4}]}",
	  "{\"a\":1,\"b\":3,\"c\":4}" },
	{ "json.merge",
	  "{\"values\":[{\"x\":{\"a\":1,\"b\":{\"c\":1}}},{\"x\":{\"b\":{\"d\":2}}}]}",
	  "{\"x\":{\"a\":1,\"b\":{\"c\":1,\"d\":2}}}" },
	{ "json.merge", "{\"values\":[{\"x\":[1,2]},{\"x\":[3]}]}", "{\"x\":[3]}" },
	{ "json.merge", "{\"values\":[{\"x\":{\"a\":1}},{\"x\":null}]}",
	  "{\"x\":null}" },
	{ "json.merge", "{\"values\":[{\"x\":1},{\"x\":{\"a\":1}}]}",
	  "{\"x\":{\"a\":1}}" },
	{ "json.pick",
	  "{\"from\":{\"a\":1,\"b\":null,\"c\":3},\"keys\":[\"c\",\"b\","
	  "\"x\"]}",
	  "{\"c\":3,\"b\":null}" },
	{ "json.pick", "{\"from\":{\"a\":1},\"keys\":\"a\"}", "{\"a\":1}" },
	{ "json.pick", "{\"from\":{},\"keys\":[]}", "{}" },
};

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct json *args = NULL, *output;
		struct err err = { 0 };
		struct attempt attempt = { 0 };
		char *before, *after, *text;

		assert_int_equal(
		    json_parse(rows[i].args, strlen(rows[i].args), &args, &err), 0);
		before = json_text(args);
		attempt.fields = args;
		output = tool_find(rows[i].tool)->now(&attempt, &err);
		assert_int_equal(err.kind, ERR_NONE);
		text = json_text(output);
		assert_string_equal(text, rows[i].output);
		after = json_text(args); /* what was given has not changed */
		assert_string_equal(before, after);
		free(before);
		free(after);
		free(text);
		json_unref(&output);
		json_unref(&args);
	}
}

static void
test_every_name_has_a_tool(void **state)
{
	(void)state;
	for (const struct tool_name *row = tool_names; row->name != NULL; row++) {
		const struct action *tool = tool_find(row->name);

		if (tool == NULL)
			fail_msg("no tool %s", row->name);
		assert_string_equal(tool->name, row->name);
		/* Either done at once, or all of the rest. */
		if (tool->now != NULL) {
			assert_null(tool->start);
		} else {
			assert_non_null(tool->start);
			assert_non_null(tool->stop);
			assert_non_null(tool->free);
		}
	}
	assert_null(tool_find("no.such"));
	for (int kind = 0; kind < ACTION_KINDS; kind++)
		assert_true((action_find((enum action_kind)kind) == NULL) ==
			    (kind == ACTION_APPROVAL || action_fields[kind].flow));
	assert_null(action_find(ACTION_KINDS));
}

static void
test_media_types(void **state)
{
	(void)state;
	assert_string_equal(media_type("a/notes.md"), "text/markdown");
	assert_string_equal(media_type("A.PNG"), "image/png");
	assert_string_equal(media_type("x.tar.gz"), "application/gzip");
	assert_string_equal(media_type("x"), "application/octet-stream");
	assert_string_equal(media_type("x."), "application/octet-stream");
	assert_string_equal(media_type("md"), "application/octet-stream");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_every_name_has_a_tool),
		cmocka_unit_test(test_media_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
