/*
 * What verdicts say of other rows: items of a foreach, steps of a block, repetitions,
 * the end of a graph. The verdict is written as text, so that each case is a line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "engine/advance_core.h"
#include "workflow_text.h"

#define NOW ((usec_t)1000000000)

/* ---- verdicts as text ---- */

static void
add_code(struct buf *out, const char *before, const struct json *error)
{
	if (error != NULL)
		buf_printf(out, "%s%s", before, json_str(json_get(error, "code")));
	if (json_has(error, "index"))
		buf_printf(out, "[%d]", (int)json_int(json_get(error, "index")));
	if (json_has(error, "step"))
		buf_printf(out, "@%s", json_str(json_get(error, "step")));
}

static void
add_spawn(struct buf *out, const struct workflow *workflow,
	  const struct verdict *verdict)
{
	const struct fan_out *spawn = &verdict->spawn;

	if (spawn->count == 0)
		return;
	buf_printf(out, ", makes %d %s of %d", spawn->count,
		   workflow->steps[spawn->index].id, spawn->parent);
	if (spawn->parallel != spawn->count)
		buf_printf(out, " by %d", spawn->parallel);
	if (spawn->has_index && spawn->items == NULL)
		buf_printf(out, " at %d", spawn->item_index);
	if (spawn->iteration != 0)
		buf_printf(out, " again %d", spawn->iteration);
	if (verdict->expects)
		buf_printf(out, " and waits");
	if (verdict->own_iteration != 0)
		buf_printf(out, " keeping %d", verdict->own_iteration);
}

static void
add_joins(struct buf *out, const struct verdict *verdict)
{
	if (verdict->joins != 0)
		buf_printf(out, ", joins %d", verdict->joins);
	add_code(out, " with ", verdict->join_error);
	if (verdict->cancel_siblings)
		buf_str(out, ", cancels siblings");
	if (verdict->release)
		buf_str(out, ", releases");
}

static void
add_end(struct buf *out, const struct verdict *verdict)
{
	static const char *const closings[CLOSINGS] = { "", ", closes",
							", closes failed" };

	buf_str(out, closings[verdict->closing]);
	if (verdict->run_status != RUN_RUNNING)
		buf_printf(out, ", run %s", run_status_name(verdict->run_status));
	add_code(out, " of ", verdict->run_error);
	if (verdict->run_output != NULL) {
		char *text = json_text(verdict->run_output);

		buf_printf(out, " giving %s", text);
		free(text);
	}
	if (verdict->close_open)
		buf_str(out, ", cutting off the rest");
}

static char *
told(const struct workflow *workflow, const struct verdict *verdict)
{
	struct buf out = { 0 };
	char *text;

	buf_str(&out, step_status_name(verdict->status));
	add_code(&out, " ", verdict->error);
	if (verdict->phase != PHASE_FRESH)
		buf_printf(&out, ", phase %d", (int)verdict->phase);
	if (verdict->next_count > 0)
		buf_printf(&out, ", next %s %d",
			   workflow->steps[verdict->next[0].index].id,
			   verdict->next[0].number);
	add_spawn(&out, workflow, verdict);
	add_joins(&out, verdict);
	add_end(&out, verdict);
	if (verdict->only_waits)
		buf_str(&out, ", only waits");
	text = strdup(buf_text(&out));
	buf_fini(&out);
	return text;
}

/* ---- cases ---- */

struct turn {
	const char *steps;
	struct held_step held; /* attempt 1 unless given */
	enum outcome_kind kind;
	const char *output, *expected;
	struct children children;
	struct approval_ask ask;
	bool final;
};

#define EACH(more) "- { id: a, action: noop, foreach: '[1, 2]'" more " }\n"
#define ITEM                                                                           \
	{                                                                              \
		.number = 5, .parent = 1, .has_index = true, .item_index = 3,          \
		.is_item = true                                                        \
	}
