/*
 * Graph style: the rows at the start, whom a step that ended lets go on, why one is
 * skipped, and what the run answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "engine/graph_core.h"
#include "workflow_text.h"

/* ---- the start ---- */

static void
test_the_start(void **state)
{
	struct workflow *workflow = workflow_text(
	    "name: x\nsteps:\n"
	    "- { id: a, action: noop, onFailure: u }\n"
	    "- { id: b, action: conditional, condition: 'true', then: [t], "
	    "needs: [a], onSuccess: u }\n"
	    "- { id: t, action: noop }\n"
	    "- { id: c, action: noop, needs: [a, b] }\n"
	    "- { id: u, action: noop }\n");
	static const struct first_step expected[] = { { 0, 1, 0, END_NUMBER },
						      { 1, 2, 1, END_NUMBER },
						      { 3, 4, 2, END_NUMBER },
						      { 4, 5, 2, END_NUMBER },
						      { END_INDEX, END_NUMBER, 4, 0 } };
	struct first_step *first;
	size_t count;

	(void)state;
	assert_true(workflow->graph);
	first = graph_start(workflow, &count);
	assert_int_equal(count, 5);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(first[i].index, expected[i].index);
		assert_int_equal(first[i].number, expected[i].number);
		assert_int_equal(first[i].needs, expected[i].needs);
		assert_int_equal(first[i].parent, expected[i].parent);
	}
	free(first);
	workflow_free(&workflow);
}

/* ---- after a step ---- */

static char *
told(const struct verdict *verdict)
{
	static const char *const closings[CLOSINGS] = { "", " end", " failed" };
	struct buf text = { 0 };
	char *out;

	for (size_t i = 0; i < verdict->met_count; i++)
		buf_printf(&text, "%d ", verdict->met[i]);
	buf_printf(&text, "chosen %d joins %d%s", verdict->chosen, verdict->joins,
		   closings[verdict->closing]);
	out = strdup(buf_text(&text));
	buf_fini(&text);
	return out;
}

/* 2 and 3 need it; it may choose 4, 5 or 6. */
#define LEAVING                                                                        \
	"name: x\nsteps:\n"                                                            \
	"- { id: s, action: noop, onSuccess: y, onFailure: z, branches: "              \
	"[{ condition: 'true', goto: x }]%s }\n"                                       \
	"- { id: f, action: noop, needs: [s] }\n"                                      \
	"- { id: g, action: noop, needs: [f, s] }\n"                                   \
	"- { id: x, action: noop }\n- { id: y, action: noop }\n"                       \
	"- { id: z, action: noop }\n"
#define BARE                                                                           \
	"name: x\nsteps:\n- { id: s, action: noop%s }\n"                               \
	"- { id: f, action: noop, needs: [s] }\n"

struct leaving {
	const char *text, *more;
	enum step_status status;
	int target;
	const char *expected;
};

static const struct leaving leavings[] = {
	{ LEAVING, "", STEP_COMPLETED, 3, "2 3 5 6 chosen 4 joins -1" },
	{ LEAVING, "", STEP_COMPLETED, TARGET_NONE, "2 3 4 6 chosen 5 joins -1" },
	{ LEAVING, "", STEP_COMPLETED, TARGET_END, "2 3 4 5 6 chosen 0 joins -1 end" },
	{ LEAVING, "", STEP_FAILED, 3, "2 3 5 6 chosen 4 joins -1" },
	{ LEAVING, "", STEP_FAILED, TARGET_NONE, "2 3 4 5 chosen 6 joins -1" },
	{ LEAVING, "", STEP_FAILED, TARGET_END, "2 3 4 5 6 chosen 0 joins -1 end" },
	{ LEAVING, ", continueOnError: true", STEP_FAILED, TARGET_NONE,
	  "2 3 4 5 chosen 6 joins -1" },
	{ BARE, "", STEP_COMPLETED, TARGET_NONE, "2 chosen 0 joins -1" },
	{ BARE, "", STEP_FAILED, TARGET_NONE, "2 chosen 0 joins -1 failed" },
	{ BARE, "", STEP_FAILED, TARGET_END, "2 chosen 0 joins -1 end" },
	{ BARE, ", continueOnError: true", STEP_FAILED, TARGET_NONE,
	  "2 chosen 0 joins -1" },
	{ BARE, ", onSuccess: end", STEP_COMPLETED, TARGET_NONE,
	  "2 chosen 0 joins -1 end" },
	{ BARE, ", onFailure: end", STEP_COMPLETED, TARGET_NONE,
	  "2 chosen 0 joins -1" },
	{ BARE, ", onFailure: end", STEP_FAILED, TARGET_NONE,
	  "2 chosen 0 joins -1 end" },
};

static struct workflow *
leaving_workflow(const char *format, const char *more)
{
	const char *gap = strstr(format, "%s");
	struct buf text = { 0 };
	struct workflow *workflow;

	assert_non_null(gap);
	buf_printf(&text, "%.*s%s%s", (int)(gap - format), format, more, gap + 2);
	workflow = workflow_text(buf_text(&text));
	buf_fini(&text);
	return workflow;
}

