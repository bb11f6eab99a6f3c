/*
 * Reading workflows: a file with every key, and a table of what is wrong with files and
 * what is said about it (tests/tables/workflow/).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "conf/yaml.h"
#include "engine/workflow.h"
#include "text_file.h"

#define FOLDER TESTS_DIR "/tables/workflow/"

static struct workflow *
read_text(const char *text, size_t len, struct problems *problems)
{
	struct doc *doc = yaml_parse(text, len, problems);
	struct workflow *workflow = NULL;

	if (doc != NULL)
		workflow = workflow_read(doc, problems);
	doc_free(&doc);
	return workflow;
}

static void
add_problems(const struct problems *problems, struct buf *out)
{
	for (size_t i = 0; i < problems->count; i++) {
		char *text = problem_text(problems, i);

		buf_printf(out, "%s\n", text);
		free(text);
	}
}

static struct workflow *
read_good(const char *text)
{
	struct problems problems = { 0 };
	struct workflow *workflow = read_text(text, strlen(text), &problems);
	struct buf said = { 0 };

	add_problems(&problems, &said);
	if (workflow == NULL)
		fail_msg("%s", buf_text(&said));
	assert_int_equal(problems.count, 0);
	buf_fini(&said);
	problems_fini(&problems);
	return workflow;
}

/* ---- a file with everything ---- */

static struct workflow *
read_full(void)
{
	char *text = text_file_read(FOLDER "full.yaml", NULL);
	struct workflow *workflow;

	assert_non_null(text);
	workflow = read_good(text);
	free(text);
	return workflow;
}

static void
test_the_top(void **state)
{
	struct workflow *workflow = read_full();

	(void)state;
	assert_string_equal(workflow->name, "release-notes.v2");
	assert_string_equal(workflow->description, "Draft and publish release notes");
	assert_int_equal(workflow->timeout, 7200 * USEC_SECOND);
	assert_int_equal(workflow->priority, PRIORITY_HIGH);
	assert_string_equal(workflow->queue, "gpu-1");
	assert_true(workflow->crash_on_interrupt);
	assert_int_equal(workflow->max_steps, 50);
	assert_int_equal(workflow->steps_count, 7);
	assert_non_null(workflow->output);
	assert_int_equal(workflow->output_refs_count, 1);
	assert_int_equal(workflow->output_refs[0], 5);
	assert_true(workflow->output_refs_state);
	assert_false(workflow->output_refs_all_steps);
	assert_true(workflow->reads_steps_whole);
	assert_string_equal(
	    json_str(json_get(
		json_get(json_get(workflow->input_schema, "properties"), "repo"),
		"type")),
	    "string");
	workflow_free(&workflow);
	assert_null(workflow);
	workflow_free(&workflow);
}

