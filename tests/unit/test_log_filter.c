/* Which entries of a log are wanted, and how they are shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cli/log_filter.h"

static struct json *
entry(const char *text)
{
	struct json *json = NULL;
	struct err err = { 0 };

	assert_int_equal(json_parse(text, strlen(text), &json, &err), 0);
	return json;
}

static bool
wants(const char *level, const char *step, const char *text)
{
	struct log_filter filter;
	struct err err = { 0 };
	struct json *json = entry(text);
	bool result;

	assert_int_equal(log_filter_read(&filter, level, step, &err), 0);
	result = log_filter_wants(&filter, json);
	json_unref(&json);
	return result;
}

static void
test_levels(void **state)
{
	(void)state;
	assert_true(wants(NULL, NULL, "{\"level\":\"trace\"}"));
	assert_true(wants("warn", NULL, "{\"level\":\"warn\"}"));
	assert_true(wants("warn", NULL, "{\"level\":\"fatal\"}"));
	assert_false(wants("warn", NULL, "{\"level\":\"info\"}"));
	assert_true(wants("warn", NULL, "{}"));
}

static void
test_steps(void **state)
{
	(void)state;
	assert_true(wants(NULL, "draft", "{\"step\":\"draft\"}"));
	assert_false(wants(NULL, "draft", "{\"step\":\"drafts\"}"));
	assert_true(wants(NULL, "2", "{\"step\":2}"));
	assert_true(wants(NULL, "01a1-7:2", "{\"step\":2}"));
	assert_false(wants(NULL, "2", "{\"step\":12}"));
	assert_false(wants(NULL, "draft", "{}"));
}

static void
test_a_level_must_be_one(void **state)
{
	struct log_filter filter;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(log_filter_read(&filter, "loud", NULL, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_non_null(strstr(err.text, "\"loud\""));
}

static void
test_lines(void **state)
{
	static const struct {
		const char *entry, *line;
	} cases[] = {
		{ "{\"time\":\"T\",\"level\":\"info\",\"step\":\"a\",\"message\":"
		  "\"m\\nn\"}",
		  "T info  a: m n" },
		{ "{\"time\":\"T\",\"level\":\"error\",\"step\":3,\"message\":\"m\"}",
		  "T error 3: m" },
		{ "{\"time\":\"T\",\"level\":\"warn\",\"message\":\"\\u001b]0;x\"}",
		  "T warn  ?]0;x" },
		{ "{}", "       " },
	};
	struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct json *json = entry(cases[i].entry);

		buf_clear(&out);
		log_filter_line(json, &out);
		assert_string_equal(buf_text(&out), cases[i].line);
		json_unref(&json);
	}
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_a_level_must_be_one),
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
