/* HEARTBEAT.md: which items it has, what its front matter says, where it is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "conf/yaml.h"
#include "engine/heartbeat_answer_core.h"
#include "engine/heartbeat_core.h"

/* "SAYS ITEMS", or every problem on a line of its own. */
static char *
read_text(const char *text, size_t len)
{
	struct heartbeat heartbeat;
	struct problems problems = { 0 };
	struct buf out = { 0 };

	if (heartbeat_read(text, len, yaml_parse, &heartbeat, &problems)) {
		json_write(heartbeat.says, &out);
		buf_char(&out, ' ');
		json_write(heartbeat.items, &out);
		heartbeat_fini(&heartbeat);
		assert_int_equal(problems.count, 0);
	}
	for (size_t i = 0; i < problems.count; i++) {
		char *line = problem_text(&problems, i);

		buf_printf(&out, "%s%s", i > 0 ? "\n" : "", line);
		free(line);
	}
	problems_fini(&problems);
	return buf_take(&out);
}

static void
check(const char *text, const char *expected)
{
	char *got = read_text(text, strlen(text));

	if (strcmp(got, expected) != 0)
		fail_msg("%s\n-- gave\n%s\n-- instead of\n%s", text, got, expected);
	free(got);
}

/* clang-format off */
static const struct { const char *text, *expected; } lists[] = {
	{ "", "{} []" },
	{ "# Beat\n\nSome text.\n", "{} []" },
	{ "- [ ] one\n* [ ] two\n+ [ ] three\n", "{} [\"one\",\"two\",\"three\"]" },
	{ "- [ ] one\r\n- [x] done\r\n- [X] done\r\n- [ ] two", "{} [\"one\",\"two\"]" },
	{ "-   [ ]   one  \n-[ ] no\n- [] no\n- [ ]no\n- [-] no\n- [ ]\n", "{} [\"one\"]" },
	{ "- [ ] one\n  and more\n\tof it\n\n  not this\n", "{} [\"one and more of it\"]" },
	{ "- [ ] one\nnot of it\n", "{} [\"one\"]" },
	{ "- [x] done\n  and more of that\n- [ ] two\n", "{} [\"two\"]" },
	{ "- [ ] hosts:\n  - a\n  - b\n    more\n- [ ] two", "{} [\"hosts:\\n- a\\n- b more\",\"two\"]" },
	{ "- [ ] one\n  - [ ] below\n  - [x] done\n    of that\n  - [ ] again\n",
	  "{} [\"one\",\"below\",\"again\"]" },
	{ "- [ ]\n  on the next line\n", "{} [\"on the next line\"]" },
	{ "- [ ] one\n```\n- [ ] no\n``\n~~~\n- [ ] no\n```\n- [ ] two\n", "{} [\"one\",\"two\"]" },
	{ "~~~~ text\n- [ ] no\n~~~\n- [ ] no\n~~~~\n- [ ] one\n", "{} [\"one\"]" },
	{ "```` x\n- [ ] no\n", "{} []" },
	{ "``` a ` b\n- [ ] one\n", "{} [\"one\"]" },
	{ "- [ ] one\n  ```\n  - [ ] no\n  ```\n  not of it\n- [ ] two\n", "{} [\"one\",\"two\"]" },
	{ "<!-- - [ ] no -->\n<!--\n- [ ] no\n-->\n- [ ] one\n", "{} [\"one\"]" },
	{ "\xef\xbb\xbf- [ ] one\n", "{} [\"one\"]" },
	{ "1. [ ] no\n> - [ ] no\n", "{} []" },
	{ "- [ ] \xe2\x82\xac \"5\"\n", "{} [\"\xe2\x82\xac \\\"5\\\"\"]" },
	{ "text\n---\n- [ ] one\n---\n", "{} [\"one\"]" },
};