static void
test_leaving(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof leavings / sizeof leavings[0]; i++) {
		const struct leaving *l = &leavings[i];
		struct workflow *workflow = leaving_workflow(l->text, l->more);
		struct verdict verdict = { .status = l->status };
		struct held_step held = { .phase = PHASE_ACTION };
		struct advance advance = { .step = &workflow->steps[0],
					   .held = &held,
					   .verdict = &verdict };
		char *text;

		graph_leave(&advance, l->target);
		text = told(&verdict);
		if (strcmp(text, l->expected) != 0)
			fail_msg("case %zu: %s, not %s", i, text, l->expected);
		free(text);
		verdict_fini(&verdict);
		workflow_free(&workflow);
	}
}

static void
test_a_skipped_step_chooses_nobody(void **state)
{
	struct workflow *workflow = leaving_workflow(LEAVING, "");
	struct verdict verdict = { .status = STEP_SKIPPED };
	struct advance advance = { .step = &workflow->steps[0], .verdict = &verdict };
	char *text;

	(void)state;
	graph_skip(&advance);
	text = told(&verdict);
	assert_string_equal(text, "2 3 4 5 6 chosen 0 joins -1");
	free(text);
	verdict_fini(&verdict);
	workflow_free(&workflow);
}

/* ---- before a step ---- */

static void
enter(struct run *run, int index, const char *how)
{
	static const struct {
		const char *name;
		enum step_status status;
		const char *code;
	} hows[] = {
		{ "completed", STEP_COMPLETED, NULL },
		{ "failed", STEP_FAILED, "exit_status" },
		{ "cancelled", STEP_CANCELLED, NULL },
		{ "skipped", STEP_SKIPPED, NULL }, /* its `if` was false */
		{ "not_chosen", STEP_SKIPPED, "not_chosen" },
		{ "need_failed", STEP_SKIPPED, "need_failed" },
		{ "need_skipped", STEP_SKIPPED, "need_skipped" },
	};

	for (size_t i = 0; i < sizeof hows / sizeof hows[0]; i++)
		if (strcmp(hows[i].name, how) == 0) {
			run_set_visit(run, index, index + 1, hows[i].status, NULL,
				      hows[i].code != NULL
					  ? step_error(hows[i].code, "why")
					  : NULL);
			return;
		}
	fail_msg("%s?", how);
}

/* How a and b ended, whether b goes on when it fails, and what becomes of who needs
 * both. s reads nothing, r the output of a, and t how a ended. */
static const struct {
	const char *a, *b;
	bool goes_on;
	const char *s, *r, *t;
} hindrances[] = {
	{ "completed", "completed", false, "-", "-", "-" },
	{ "completed", "skipped", false, "-", "-", "-" },
	{ "skipped", "skipped", false, "-", "need_skipped", "-" },
	{ "skipped", "completed", false, "-", "need_skipped", "-" },
	{ "need_skipped", "completed", false, "-", "need_skipped", "-" },
	{ "completed", "failed", false, "need_failed", "need_failed", "need_failed" },
	{ "skipped", "failed", false, "need_failed", "need_failed", "need_failed" },
	{ "completed", "failed", true, "-", "-", "-" },
	{ "completed", "cancelled", true, "need_failed", "need_failed", "need_failed" },
	{ "completed", "need_failed", false, "need_failed", "need_failed",
	  "need_failed" },
	{ "need_failed", "not_chosen", false, "need_failed", "need_failed",
	  "need_failed" },
	{ "not_chosen", "not_chosen", false, "not_chosen", "not_chosen", "not_chosen" },
	{ "not_chosen", "completed", false, "-", "need_skipped", "-" },
	{ "completed", "not_chosen", false, "-", "-", "-" },
	{ "not_chosen", "skipped", false, "-", "need_skipped", "-" },
	{ "not_chosen", "failed", false, "need_failed", "need_failed", "need_failed" },
	{ "not_chosen", "failed", true, "-", "need_skipped", "-" },
};

static void
expect_hindrance(const struct run *run, const char *id, bool chosen,
		 const char *expected)
{
	const struct step_def *step = workflow_step(run->workflow, id);
	struct json *error = graph_hindrance(run, step, chosen);
	const char *code = error != NULL ? json_str(json_get(error, "code")) : "-";

	assert_string_equal(code, expected);
	if (error != NULL)
		assert_int_equal(json_type(json_get(error, "message")), JSON_STRING);
	json_unref(&error);
}