static void
test_the_steps(void **state)
{
	struct workflow *workflow = read_full();
	const struct step_def *step = workflow->steps;

	(void)state;
	assert_string_equal(step->id, "changes");
	assert_string_equal(step->name, "Collect changes");
	assert_int_equal(step->action, ACTION_TOOL);
	assert_int_equal(step->timeout, 30 * USEC_SECOND);
	assert_int_equal(step->retry.max_attempts, 5);
	assert_int_equal(step->retry.backoff, BACKOFF_LINEAR);
	assert_int_equal(step->retry.delay, 2 * USEC_SECOND);
	assert_int_equal(step->retry.max_delay, 60 * USEC_SECOND);
	assert_false(step->retry.jitter);
	assert_int_equal(step->branches_count, 2);
	assert_int_equal(step->branches[0].target, TARGET_END);
	assert_int_equal(step->branches[1].target, 1);
	assert_int_equal(step->on_failure, 6);
	assert_int_equal(step->on_success, TARGET_NONE);
	assert_string_equal(step->queue, "gpu-1");
	assert_int_equal(step->refs_count, 1);
	assert_int_equal(step->refs[0], 0);
	assert_true(step->refs_state);
	assert_false(step->refs_all_steps);

	step = &workflow->steps[1];
	assert_string_equal(step->name, "load-spec");
	assert_string_equal(step->queue, "net");
	assert_int_equal(step->action, ACTION_HTTP);
	assert_int_equal(step->timeout, 300 * USEC_SECOND);
	assert_int_equal(step->retry.max_attempts, 3);
	assert_int_equal(step->retry.backoff, BACKOFF_EXPONENTIAL);
	assert_int_equal(step->retry.delay, USEC_SECOND);
	assert_int_equal(step->retry.max_delay, 60 * USEC_SECOND);
	assert_true(step->retry.jitter);
	assert_true(step->continue_on_error);
	assert_int_equal(step->refs_count, 1);

	step = &workflow->steps[2];
	assert_int_equal(step->action, ACTION_WAIT);
	assert_int_equal(step->timeout, 0);
	assert_int_equal(step->retry.max_attempts, 1);
	assert_int_equal(step->on_success, 4);
	assert_int_equal(step->refs_count, 0);

	/* A delay above the usual most raises it. */
	step = &workflow->steps[4];
	assert_int_equal(step->retry.delay, 120 * USEC_SECOND);
	assert_int_equal(step->retry.max_delay, 120 * USEC_SECOND);
	assert_int_equal(step->refs[0], 1);

	assert_int_equal(workflow->steps[5].on_success, TARGET_END);
	assert_true(workflow->steps[6].refs_all_steps);
	workflow_free(&workflow);
}

static void
test_finding_steps(void **state)
{
	struct workflow *workflow = read_full();

	(void)state;
	for (size_t i = 0; i < workflow->steps_count; i++) {
		assert_int_equal(workflow->steps[i].index, i);
		assert_int_equal(workflow_step_index(workflow, workflow->steps[i].id),
				 i);
	}
	assert_int_equal(workflow_step_index(workflow, "load_spec"), -1);
	assert_int_equal(workflow_step_index(workflow, ""), -1);
	workflow_free(&workflow);
}

static void
test_what_is_shown(void **state)
{
	struct workflow *workflow = read_full();
	const struct json *steps = json_get(workflow->config, "steps"), *step;

	(void)state;
	assert_false(json_has(workflow->config, "ui"));
	assert_string_equal(json_str(json_get(workflow->config, "timeout")), "2h");
	assert_int_equal(json_count(steps), 7);
	for (size_t i = 0; i < json_count(steps); i++) {
		step = json_at(steps, i);
		assert_false(json_has(step, "ui"));
		assert_string_equal(json_str(json_get(step, "id")),
				    workflow->steps[i].id);
		assert_string_equal(json_str(json_get(step, "name")),
				    workflow->steps[i].name);
		assert_string_equal(json_str(json_get(step, "action")),
				    action_name(workflow->steps[i].action));
	}
	workflow_free(&workflow);
}

static void
test_presets(void **state)
{
	struct workflow *workflow =
	    read_good("name: x\nsteps: [{id: 'true', action: noop, name: 2024}]\n");
	char *config = json_text(workflow->config);

	(void)state;
	assert_int_equal(workflow->timeout, 3600 * USEC_SECOND);
	assert_int_equal(workflow->priority, PRIORITY_NORMAL);
	assert_string_equal(workflow->queue, "default");
	assert_string_equal(workflow->steps[0].queue, "default");
	assert_int_equal(workflow->max_steps, 1000);
	assert_false(workflow->crash_on_interrupt);
	assert_false(workflow->reads_steps_whole);
	assert_null(workflow->output);
	assert_null(workflow->input_schema);
	assert_null(workflow->description);
	assert_int_equal(workflow->steps[0].retry.max_attempts, 1);
	assert_string_equal(config, "{\"name\":\"x\",\"steps\":[{\"id\":\"true\","
				    "\"action\":\"noop\",\"name\":\"2024\"}]}");
	free(config);
	workflow_free(&workflow);
}

/* What is fetched for a step: its error may come from any other, `steps` itself is all.
 */
