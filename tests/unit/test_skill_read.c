/* SKILL.md: what is read of it, what is refused and where, and prompts for inputs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/yaml.h"
#include "engine/skill_read.h"

static void
read_good(const char *text, struct skill *out)
{
	struct problems problems = { 0 };

	if (!skill_read("greet", text, strlen(text), yaml_parse, out, &problems))
		fail_msg("%s", problem_text(&problems, 0));
	assert_int_equal(problems.count, 0);
}

/* The only problem of the text of a skill called name. */
static void
check_refused(const char *name, const char *text, const char *expected)
{
	struct problems problems = { 0 };
	struct skill skill;
	char *line;

	assert_false(
	    skill_read(name, text, strlen(text), yaml_parse, &skill, &problems));
	line = problem_text(&problems, 0);
	assert_string_equal(line, expected);
	assert_int_equal(problems.count, 1);
	free(line);
	problems_fini(&problems);
}

static void
check_prompt(const char *text, const char *input, const char *expected)
{
	struct skill skill;
	struct json *value = NULL;
	struct buf prompt = { 0 };
	struct err err = { 0 };

	read_good(text, &skill);
	assert_int_equal(json_parse(input, strlen(input), &value, &err), 0);
	assert_int_equal(skill_prompt(&skill, value, &prompt, &err), 0);
	assert_string_equal(buf_text(&prompt), expected);
	buf_fini(&prompt);
	json_unref(&value);
	skill_fini(&skill);
}

/* ---- good ones ---- */

static void
test_the_least(void **state)
{
	struct skill skill;

	(void)state;
	read_good("---\ndescription: Says hello.\n---\nHello.\n", &skill);
	assert_string_equal(skill.name, "greet");
	assert_string_equal(skill.description, "Says hello.");
	assert_int_equal(skill.runtime, SKILL_PROMPT);
	assert_null(skill.input_rules);
	assert_null(skill.model);
	assert_false(skill.names_input);
	skill_fini(&skill);
}

static void
test_all_of_a_prompt(void **state)
{
	struct skill skill;

	(void)state;
	read_good("---\nname: greet\ndescription: d\nruntime: prompt\n"
		  "input: {type: object, required: [who]}\n"
		  "output: {type: object}\nmodel: [a:b, c:d]\nsystem: Be kind.\n"
		  "maxTokens: 9\ntemperature: 0.5\ntools: [git.*, state.get]\n"
		  "maxToolRounds: 2\nbudget: {tokens: 5}\nlicense: MIT\n"
		  "allowed-tools: Read\nmetadata: {a: b}\n---\nHello {{input.who}}.\n",
		  &skill);
	assert_non_null(skill.input_rules);
	assert_non_null(skill.output_rules);
	assert_int_equal(json_count(json_get(skill.model, "model")), 2);
	assert_int_equal(json_int(json_get(skill.model, "maxTokens")), 9);
	assert_int_equal(json_count(skill.model), 7);
	assert_true(skill.names_input);
	skill_fini(&skill);
}

static void
test_programs(void **state)
{
	static const char *const files[] = { NULL, "main.js", "main.py", "main.sh",
					     NULL };
	struct skill skill;
	char text[200];

	(void)state;
	for (int i = SKILL_JAVASCRIPT; i < SKILL_COMMAND; i++) {
		snprintf(text, sizeof text,
			 "---\ndescription: d\nruntime: %s\n---\n{{ not read",
			 skill_runtime_name((enum skill_runtime)i));
		read_good(text, &skill);
		assert_int_equal(skill.runtime, i);
		assert_string_equal(skill_program_file(skill.runtime), files[i]);
		assert_non_null(skill_program(skill.runtime));
		skill_fini(&skill);
	}
	assert_null(skill_program_file(SKILL_PROMPT));
	assert_null(skill_program_file(SKILL_COMMAND));
	assert_null(skill_program_file(SKILL_RUNTIMES));
	assert_string_equal(skill_runtime_name(SKILL_RUNTIMES), "unknown");
}

static void
test_commands(void **state)
{
	struct skill skill;

	(void)state;
	read_good("---\ndescription: d\nruntime: command\ncommand: ./run\n---\n",
		  &skill);
	assert_int_equal(json_count(skill.command), 1);
	skill_fini(&skill);
	read_good("---\ndescription: d\nruntime: command\ncommand: [jq, .a]\n---\n",
		  &skill);
	assert_string_equal(json_str(json_at(skill.command, 1)), ".a");
	skill_fini(&skill);
}

static void
test_names(void **state)
{
	static const char *const bad[] = { "",   ".",   "..",  ".a",
					   "-a", "a/b", "a b", "\xc3\xa9" };
	char name[SKILL_NAME_MAX + 2];

	(void)state;
	assert_true(skill_name_is_good("A1._-"));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(skill_name_is_good(bad[i]));
	memset(name, 'a', sizeof name);
	name[SKILL_NAME_MAX] = '\0';
	assert_true(skill_name_is_good(name));
	name[SKILL_NAME_MAX] = 'a';
	name[SKILL_NAME_MAX + 1] = '\0';
	assert_false(skill_name_is_good(name));
}