#define AFTER    "- { id: z, action: noop }\n"
#define IN_GRAPH "- { id: n, action: noop, needs: [a] }\n"
#define BLOCK(more, more_b)                                                            \
	"- { id: a, action: loop, maxIterations: 9, body: [b, c]" more " }\n"          \
	"- { id: b, action: noop" more_b " }\n- { id: c, action: noop }\n"
/* Of the block in its second iteration. */
#define IN_BLOCK(at, no)                                                               \
	{                                                                              \
		.index = (at), .number = (no), .parent = 1, .has_index = true,         \
		.item_index = 1                                                        \
	}
#define BACK                                                                           \
	{                                                                              \
		.number = 1, .phase = PHASE_CHILDREN, .visits = 7                      \
	}

static const struct turn turns[] = {
	/* items */
	{ EACH("") AFTER, ITEM, OUTCOME_SUCCESS, "7",
	  .expected = "completed, joins 1" },
	{ EACH(", maxParallel: 2") AFTER, ITEM, OUTCOME_SUCCESS, "7",
	  .expected = "completed, joins 1, releases" },
	{ EACH("") AFTER, ITEM, OUTCOME_FAILURE, NULL,
	  .expected = "failed failed, joins 1 with failed[3]@a, cancels siblings" },
	{ EACH(", maxParallel: 1, continueOnError: true") AFTER, ITEM, OUTCOME_FAILURE,
	  NULL, .expected = "failed failed, joins 1 with failed[3]@a, releases" },
	{ EACH(", retry: {}") AFTER, ITEM, OUTCOME_FAILURE, NULL,
	  .expected = "retrying failed" },
	{ EACH(", retry: {}, approvalRequired: true") AFTER, ITEM, OUTCOME_FAILURE,
	  NULL, .expected = "retrying failed" },
	{ EACH(", retry: {}") AFTER, ITEM, OUTCOME_FAILURE, NULL,
	  .expected = "failed failed, joins 1 with failed[3]@a, cancels siblings",
	  .final = true },
	{ EACH(", onSuccess: z, onFailure: z, branches: [{ condition: 'true', goto: z "
	       "}]") AFTER,
	  ITEM, OUTCOME_SUCCESS, "7", .expected = "completed, joins 1" },
	{ EACH(", outputSchema: { type: string }") AFTER, ITEM, OUTCOME_SUCCESS, "7",
	  .expected = "failed output_schema, joins 1 with output_schema[3]@a, cancels "
		      "siblings" },
	/* ... and who made them */
	{ EACH("") AFTER,
	  { .number = 1 },
	  OUTCOME_CHILDREN,
	  NULL,
	  .expected = "waiting, phase 3, makes 4 a of 1 by 2 and waits",
	  .children = { .count = 4, .parallel = 2, .has_index = true } },
	{ EACH(", outputSchema: { type: string }") AFTER, BACK, OUTCOME_SUCCESS, "[7]",
	  .expected = "completed, makes 1 z of 0" },
	{ EACH("") AFTER, BACK, OUTCOME_FAILURE, NULL,
	  .expected = "failed failed, run failed of failed@a", .final = true },
	{ EACH(", continueOnError: true") AFTER, BACK, OUTCOME_FAILURE, NULL,
	  .expected = "failed failed, makes 1 z of 0", .final = true },
	{ EACH("") AFTER,
	  { .number = 1 },
	  OUTCOME_SUCCESS,
	  "[]",
	  .expected = "completed, next z 2" },
	{ EACH(""), BACK, OUTCOME_SUCCESS, "[1]",
	  .expected = "completed, run completed giving [1]" },
	{ EACH("") IN_GRAPH,
	  { .number = 1, .parent = END_NUMBER, .phase = PHASE_CHILDREN },
	  OUTCOME_SUCCESS,
	  "[1]",
	  .expected = "completed, joins -1" },
	/* blocks */
	{ BLOCK("", "") AFTER,
	  { .number = 1 },
	  OUTCOME_CHILDREN,
	  NULL,
	  .expected = "waiting, phase 3, makes 1 b of 1 at 0 and waits keeping 1",
	  .children = { .index = 1,
			.count = 1,
			.parallel = 1,
			.has_index = true,
			.iteration = 1 } },
	{ BLOCK("", "") AFTER, IN_BLOCK(1, 6), OUTCOME_SUCCESS, "7",
	  .expected = "completed, makes 1 c of 1 at 1" },
	{ BLOCK("", "") AFTER, IN_BLOCK(1, 6), OUTCOME_SKIP, NULL,
	  .expected = "skipped, makes 1 c of 1 at 1" },
	{ BLOCK("", "") AFTER, IN_BLOCK(2, 7), OUTCOME_SUCCESS, "7",
	  .expected = "completed, joins 1" },
	{ BLOCK("", "") AFTER, IN_BLOCK(2, 7), OUTCOME_SKIP, NULL,
	  .expected = "skipped, joins 1" },
	{ BLOCK("", "") AFTER, IN_BLOCK(1, 6), OUTCOME_FAILURE, NULL,
	  .expected = "failed failed, joins 1 with failed@b" },
	{ BLOCK("", ", continueOnError: true") AFTER, IN_BLOCK(1, 6), OUTCOME_FAILURE,
	  NULL, .expected = "failed failed, makes 1 c of 1 at 1" },
	{ BLOCK("", ", onSuccess: b") AFTER, IN_BLOCK(1, 6), OUTCOME_SUCCESS, "7",
	  .expected = "completed, makes 1 b of 1 at 1" },
	{ BLOCK("", ", onSuccess: end") AFTER, IN_BLOCK(1, 6), OUTCOME_SUCCESS, "7",
	  .expected = "completed, run completed giving 7, cutting off the rest" },
	{ BLOCK("", ", onSuccess: end") IN_GRAPH, IN_BLOCK(1, 6), OUTCOME_SUCCESS, "7",
	  .expected = "completed, joins 1, closes" },
	{ BLOCK("", "") IN_GRAPH, IN_BLOCK(1, 6), OUTCOME_FAILURE, NULL,
	  .expected = "failed failed, joins 1 with failed@b" },
	{ BLOCK("", "") AFTER, BACK, OUTCOME_SUCCESS, "7",
	  .expected = "completed, makes 1 z of 0" },
	{ BLOCK("", "") AFTER,
	  { .number = 1 },
	  OUTCOME_SUCCESS,
	  "7",
	  .expected = "completed, makes 1 z of 0" },
	{ BLOCK("", "") AFTER,
	  { .number = 1, .attempt = 2 },
	  OUTCOME_SUCCESS,
	  "7",
	  .expected = "completed, makes 1 z of 0" },
	/* maxSteps is 20 */
	{ BLOCK("", "") AFTER, IN_BLOCK(1, 19), OUTCOME_SUCCESS, "7",
	  .expected = "completed, makes 1 c of 1 at 1" },
	{ BLOCK("", "") AFTER, IN_BLOCK(1, 20), OUTCOME_SUCCESS, "7",
	  .expected = "completed, joins 1 with max_steps@b" },
	{ BLOCK("", "") AFTER,
	  { .number = 1, .phase = PHASE_CHILDREN, .visits = 20 },
	  OUTCOME_CHILDREN,
	  NULL,
	  .expected = "failed max_steps@a, run failed of max_steps@a",
	  .children = { .index = 1, .count = 1, .parallel = 1 } },
	{ BLOCK("", "") IN_GRAPH,
	  { .number = 1, .parent = END_NUMBER, .phase = PHASE_CHILDREN, .visits = 20 },
	  OUTCOME_CHILDREN,
	  NULL,
	  .expected = "failed max_steps@a, joins -1, closes failed of max_steps@a",
	  .children = { .index = 1, .count = 1, .parallel = 1 } },
	{ EACH("") "- { id: y, action: noop }\n" AFTER,
	  { .index = 1, .number = 900 },
	  OUTCOME_SUCCESS,
	  "7",
	  .expected = "completed, next z 901" },
	{ EACH("") "- { id: y, action: noop }\n" AFTER,
	  { .index = 1, .number = 900, .visits = 20 },
	  OUTCOME_SUCCESS,
	  "7",
	  .expected = "completed, run failed of max_steps@y" },
	/* repetitions */
	{ "- { id: a, action: noop, repeatUntil: result > 5 }\n" AFTER,
	  { .number = 1 },
	  OUTCOME_SUCCESS,
	  "7",
	  .expected = "completed, next z 2" },
	{ "- { id: a, action: noop, repeatUntil: result > 8 }\n" AFTER,
	  { .number = 1 },
	  OUTCOME_SUCCESS,
	  "7",
	  .expected = "completed, makes 1 a of 0 again 1" },
	{ "- { id: a, action: noop, repeatUntil: index == 2 }\n" AFTER,
	  { .number = 4, .iteration = 2 },
	  OUTCOME_SUCCESS,
	  "7",
	  .expected = "completed, next z 5" },
	{ "- { id: a, action: noop, repeatUntil: 'false', maxIterations: 3 }\n" AFTER,
	  { .number = 4, .iteration = 1 },
	  OUTCOME_SUCCESS,
	  "7",
	  .expected = "completed, makes 1 a of 0 again 2" },
	{ "- { id: a, action: noop, repeatUntil: 'false', maxIterations: 3 }\n" AFTER,
	  { .number = 4, .iteration = 2 },
	  OUTCOME_SUCCESS,
	  "7",
	  .expected = "failed max_iterations, run failed of max_iterations@a" },
	{ "- { id: a, action: noop, repeatUntil: 'true', maxIterations: 3 }\n" AFTER,
	  { .number = 4, .iteration = 2 },
	  OUTCOME_SUCCESS,
	  "7",
	  .expected = "completed, next z 5" },
	{ "- { id: a, action: noop, repeatUntil: result }\n" AFTER,
	  { .number = 1 },
	  OUTCOME_SUCCESS,
	  "7",
	  .expected = "failed expression, run failed of expression@a" },
	{ "- { id: a, action: noop, repeatUntil: 'false' }\n" AFTER,
	  { .number = 1 },
	  OUTCOME_FAILURE,
	  NULL,
	  .expected = "failed failed, run failed of failed@a" },
	{ "- { id: a, action: noop, repeatUntil: 'false' }\n" AFTER,
	  { .number = 20 },
	  OUTCOME_SUCCESS,
	  "7",
	  .expected = "completed, run failed of max_steps@a" },
	{ "- { id: a, action: noop, repeatUntil: 'false' }\n" IN_GRAPH,
	  { .number = 20, .parent = END_NUMBER, .iteration = 4 },
	  OUTCOME_SUCCESS,
	  "7",
	  .expected = "completed, joins -1, closes failed of max_steps@a" },
	{ "- { id: a, action: noop, repeatUntil: 'false' }\n" IN_GRAPH,
	  { .number = 1, .parent = END_NUMBER },
	  OUTCOME_SUCCESS,
	  "7",
	  .expected = "completed, makes 1 a of -1 again 1" },
	/* outputSchema */
	{ "- { id: a, action: noop, outputSchema: { type: string } }\n" AFTER,
	  { .number = 1 },
	  OUTCOME_SUCCESS,
	  "\"x\"",
	  .expected = "completed, next z 2" },
	{ "- { id: a, action: noop, outputSchema: { type: string } }\n" AFTER,
	  { .number = 1 },
	  OUTCOME_SUCCESS,
	  "7",
	  .expected = "failed output_schema, run failed of output_schema@a" },
	{ "- { id: a, action: noop, outputSchema: { type: string }, retry: {} "
	  "}\n" AFTER,
	  { .number = 1 },
	  OUTCOME_SUCCESS,
	  "7",
	  .expected = "retrying output_schema" },
	/* approvals and waits; a gate that was passed need not be asked anew */
	{ "- { id: a, action: noop }\n" AFTER,
	  { .number = 1 },
	  OUTCOME_APPROVAL,
	  NULL,
	  .expected = "waiting_approval, phase 1, only waits",
	  .ask = { .phase = PHASE_GATE } },
	{ "- { id: a, action: noop }\n" AFTER,
	  { .number = 1 },
	  OUTCOME_WAIT,
	  NULL,
	  .expected = "waiting, phase 2, only waits" },
	{ "- { id: a, action: noop, approvalRequired: true, retry: {} }\n" AFTER,
	  { .number = 1, .phase = PHASE_GATE },
	  OUTCOME_FAILURE,
	  NULL,
	  .expected = "retrying failed, phase 1" },
	{ "- { id: a, action: noop, approvalRequired: true, retry: {} }\n" AFTER,
	  { .number = 1, .phase = PHASE_GATE },
	  OUTCOME_FAILURE,
	  NULL,
	  .expected = "failed failed, run failed of failed@a",
	  .final = true },
	/* the end of a graph */
	{ "- { id: a, action: noop }\n" IN_GRAPH,
	  { .index = END_INDEX, .number = END_NUMBER },
	  OUTCOME_SUCCESS,
	  "7",
	  .expected = "completed, run completed giving 7, cutting off the rest" },
	{ "- { id: a, action: noop }\n" IN_GRAPH,
	  { .index = END_INDEX, .number = END_NUMBER },
	  OUTCOME_FAILURE,
	  NULL,
	  .expected = "completed, run failed of failed@a, cutting off the rest",
	  .final = true },
};

