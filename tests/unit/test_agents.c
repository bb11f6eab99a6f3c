/* Command-line agents in the configuration: what is preset, replaced, added, refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "agent/parser_core.h"
#include "base/buf.h"
#include "base/xalloc.h"
#include "conf/agents.h"
#include "conf/agents_preset.h"
#include "conf/yaml.h"
#include "text_file.h"

/* The problems as lines. */
static char *
read_text(struct agents *agents, const char *text)
{
	struct problems problems = { 0 };
	struct doc *tree =
	    text != NULL ? yaml_parse(text, strlen(text), &problems) : NULL;
	struct buf lines = { 0 };

	*agents = (struct agents){ 0 };
	assert_true(text == NULL || tree != NULL);
	agents_read(agents, tree, &problems);
	for (size_t i = 0; i < problems.count; i++)
		buf_printf(&lines, "%d:%d %s\n", problems.list[i].line,
			   problems.list[i].column, problems.list[i].message);
	doc_free(&tree);
	problems_fini(&problems);
	return buf_take(&lines);
}

static void
expect_problems(const char *text, const char *expected)
{
	struct agents agents;
	char *lines = read_text(&agents, text);

	assert_string_equal(lines != NULL ? lines : "", expected);
	free(lines);
	agents_fini(&agents);
}

static void
test_the_presets_are_good(void **state)
{
	static const char *const names[] = { "claude", "codex", "gemini", "opencode" };
	struct agents agents;
	char *lines = read_text(&agents, NULL);

	(void)state;
	assert_string_equal(lines, "");
	free(lines);
	assert_int_equal(agents.count, sizeof names / sizeof names[0]);
	for (size_t i = 0; i < agents.count; i++) {
		const struct agent *agent = agent_find(&agents, names[i]);

		assert_non_null(agent);
		assert_string_equal(agent_program(agent), names[i]);
		assert_string_equal(agent->default_permissions, "edit");
		assert_int_equal(json_count(agent->permissions), 3);
		assert_true(agent->session_files.count > 0);
	}
	assert_null(agent_find(&agents, "nobody"));
	agents_fini(&agents);
}

static void
test_each_parser_that_may_be_named_is_there(void **state)
{
	struct parser parser;

	(void)state;
	for (size_t i = 0; agent_parsers[i] != NULL; i++) {
		assert_true(parser_init(&parser, agent_parsers[i], 100));
		parser_fini(&parser);
	}
}

static void
test_what_is_written_stands_over_the_preset(void **state)
{
	struct agents agents;
	const struct agent *agent;
	char *lines = read_text(&agents, "codex: { environment: [A_KEY], prices: "
					 "{ m: { input: 1, output: 2 } } }\n"
					 "mine:\n"
					 "  command: [./mine, 1, [-m, '{model}']]\n"
					 "  permissions: { all: [] }\n"
					 "  prompt_stdin: true\n");

	(void)state;
	assert_string_equal(lines, "");
	free(lines);
	agent = agent_find(&agents, "codex");
	assert_string_equal(agent->parser, "jsonl");
	assert_int_equal(agent->environment.count, 1);
	assert_string_equal(agent->environment.list[0], "A_KEY");
	assert_int_equal(agent->prices_count, 1);
	agent = agent_find(&agents, "mine");
	assert_string_equal(agent->parser, "text");
	assert_string_equal(json_str(json_at(agent->command, 1)), "1");
	assert_true(agent->prompt_stdin);
	assert_null(agent->default_permissions);
	assert_true(json_has(agent->permissions, "all"));
	agents_fini(&agents);
}