static void
test_what_is_read_of_the_run(void **state)
{
	struct workflow *workflow = read_good(
	    "name: x\noutput: '{{error.code}}'\nsteps:\n"
	    "- { id: a, action: http, url: '{{error.message}}' }\n"
	    "- { id: b, action: noop, branches: [{ condition: error != null, "
	    "goto: end }] }\n"
	    "- { id: c-d, action: http, url: '{{steps.c_d.status}}{{steps.a.output}}"
	    "{{steps[\"c-d\"].result}}', json: '{{state.x}}' }\n"
	    "- { id: e, action: code, language: shell, source: 'true' }\n");
	const struct step_def *steps = workflow->steps;

	(void)state;
	assert_true(steps[0].refs_all_steps);
	assert_false(steps[0].refs_state);
	assert_false(steps[1].refs_all_steps);
	assert_int_equal(steps[1].refs_count, 0);
	assert_false(steps[2].refs_all_steps);
	assert_true(steps[2].refs_state);
	assert_int_equal(steps[2].refs_count, 2);
	assert_int_equal(steps[2].refs[0] + steps[2].refs[1], 2);
	/* A program is handed all that the run knows. */
	assert_true(steps[3].refs_all_steps);
	assert_true(steps[3].refs_state);
	assert_true(workflow->output_refs_all_steps);
	assert_false(workflow->reads_steps_whole);
	workflow_free(&workflow);
}

static void
test_as_many_steps_as_there_may_be(void **state)
{
	struct buf text = { 0 };
	struct problems problems = { 0 };
	struct workflow *workflow;

	(void)state;
	buf_str(&text, "name: x\nsteps:\n");
	for (int i = 0; i < WORKFLOW_STEPS_MAX; i++)
		buf_printf(&text, "- {id: s%d, action: noop, onSuccess: s%d}\n", i,
			   WORKFLOW_STEPS_MAX - 1 - i);
	workflow = read_good(buf_text(&text));
	assert_int_equal(workflow->steps[10].on_success, WORKFLOW_STEPS_MAX - 11);
	workflow_free(&workflow);
	buf_str(&text, "- {id: more, action: noop}\n");
	workflow = read_text(text.data, text.len, &problems);
	assert_null(workflow);
	assert_int_equal(problems.count, 1);
	assert_string_equal(problems.list[0].message, "more than 1000 steps");
	problems_fini(&problems);
	buf_fini(&text);
}

static void
test_too_many_branches(void **state)
{
	struct buf text = { 0 };
	struct problems problems = { 0 };

	(void)state;
	buf_str(&text, "name: x\nsteps:\n- id: a\n  action: noop\n  branches:\n");
	for (int i = 0; i < 101; i++)
		buf_str(&text, "  - {condition: true, goto: a}\n");
	assert_null(read_text(text.data, text.len, &problems));
	assert_int_equal(problems.count, 1);
	assert_string_equal(problems.list[0].path, "steps[0].branches");
	assert_string_equal(problems.list[0].message, "more than 100 branches");
	problems_fini(&problems);
	buf_fini(&text);
}

/* ---- the table of problems ---- */

/* One case: from "== " to the next. The text is cut up in place. */
static bool
check_case(char *text)
{
	char *file = strchr(text, '\n'), *expected, *end;
	struct problems problems = { 0 };
	struct workflow *workflow;
	struct buf said = { 0 };
	bool good;

	assert_non_null(file);
	*file++ = '\0';
	expected = strncmp(file, "--\n", 3) == 0 ? file - 1 : strstr(file, "\n--\n");
	if (expected == NULL)
		fail_msg("%s: no line of --", text);
	end = file + strlen(file);
	expected++;
	workflow = read_text(file, (size_t)(expected - file), &problems);
	expected += 3;
	while (end > expected && end[-1] == '\n')
		*--end = '\0';
	if (workflow == NULL)
		add_problems(&problems, &said);
	else
		assert_int_equal(problems.count, 0);
	while (said.len > 0 && said.data[said.len - 1] == '\n')
		said.data[--said.len] = '\0';
	good = strcmp(buf_text(&said), expected) == 0;
	if (!good)
		fprintf(stderr, "== %s\n%.*s--\n%s\n\n", text,
			(int)(expected - 3 - file), file, buf_text(&said));
	buf_fini(&said);
	problems_fini(&problems);
	workflow_free(&workflow);
	return good;
}