static char *
take(const struct turn *t)
{
	struct held_step held = t->held;
	struct outcome outcome = { .kind = t->kind,
				   .final = t->final,
				   .children = t->children,
				   .ask = t->ask };
	struct buf file = { 0 };
	struct workflow *workflow;
	struct verdict verdict;
	struct run run;
	char *text;

	buf_printf(&file, "name: x\nmaxSteps: 20\nsteps:\n%s", t->steps);
	workflow = workflow_text(buf_text(&file));
	if (held.attempt == 0)
		held.attempt = 1;
	if (t->output != NULL)
		outcome.output = json_of(t->output);
	if (t->kind == OUTCOME_FAILURE) {
		outcome.error = step_error("failed", "it did");
		if (held.index == END_INDEX)
			json_set(outcome.error, "step", json_new_str("a"));
	}
	if (t->kind == OUTCOME_CHILDREN && t->children.has_index &&
	    t->children.iteration == 0)
		outcome.children.items = json_of("[1,2,3,4]");
	run_init(&run, workflow);
	run.input = json_new_object();
	advance_on(&run, &held, &outcome, NOW, 0, &verdict);
	text = told(workflow, &verdict);
	verdict_fini(&verdict);
	json_unref(&outcome.children.items);
	json_unref(&outcome.output);
	json_unref(&outcome.error);
	run_fini(&run);
	workflow_free(&workflow);
	buf_fini(&file);
	return text;
}