static const struct { const char *front, *expected; } fronts[] = {
	{ "", "{} [\"one\"]" },
	{ "interval: 45\n", "{\"interval\":45} [\"one\"]" },
	{ "interval: 1h30m\n", "{\"interval\":90} [\"one\"]" },
	{ "interval: 90s\n", "file:2:11 interval: expected whole minutes, 1 to 525600" },
	{ "interval: 0\n", "file:2:11 interval: 0 is less than 1" },
	{ "interval: 525601\n", "file:2:11 interval: 525601 is more than 525600" },
	{ "interval: soon\n", NULL },
	{ "interval: [1]\n", NULL },
	{ "timezone: Europe/Berlin\nmodel: openai:gpt-x\nname: Mine\n",
	  "{\"timezone\":\"Europe/Berlin\",\"model\":\"openai:gpt-x\"} [\"one\"]" },
	{ "timezone: Mars/Olympus\n", NULL },
	{ "activeHours: { start: \"22:00\", end: \"06:00\" }\n",
	  "{\"activeHours\":{\"start\":\"22:00\",\"end\":\"06:00\"}} [\"one\"]" },
	{ "activeHours: { start: 09:00, end: \"24:00\", daysOfWeek: [5, 0, 1, 7] }\n",
	  "{\"activeHours\":{\"start\":\"09:00\",\"end\":\"24:00\",\"daysOfWeek\":[1,5,7]}} [\"one\"]" },
	{ "activeHours: { start: \"9\" , day: 3 }\n",
	  "file:2:23 activeHours.start: expected HH:MM\n"
	  "file:2:29 activeHours: unknown key \"day\"\n"
	  "file:2:14 activeHours.end: is required" },
	{ "activeHours:\n  start: \"08:00\"\n  end: \"09:00\"\n  daysOfWeek: [8, one]\n", NULL },
	{ "activeHours: 9-17\n", "file:2:14 activeHours: expected a map, got a single value" },
	{ "webhook: https://example.com/x\n", "{\"webhook\":\"https://example.com/x\"} [\"one\"]" },
	{ "webhook: file:///etc/passwd\n", "file:2:10 webhook: expected a URL, http or https" },
	{ "intervall: 5\n", "file:2:1: unknown key \"intervall\"; did you mean \"interval\"?" },
	{ "- 1\n", NULL },
	{ "interval: {\n", NULL },
	{ "model: \"\"\n", NULL },
};
/* clang-format on */

static void
test_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		check(lists[i].text, lists[i].expected);
}

static char *
without_file(const char *text)
{
	char *said = read_text(text, strlen(text));
	struct buf out = { 0 };

	/* The problems name no file: "2:11 interval: ..." */
	if (said[0] >= '0' && said[0] <= '9')
		for (char *line = strtok(said, "\n"); line; line = strtok(NULL, "\n"))
			buf_printf(&out, "%sfile:%s", out.len > 0 ? "\n" : "", line);
	else
		buf_str(&out, said);
	free(said);
	return buf_take(&out);
}

static void
test_front(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof fronts / sizeof fronts[0]; i++) {
		char *text = xprintf("---\n%s---\n- [ ] one\n", fronts[i].front);
		char *got = without_file(text);

		if (fronts[i].expected == NULL)
			assert_memory_equal(got, "file:", 5);
		else
			assert_string_equal(got, fronts[i].expected);
		free(got);
		free(text);
	}
}

static void
test_edges_of_front(void **state)
{
	(void)state;
	check("---\ninterval: 5\n",
	      "1:1: the front matter begins with \"---\" and has no end");
	check("--- \ninterval: 5\n... \n- [ ] one", "{\"interval\":5} [\"one\"]");
	check("----\n- [ ] one\n", "{} [\"one\"]");
	check("\n---\ninterval: 5\n---\n", "{} []");
}

static void
test_limits(void **state)
{
	struct buf text = { 0 };
	char *got;

	(void)state;
	for (int i = 0; i < HEARTBEAT_ITEMS_MAX; i++)
		buf_str(&text, "- [ ] x\n");
	got = read_text(text.data, text.len);
	assert_memory_equal(got, "{} [", 4);
	free(got);
	buf_str(&text, "- [ ] y\n");
	check(text.data, "101:1: more than 100 items");
	buf_clear(&text);
	buf_str(&text, "\n- [ ] ");
	for (int i = 0; i <= HEARTBEAT_ITEM_MAX; i++)
		buf_char(&text, 'x');
	check(text.data, "2:1: the item is longer than 4000 bytes");
	buf_clear(&text);
	for (int i = 0; i <= HEARTBEAT_BYTES_MAX; i++)
		buf_char(&text, ' ');
	check(text.data, "larger than 256 KiB");
	buf_fini(&text);
	check("- [ ] \xff\n", "is not UTF-8");
	got = read_text("a\0b", 3);
	assert_string_equal(got, "the character U+0000 is not allowed");
	free(got);
}