static void
test_problems(void **state)
{
	char *text = text_file_read(FOLDER "problems.txt", NULL);
	char *at = strstr(text, "\n== "), *next;
	int count = 0, wrong = 0;

	(void)state;
	while (at != NULL) {
		next = strstr(at + 1, "\n== ");
		if (next != NULL)
			*next = '\0';
		wrong += check_case(at + 4) ? 0 : 1;
		count++;
		at = next;
	}
	assert_int_equal(wrong, 0);
	assert_true(count >= 30);
	free(text);
}

/* ---- the examples of docs/workflow-format.md ---- */

/* How the examples begin, and what makes a whole file of them. */
static const struct {
	const char *beginning, *before, *after;
} examples[] = {
	{ "name:", "", "" },
	{ "steps:", "name: x\n", "" },
	{ "input:", "name: x\n", "steps: [{ id: a, action: noop }]\n" },
	{ "  - ", "name: x\nsteps:\n", "" },
	{ "    retry:", "name: x\nsteps:\n  - id: a\n    action: noop\n", "" },
	{ "    args:",
	  "name: x\nsteps:\n  - id: a\n    action: tool\n    tool: shell\n", "" },
};

static void
check_example(const char *text)
{
	struct buf file = { 0 };
	struct workflow *workflow = NULL;

	for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
		if (strncmp(text, examples[i].beginning,
			    strlen(examples[i].beginning)) != 0)
			continue;
		buf_printf(&file, "%s%s%s", examples[i].before, text,
			   examples[i].after);
		break;
	}
	if (file.len == 0)
		fail_msg("an example of an unknown kind:\n%s", text);
	workflow = read_good(buf_text(&file));
	workflow_free(&workflow);
	buf_fini(&file);
}

static void
test_the_examples_of_the_page(void **state)
{
	char *page = text_file_read(TESTS_DIR "/../docs/workflow-format.md", NULL);
	char *at = strstr(page, "```yaml\n"), *end;
	int count = 0;

	(void)state;
	for (; at != NULL; at = strstr(end + 1, "```yaml\n"), count++) {
		at += strlen("```yaml\n");
		end = strstr(at, "```\n");
		assert_non_null(end);
		*end = '\0';
		check_example(at);
	}
	assert_true(count >= 10);
	free(page);
}

static void
test_the_file_is_named(void **state)
{
	struct problems problems = { .file = xstrdup("release.yaml") };
	const char *yaml = "name: x\nsteps:\n- id: a\n  action: noop\n"
			   "  retry: { backoff: expo }\n";
	char *text;

	(void)state;
	assert_null(read_text(yaml, strlen(yaml), &problems));
	text = problem_text(&problems, 0);
	assert_string_equal(text,
			    "release.yaml:5:21 steps[0].retry.backoff: \"expo\" is "
			    "not one of fixed, linear, exponential");
	free(text);
	problems_fini(&problems);
}

/* What was said before stays in front, whatever its place. */
static void
test_earlier_problems_stay(void **state)
{
	struct problems problems = { 0 };
	const char *yaml = "steps: []\n";

	(void)state;
	problems_add_at(&problems, 99, 1, "", "said before");
	assert_null(read_text(yaml, strlen(yaml), &problems));
	assert_int_equal(problems.count, 3);
	assert_string_equal(problems.list[0].message, "said before");
	problems_fini(&problems);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_top),
		cmocka_unit_test(test_the_steps),
		cmocka_unit_test(test_finding_steps),
		cmocka_unit_test(test_what_is_shown),
		cmocka_unit_test(test_presets),
		cmocka_unit_test(test_what_is_read_of_the_run),
		cmocka_unit_test(test_as_many_steps_as_there_may_be),
		cmocka_unit_test(test_too_many_branches),
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_the_examples_of_the_page),
		cmocka_unit_test(test_the_file_is_named),
		cmocka_unit_test(test_earlier_problems_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