static void
test_every_turn(void **state)
{
	int bad = 0;

	(void)state;
	for (size_t i = 0; i < sizeof turns / sizeof turns[0]; i++) {
		char *text = take(&turns[i]);

		if (strcmp(text, turns[i].expected) != 0) {
			print_error("%zu: %s%s\nnot\n%s\n", i, turns[i].steps, text,
				    turns[i].expected);
			bad++;
		}
		free(text);
	}
	assert_int_equal(bad, 0);
}

/* An item is no visit: `steps` keeps the step itself. */
static void
test_an_item_is_no_visit(void **state)
{
	struct workflow *workflow = workflow_text("name: x\nsteps:\n" EACH("") AFTER);
	const struct held_step held = ITEM;
	const struct outcome outcome = { .kind = OUTCOME_SUCCESS };
	struct verdict verdict;
	struct run run;

	(void)state;
	run_init(&run, workflow);
	run_set_visit(&run, 0, 1, STEP_WAITING, NULL, NULL);
	advance_on(&run, &held, &outcome, NOW, 0, &verdict);
	assert_int_equal(run.visits[0].status, STEP_WAITING);
	assert_int_equal(run.visits[0].number, 1);
	verdict_fini(&verdict);
	run_fini(&run);
	workflow_free(&workflow);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_turn),
		cmocka_unit_test(test_an_item_is_no_visit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