static void
test_intervals(void **state)
{
	static const struct {
		long minutes;
		const char *cron;
	} cases[] = { { 1, "*/1 * * * *" }, { 30, "*/30 * * * *" },
		      { 45, "@every 45m" }, { 60, "@every 60m" },
		      { 7, "@every 7m" },   { 12, "*/12 * * * *" },
		      { 90, "@every 90m" }, { 525600, "@every 525600m" } };
	static const char *const others[] = {
		"*/7 * * * *",     "@every 30m", "@every 45s",
		"@every 45mx",     "*/30 * * *", "0 * * * *",
		"@every 9999999m", "@every -5m", ""
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf out = { 0 };

		heartbeat_cron(cases[i].minutes, &out);
		assert_string_equal(buf_text(&out), cases[i].cron);
		assert_int_equal(heartbeat_minutes(cases[i].cron), cases[i].minutes);
		buf_fini(&out);
	}
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_int_equal(heartbeat_minutes(others[i]), 0);
}

/* ---- answers ---- */

/* clang-format off */
static const struct { const char *text, *expected; } answers[] = {
	{ "{\"actionNeeded\": true, \"details\": \"disk full\"}", "yes disk full" },
	{ "{\"actionNeeded\": false}", "no " },
	{ "{\"details\": null, \"actionNeeded\": false}", "no " },
	{ "Sure!\n```json\n{\"actionNeeded\": true, \"details\": \"a } b {\"}\n```\nBye {x}",
	  "yes a } b {" },
	{ "I looked at {a: 1} and {\"b\": 2}: {\"actionNeeded\": false, \"details\": \"ok\"}",
	  "no ok" },
	{ "{\"answer\": {\"actionNeeded\": true, \"details\": \"in\"}}", "yes in" },
	{ "{ { {\"actionNeeded\": true}", "yes " },
	{ "{\"actionNeeded\": true, \"details\": {\"a\": [1]}}", "yes {\"a\":[1]}" },
	{ "{\"actionNeeded\": true, \"details\": \"a\\u0000b\"}", "yes a\xef\xbf\xbd" "b" },
	{ "{\"actionNeeded\": \"true\"}", "? " HEARTBEAT_UNREADABLE },
	{ "{\"actionNeeded\": 1, \"details\": \"x\"}", "? " HEARTBEAT_UNREADABLE },
	{ "{\"actionNeeded\": true, \"details\": \"x\"", "? " HEARTBEAT_UNREADABLE },
	{ "All is well.", "? " HEARTBEAT_UNREADABLE },
	{ "[true]", "? " HEARTBEAT_UNREADABLE },
	{ "", "? " HEARTBEAT_UNREADABLE },
};
/* clang-format on */

static void
test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		struct heartbeat_answer answer =
		    heartbeat_answer_read(answers[i].text, strlen(answers[i].text));
		char *got = xprintf("%s %s",
				    !answer.readable       ? "?"
				    : answer.action_needed ? "yes"
							   : "no",
				    answer.details);

		assert_string_equal(got, answers[i].expected);
		free(got);
		free(answer.details);
	}
}

/* Nothing of what a model says takes long, or more room than there is. */
static void
test_long_answers(void **state)
{
	struct buf text = { 0 };
	struct heartbeat_answer answer;

	(void)state;
	for (int i = 0; i < 1000000; i++)
		buf_char(&text, '{');
	answer = heartbeat_answer_read(text.data, text.len);
	assert_false(answer.readable);
	free(answer.details);
	buf_clear(&text);
	buf_str(&text, "{\"actionNeeded\":true,\"details\":\"x");
	while (text.len < 10000)
		buf_str(&text, "\xe2\x82\xac");
	buf_str(&text, "\"}");
	answer = heartbeat_answer_read(text.data, text.len);
	assert_true(answer.readable && answer.action_needed);
	assert_int_equal(strlen(answer.details), 1 + 1333 * 3);
	free(answer.details);
	buf_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),          cmocka_unit_test(test_front),
		cmocka_unit_test(test_edges_of_front), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_intervals),      cmocka_unit_test(test_answers),
		cmocka_unit_test(test_long_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
