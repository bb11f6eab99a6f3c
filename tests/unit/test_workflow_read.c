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

/* ---- graphs, blocks, turns ---- */

static void
expect_list(const int *list, size_t count, const char *expected)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < count; i++)
		buf_printf(&text, "%d ", list[i]);
	assert_string_equal(buf_text(&text), expected);
	buf_fini(&text);
}

static void
test_who_follows_whom(void **state)
{
	struct workflow *workflow = read_good(
	    "name: x\nsteps:\n"
	    "- { id: a, action: noop, onSuccess: u, onFailure: v, branches: "
	    "[{ condition: 'true', goto: u }, { condition: 'true', goto: end }] }\n"
	    "- { id: b, action: noop, needs: [a], onFailure: v }\n"
	    "- { id: c, action: noop, needs: [b, a] }\n"
	    "- { id: u, action: noop }\n- { id: v, action: noop, onSuccess: end }\n");
	const struct step_def *steps = workflow->steps;

	(void)state;
	assert_true(workflow->graph);
	assert_true(workflow->no_foreach);
	expect_list(steps[0].followers, steps[0].followers_count, "1 2 ");
	expect_list(steps[0].choices, steps[0].choices_count, "3 4 ");
	expect_list(steps[1].followers, steps[1].followers_count, "2 ");
	expect_list(steps[1].choices, steps[1].choices_count, "4 ");
	expect_list(steps[2].needs, steps[2].needs_count, "1 0 ");
	expect_list(steps[2].followers, steps[2].followers_count, "");
	assert_int_equal(steps[0].sources, 0);
	assert_int_equal(steps[3].sources, 1);
	assert_int_equal(steps[4].sources, 2);
	expect_list(steps[4].choices, steps[4].choices_count, "");
	assert_ptr_equal(workflow_step(workflow, END_KEY), &workflow->end);
	assert_int_equal(workflow->end.index, END_INDEX);
	workflow_free(&workflow);
}

/* In a sequence, and inside of blocks, the file says who is next. */
static void
test_a_sequence_has_no_choices(void **state)
{
	struct workflow *workflow =
	    read_good("name: x\nsteps:\n- { id: a, action: noop, onSuccess: b }\n"
		      "- { id: b, action: noop, foreach: '[1]' }\n");

	(void)state;
	assert_false(workflow->graph);
	assert_false(workflow->no_foreach);
	assert_int_equal(workflow->steps[0].choices_count, 0);
	assert_int_equal(workflow->steps[1].sources, 0);
	workflow_free(&workflow);
	workflow =
	    read_good("name: x\nsteps:\n- { id: a, action: noop, needs: [l] }\n"
		      "- { id: l, action: loop, maxIterations: 1, body: [b, c] }\n"
		      "- { id: b, action: noop, onSuccess: c }\n"
		      "- { id: c, action: noop }\n");
	assert_int_equal(workflow->steps[2].choices_count, 0);
	assert_int_equal(workflow->steps[3].sources, 0);
	workflow_free(&workflow);
}

static void
test_who_holds_whom(void **state)
{
	static const struct {
		int block, other, owner, next;
		bool in_loop;
	} expected[] = {
		{ 4, NO_STEP, NO_STEP, NO_STEP, false }, /* l: body [i, w] */
		{ 2, NO_STEP, NO_STEP, NO_STEP, false }, /* c: then [t] */
		{ NO_STEP, NO_STEP, 1, NO_STEP, false }, /* t */
		{ NO_STEP, NO_STEP, 4, NO_STEP, true },  /* e */
		{ 6, 3, 0, 5, true },                    /* i: then [y, z], else [e] */
		{ NO_STEP, NO_STEP, 0, NO_STEP, true },  /* w */
		{ NO_STEP, NO_STEP, 4, 7, true },        /* y */
		{ NO_STEP, NO_STEP, 4, NO_STEP, true },  /* z */
	};
	struct workflow *workflow = read_good(
	    "name: x\nsteps:\n"
	    "- { id: l, action: loop, condition: index < 3, maxIterations: 7, "
	    "body: [i, w] }\n"
	    "- { id: c, action: conditional, condition: 'true', then: [t] }\n"
	    "- { id: t, action: noop }\n- { id: e, action: noop }\n"
	    "- { id: i, action: conditional, condition: index == 0, then: [y, z], "
	    "else: [e] }\n"
	    "- { id: w, action: noop, if: index > 0 }\n- { id: y, action: noop }\n"
	    "- { id: z, action: noop }\n");

	(void)state;
	for (size_t i = 0; i < workflow->steps_count; i++) {
		const struct step_def *step = &workflow->steps[i];

		assert_int_equal(step->block, expected[i].block);
		assert_int_equal(step->other_block, expected[i].other);
		assert_int_equal(step->owner, expected[i].owner);
		assert_int_equal(step->block_next, expected[i].next);
		assert_int_equal(step->in_loop, expected[i].in_loop);
	}
	assert_int_equal(workflow->steps[0].max_iterations, 7);
	assert_non_null(workflow->steps[0].condition);
	assert_int_equal(workflow->steps[0].timeout, 0);
	workflow_free(&workflow);
}