static void
test_what_is_refused(void **state)
{
	(void)state;
	expect_problems("7",
			"1:1 agents: expected up to 64 names with what they are\n");
	expect_problems("'a b': {command: [x]}",
			"1:1 agents: expected names of up to 64 letters, digits, dots, "
			"dashes or underscores\n");
	expect_problems("a: {}", "1:4 agents.a.command: it has none\n");
	expect_problems("a: {command: ['{prompt}']}",
			"1:14 agents.a.command: expected a list of up to 100 words, or "
			"lists of words, that begins with the program\n");
	expect_problems("a: {command: [x, [y, [z]]]}",
			"1:14 agents.a.command: expected a list of up to 100 words, or "
			"lists of words, that begins with the program\n");
	expect_problems("a: {command: [x], parser: xml}",
			"1:4 agents.a.parser: expected stream-json, jsonl, json or "
			"text\n");
	expect_problems("a: {command: [x], files: {../x: /y}}",
			"1:27 agents.a.files: not a path below HOME\n");
	expect_problems("a: {command: [x], files: {x: y}}",
			"1:30 agents.a.files: expected a path that begins with / or "
			"~/\n");
	expect_problems("a: {command: [x], session_files: [/etc/*]}",
			"1:4 agents.a.session_files: expected paths below HOME\n");
	expect_problems("a: {command: [x], variables: {A-B: c}}",
			"1:36 agents.a.variables: \"A-B\" is no name of a variable\n");
	expect_problems("a: {command: [x], variables: {A: 'file:/nonexistent'}}",
			"1:34 agents.a.variables: /nonexistent: No such file or "
			"directory\n");
	expect_problems("a: {command: [x], environment: [A=b]}",
			"1:4 agents.a.environment: expected names of variables\n");
	expect_problems("a: {command: [x], permissions: {p: x}}",
			"1:36 agents.a.permissions: expected a list of arguments\n");
	expect_problems("a: {command: [x], default_permissions: p}",
			"1:4 agents.a.default_permissions: there are no such "
			"permissions\n");
	expect_problems("a: {command: [x], comand: y}",
			"1:19 agents.a.comand: unknown key, did you mean command?\n");
	expect_problems(
	    "a: {command: [x], prices: {m: {input: x}}}",
	    "1:39 agents.a.prices.m.input: \"x\" is not a number, like 15 or "
	    "0.25\n");
}

/* docs/agents.md shows the presets, as they would be written. */
static void
test_the_page_shows_the_presets(void **state)
{
	char *path = xprintf("%s/../docs/agents.md", TESTS_DIR);
	char *page = text_file_read(path, NULL);
	struct buf shown = { 0 };

	(void)state;
	assert_non_null(page);
	buf_str(&shown, "```yaml\nagents:\n");
	for (const char *line = agents_preset; *line != '\0';) {
		int len = (int)strcspn(line, "\n");

		buf_printf(&shown, "  %.*s\n", len, line);
		line += len + 1;
	}
	buf_str(&shown, "```\n");
	assert_non_null(strstr(page, buf_text(&shown)));
	buf_fini(&shown);
	free(page);
	free(path);
}

static void
test_what_is_masked(void **state)
{
	static char *const environment[] = { (char *)"MY_API_KEY=canary-0123",
					     (char *)"OTHER_KEY=unseen-0123",
					     (char *)"SHORT_KEY=abcd", NULL };
	struct agents agents;
	struct mask *mask = mask_new();
	struct buf text = { 0 };

	(void)state;
	free(read_text(&agents, "a: { command: [x], environment: [MY_API_KEY, "
				"SHORT_KEY], variables: { A_TOKEN: of-config-1 } }"));
	agents_mask(&agents, environment, mask);
	mask_text(mask, "canary-0123 unseen-0123 abcd of-config-1", 40, &text);
	assert_string_equal(buf_text(&text), "*** unseen-0123 abcd ***");
	buf_fini(&text);
	mask_free(&mask);
	agents_fini(&agents);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_presets_are_good),
		cmocka_unit_test(test_each_parser_that_may_be_named_is_there),
		cmocka_unit_test(test_what_is_written_stands_over_the_preset),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_the_page_shows_the_presets),
		cmocka_unit_test(test_what_is_masked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