static void
test_hindrances(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof hindrances / sizeof hindrances[0]; i++) {
		struct workflow *workflow = leaving_workflow(
		    "name: x\nsteps:\n- { id: a, action: noop }\n"
		    "- { id: b, action: noop%s }\n"
		    "- { id: s, action: noop, needs: [a, b] }\n"
		    "- { id: r, action: http, url: '{{steps.a.output.url}}', needs: "
		    "[b, a] }\n"
		    "- { id: t, action: http, url: '{{steps.a.status}}"
		    "{{steps.a.error.code}}', needs: [b, a] }\n",
		    hindrances[i].goes_on ? ", continueOnError: true" : "");
		struct run run;

		run_init(&run, workflow);
		enter(&run, 0, hindrances[i].a);
		enter(&run, 1, hindrances[i].b);
		expect_hindrance(&run, "s", false, hindrances[i].s);
		expect_hindrance(&run, "r", false, hindrances[i].r);
		expect_hindrance(&run, "t", false, hindrances[i].t);
		expect_hindrance(&run, "a", false, "-");
		run_fini(&run);
		workflow_free(&workflow);
	}
}

/* One that may be chosen runs only when it is; and not when what it reads is missing.
 */
static void
test_choices(void **state)
{
	struct workflow *workflow =
	    workflow_text("name: x\nsteps:\n"
			  "- { id: a, action: noop, onSuccess: x, onFailure: y }\n"
			  "- { id: b, action: noop, needs: [a] }\n"
			  "- { id: x, action: noop }\n"
			  "- { id: y, action: http, url: '{{steps.b.result}}' }\n");
	struct run run;

	(void)state;
	run_init(&run, workflow);
	enter(&run, 0, "completed");
	enter(&run, 1, "skipped");
	expect_hindrance(&run, "x", true, "-");
	expect_hindrance(&run, "x", false, "not_chosen");
	expect_hindrance(&run, "y", true, "need_skipped");
	expect_hindrance(&run, "y", false, "not_chosen");
	run_fini(&run);
	workflow_free(&workflow);
}

/* ---- the end ---- */

static void
expect_output(const char *steps, const char *expected)
{
	struct buf text = { 0 };
	struct workflow *workflow;
	struct json *output;
	struct run run;
	char *got;

	buf_printf(&text, "name: x\nsteps:\n%s", steps);
	workflow = workflow_text(buf_text(&text));
	run_init(&run, workflow);
	for (size_t i = 0; i < workflow->steps_count; i++) {
		/* what begins with s is skipped */
		bool skipped = workflow->steps[i].id[0] == 's';

		run_set_visit(
		    &run, (int)i, (int)i + 1, skipped ? STEP_SKIPPED : STEP_COMPLETED,
		    skipped ? NULL : json_new_str(workflow->steps[i].id), NULL);
	}
	output = graph_output(&run);
	got = output != NULL ? json_text(output) : strdup("null");
	assert_string_equal(got, expected);
	free(got);
	json_unref(&output);
	run_fini(&run);
	workflow_free(&workflow);
	buf_fini(&text);
}

static void
test_the_output(void **state)
{
	(void)state;
	expect_output(
	    "- { id: a, action: noop }\n- { id: b, action: noop, needs: [a] }\n",
	    "\"b\"");
	expect_output(
	    "- { id: a, action: noop }\n- { id: s, action: noop, needs: [a] }\n",
	    "null");
	expect_output(
	    "- { id: a, action: noop }\n- { id: b, action: noop, needs: [a] }\n"
	    "- { id: c, action: noop, needs: [a] }\n"
	    "- { id: s, action: noop, needs: [a] }\n",
	    "{\"b\":\"b\",\"c\":\"c\"}");
	/* what holds a block may be the end; what is in it may not */
	expect_output("- { id: a, action: noop }\n- { id: b, action: loop, body: [c], "
		      "maxIterations: 1, needs: [a] }\n- { id: c, action: noop }\n",
		      "\"b\"");
	/* who goes on to a step is no end, who only fails to one is */
	expect_output("- { id: r, action: noop }\n"
		      "- { id: a, action: noop, needs: [r], onSuccess: x }\n"
		      "- { id: x, action: noop }\n",
		      "\"x\"");
	expect_output("- { id: r, action: noop }\n- { id: a, action: noop, needs: [r], "
		      "branches: [{ condition: 'false', goto: end }, "
		      "{ condition: 'true', goto: x }] }\n- { id: x, action: noop }\n",
		      "\"x\"");
	expect_output("- { id: r, action: noop }\n"
		      "- { id: a, action: noop, needs: [r], onFailure: s }\n"
		      "- { id: s, action: noop }\n",
		      "{\"a\":\"a\"}");
	expect_output("- { id: r, action: noop }\n"
		      "- { id: a, action: noop, needs: [r], onSuccess: end, branches: "
		      "[{ condition: 'true', goto: end }] }\n",
		      "\"a\"");
}

static void
test_a_sequence_has_no_ends(void **state)
{
	struct workflow *workflow =
	    workflow_text("name: x\nsteps: [{ id: a, action: noop }]\n");

	(void)state;
	assert_false(graph_is_end(workflow, &workflow->steps[0]));
	workflow_free(&workflow);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_start),
		cmocka_unit_test(test_leaving),
		cmocka_unit_test(test_a_skipped_step_chooses_nobody),
		cmocka_unit_test(test_hindrances),
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_the_output),
		cmocka_unit_test(test_a_sequence_has_no_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