/* Without it a step of a graph is skipped: its fields and its foreach read it, but not
 * its conditions, nor who asks only how a step ended. */
static void
test_whose_output_is_needed(void **state)
{
	struct workflow *workflow = read_good(
	    "name: x\nsteps:\n- { id: a, action: noop }\n- { id: b, action: noop }\n"
	    "- { id: c-d, action: noop }\n"
	    "- { id: e, action: http, needs: [a], url: '{{steps.c_d.result.x}}"
	    "{{steps.a.status}}{{steps[\"a\"].error.code}}' }\n"
	    "- { id: f, action: http, url: '{{string(steps.b)}}', if: "
	    "steps.a.output == 1, foreach: steps.a.output, "
	    "branches: [{ condition: steps.e.output == 1, goto: end }] }\n");
	const struct step_def *steps = workflow->steps;

	(void)state;
	expect_list(steps[3].output_of, steps[3].output_of_count, "2 ");
	expect_list(steps[4].output_of, steps[4].output_of_count, "0 1 ");
	assert_int_equal(steps[3].refs_count, 2);
	assert_int_equal(steps[4].refs_count, 3);
	workflow_free(&workflow);
}

static void
test_whose_turn_it_is(void **state)
{
	struct json *input = NULL;
	struct workflow *workflow =
	    read_good("name: x\nconcurrency: 4\nsteps: [{ id: a, action: noop }]\n");
	struct err err = { 0 };
	char *key, *other;

	(void)state;
	assert_int_equal(json_parse("{\"r\":1}", 7, &input, &err), 0);
	assert_int_equal(workflow->concurrency, 4);
	assert_null(workflow->concurrency_key);
	key = workflow_concurrency_key(workflow, input, NULL, &err);
	assert_non_null(key);
	workflow_free(&workflow);
	workflow = read_good("name: x\nconcurrency: { key: 'r{{input.r}}' }\n"
			     "steps: [{ id: a, action: noop }]\n");
	assert_int_equal(workflow->concurrency, 1);
	other = workflow_concurrency_key(workflow, input, NULL, &err);
	assert_non_null(other);
	assert_string_not_equal(key, other);
	free(other);
	assert_null(workflow_concurrency_key(workflow, NULL, NULL, &err));
	assert_int_not_equal(err.kind, ERR_NONE);
	workflow_free(&workflow);
	err = (struct err){ 0 };
	workflow = read_good("name: x\nsteps: [{ id: a, action: noop }]\n");
	assert_int_equal(workflow->concurrency, 0);
	assert_null(workflow_concurrency_key(workflow, input, NULL, &err));
	assert_int_equal(err.kind, ERR_NONE);
	workflow_free(&workflow);
	json_unref(&input);
	free(key);
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
	{ "trigger:", "name: x\n", "steps: [{ id: a, action: noop }]\n" },
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
		cmocka_unit_test(test_who_follows_whom),
		cmocka_unit_test(test_a_sequence_has_no_choices),
		cmocka_unit_test(test_who_holds_whom),
		cmocka_unit_test(test_whose_output_is_needed),
		cmocka_unit_test(test_whose_turn_it_is),
		cmocka_unit_test(test_as_many_steps_as_there_may_be),
		cmocka_unit_test(test_too_many_branches),
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_the_examples_of_the_page),
		cmocka_unit_test(test_the_file_is_named),
		cmocka_unit_test(test_earlier_problems_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