/* ---- refused ---- */

#define OF "---\ndescription: d\n"

static void
test_refused(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "Hello", "1:1: expected front matter: a first line \"---\"" },
		{ "---\na: b\n", "1:1: the front matter begins with \"---\" and has no "
				 "end" },
		{ "---\nname: greet\n---\nx", "2:1 description: is required" },
		{ OF "name: great\n---\nx",
		  "3:7 name: \"great\" is not the name of its "
		  "folder, \"greet\"" },
		{ OF "runtime: ruby\n---\nx",
		  "3:10 runtime: \"ruby\" is not one of prompt, javascript, python, "
		  "shell, command" },
		{ OF "input: {type: array}\n---\nx",
		  "3:15 input.type: the input of a run is an object" },
		{ OF "output: {type: objet}\n---\nx",
		  "3:16 output.type: \"objet\" is not one of null, boolean, integer, "
		  "number, string, array, object; did you mean \"object\"?" },
		{ OF "modell: a:b\n---\nx",
		  "3:1: unknown key \"modell\"; did you mean \"model\"?" },
		{ OF "model: b\n---\nx",
		  "3:8 model: \"b\" is not provider:model, such as "
		  "anthropic:claude-sonnet-4-5" },
		{ OF "tools: git.lgo\n---\nx",
		  "3:8 tools: unknown tool \"git.lgo\"; did you mean \"git.log\"?" },
		{ OF "maxTokens: 0\n---\nx", "3:12 maxTokens: 0 is less than 1" },
		{ OF "budget: {tokens: no}\n---\nx",
		  "3:9 budget: tokens: expected a whole number, got string" },
		{ OF "command: x\n---\nx",
		  "3:10 command: is for the runtime \"command\" only" },
		{ OF "runtime: command\n---\nx", "2:1 command: is required" },
		{ OF "runtime: command\ncommand: []\n---\nx",
		  "4:10 command: expected 1 to 14 words" },
		{ OF "runtime: shell\nmodel: a:b\n---\nx",
		  "4:8 model: is for the runtime \"prompt\" only" },
		{ OF "---\n \n", "3:1: there is no prompt behind the front matter" },
		{ OF "---\n{{steps.a}} {{ other }}",
		  "4:1: the prompt knows \"input\" and nothing else: there is no "
		  "\"steps\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		check_refused("greet", cases[i].text, cases[i].expected);
}

static void
test_where_a_template_is_wrong(void **state)
{
	const char *text = OF "---\n\n\nIt is\nnow {{input.}}\n";
	struct problems problems = { 0 };
	struct skill skill;

	(void)state;
	assert_false(
	    skill_read("greet", text, strlen(text), yaml_parse, &skill, &problems));
	assert_int_equal(problems.count, 1);
	assert_int_equal(problems.list[0].line, 7);
	assert_in_range(problems.list[0].column, 5, 14);
	problems_fini(&problems);
}

static void
test_a_bad_folder(void **state)
{
	(void)state;
	check_refused("my skill", OF "---\nx",
		      "the name of a skill is at most 64 letters, digits, \".\", _ and "
		      "-, and begins with a letter or digit");
}

/* ---- prompts ---- */

static void
test_prompts(void **state)
{
	(void)state;
	check_prompt(OF "---\n\nHello {{input.who}}, {{input.list}}.\n\n",
		     "{\"who\": \"Ada\", \"list\": [1, 2]}", "Hello Ada, [1,2].");
	check_prompt(OF "---\n{{input}}", "{\"a\": 1}", "{\"a\":1}");
	check_prompt(OF "---\nHello.", "{}", "Hello.");
	check_prompt(OF "---\nHello.", "{\"a\": 1}",
		     "Hello.\n\nThe input, as JSON:\n\n{\"a\":1}");
	check_prompt(OF "---\nWrite {{{{x}}.", "{}", "Write {{x}}.");
}

static void
test_a_member_that_is_missing(void **state)
{
	struct skill skill;
	struct json *input = json_new_object();
	struct buf prompt = { 0 };
	struct err err = { 0 };

	(void)state;
	read_good(OF "---\nHello {{input.who}}.", &skill);
	assert_int_equal(skill_prompt(&skill, input, &prompt, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_non_null(strstr(err.text, "who"));
	assert_int_equal(prompt.len, 0);
	json_unref(&input);
	skill_fini(&skill);
	buf_fini(&prompt);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_least),
		cmocka_unit_test(test_all_of_a_prompt),
		cmocka_unit_test(test_programs),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_where_a_template_is_wrong),
		cmocka_unit_test(test_a_bad_folder),
		cmocka_unit_test(test_prompts),
		cmocka_unit_test(test_a_member_that_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
