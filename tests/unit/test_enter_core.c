/*
 * What a claimed step does first: a table of files, of what the step finds, and of what
 * becomes of it, written as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "engine/enter_core.h"
#include "workflow_text.h"

#define NOW ((usec_t)1000000000)

/* ---- outcomes as text ---- */

static void
add_json(struct buf *out, const char *before, const struct json *json)
{
	char *text;

	if (json == NULL)
		return;
	text = json_text(json);
	buf_printf(out, "%s%s", before, text);
	free(text);
}

static void
add_children(struct buf *out, const struct workflow *workflow,
	     const struct children *children)
{
	buf_printf(out, "%d %s, %d at once", children->count,
		   workflow->steps[children->index].id, children->parallel);
	if (children->items == NULL && children->has_index)
		buf_printf(out, ", index %d", children->item_index);
	if (children->iteration != 0)
		buf_printf(out, ", keeps %d", children->iteration);
	add_json(out, ", items ", children->items);
}

static void
add_ask(struct buf *out, const struct outcome *outcome)
{
	static const char *const timeouts[ON_TIMEOUTS] = { "", ", then approve",
							   ", then deny" };

	buf_printf(out, "asks %s as %d", json_str(outcome->ask.prompt),
		   (int)outcome->ask.phase);
	add_json(out, " for ", outcome->ask.args);
	if (outcome->run_at != 0)
		buf_printf(out, " until +%d", (int)((outcome->run_at - NOW) / USEC_MS));
	buf_str(out, timeouts[outcome->ask.on_timeout]);
}

static void
add_outcome(struct buf *out, const struct workflow *workflow,
	    const struct outcome *outcome)
{
	switch (outcome->kind) {
	case OUTCOME_SUCCESS:
		add_json(out, "gives ", outcome->output);
		break;
	case OUTCOME_FAILURE:
		assert_true(outcome->final);
		add_json(out, "fails ", outcome->error);
		add_json(out, " with ", outcome->output);
		break;
	case OUTCOME_SKIP:
		buf_str(out, "skips");
		if (outcome->error != NULL)
			buf_printf(out, " %s",
				   json_str(json_get(outcome->error, "code")));
		break;
	case OUTCOME_CHILDREN:
		add_children(out, workflow, &outcome->children);
		break;
	case OUTCOME_APPROVAL:
		add_ask(out, outcome);
		break;
	default:
		fail_msg("outcome %d", (int)outcome->kind);
	}
}

/* ---- cases ---- */

struct entry {
	const char *steps; /* the first one enters */
	const char *expected;
	struct held_step held;
	const char *item, *outputs, *error;
	enum approval_status decided; /* PENDING: nobody has been asked */
	const char *args, *by, *comment;
};

#define NEEDED "- { id: z, action: noop, needs: [a] }\n"
#define GATE   "- { id: a, action: http, url: 'u{{input.n}}', approvalRequired: true }\n"
#define ASKED  "asks May step \"a\" run? as 1"
#define TREE                                                                           \
	"- { id: a, action: conditional, condition: input.n == %s, then: [t, u], "     \
	"else: [e] }\n- { id: t, action: noop }\n- { id: u, action: noop }\n"          \
	"- { id: e, action: noop }\n"
#define LOOP(more)                                                                     \
	"- { id: a, action: loop, body: [t, u]" more " }\n"                            \
	"- { id: t, action: noop }\n- { id: u, action: noop }\n"
#define APPROVAL(more)                                                                 \
	"- { id: a, action: approval, prompt: 'sure {{input.n}}?'" more " }\n"

static const struct entry entries[] = {
	/* if */
	{ "- { id: a, action: noop }\n", .expected = "runs" },
	{ "- { id: a, action: noop, if: input.n == 1 }\n", .expected = "runs" },
	{ "- { id: a, action: noop, if: input.n == 2 }\n", .expected = "skips" },
	{ "- { id: a, action: http, url: '{{input.nothing.x}}', if: 'false' }\n",
	  .expected = "skips" },
	{ "- { id: a, action: noop, foreach: input.list, if: 'false' }\n",
	  .expected = "skips" },
	{ "- { id: a, action: noop, approvalRequired: true, if: 'false' }\n",
	  .expected = "skips" },
	{ LOOP(", maxIterations: 2, if: 'false'"), .expected = "skips" },
	{ "- { id: a, action: noop, if: input.n }\n",
	  .expected =
	      "fails {\"code\":\"expression\",\"message\":\"if: \\\"input.n\\\" 1:7: a "
	      "condition is "
	      "true "
	      "or false, this is int\"}" },
	/* ... is asked once: not of items, repetitions, or what comes back */
	{ "- { id: a, action: noop, foreach: input.list, if: 'false' }\n",
	  .expected = "runs",
	  .held = { .is_item = true, .parent = 1, .has_index = true } },
	{ "- { id: a, action: noop, repeatUntil: 'true', if: 'false' }\n",
	  .expected = "runs", .held = { .iteration = 1 } },
	{ "- { id: a, action: wait, for: 1s, if: 'false' }\n", .expected = "runs",
	  .held = { .phase = PHASE_ACTION } },
	/* the graph */
	{ "- { id: a, action: noop }\n" NEEDED, .expected = "runs" },
	{ "- { id: a, action: noop }\n- { id: b, action: noop, onSuccess: a }\n" NEEDED,
	  .expected = "skips not_chosen" },
	{ "- { id: a, action: noop }\n- { id: b, action: noop, onSuccess: a }\n" NEEDED,
	  .expected = "runs", .held = { .chosen = true } },
	/* foreach */
	{ "- { id: a, action: http, url: '{{item.x}}', foreach: input.list }\n",
	  .expected = "3 a, 3 at once, items [1,2,3]" },
	{ "- { id: a, action: noop, foreach: input.list, maxParallel: 2 }\n",
	  .expected = "3 a, 2 at once, items [1,2,3]" },
	{ "- { id: a, action: noop, foreach: '[]' }\n", .expected = "gives []" },
	{ "- { id: a, action: noop, foreach: input.n }\n",
	  .expected = "fails {\"code\":\"expression\",\"message\":\"foreach: expected "
		      "a list, got "
		      "number\"}" },
	{ "- { id: a, action: noop, foreach: input.huge }\n",
	  .expected = "fails {\"code\":\"too_many_items\",\"message\":\"foreach: more "
		      "than 100000 "
		      "items\"}" },
	{ "- { id: a, action: noop, foreach: input.list }\n",
	  .expected = "gives [null,7]", .held = { .phase = PHASE_CHILDREN },
	  .outputs = "[null,7]" },
	{ "- { id: a, action: noop, foreach: input.list }\n",
	  .expected =
	      "fails {\"code\":\"x\",\"message\":\"m\",\"index\":1} with [1,null]",
	  .held = { .phase = PHASE_CHILDREN }, .outputs = "[1,null]",
	  .error = "{\"code\":\"x\",\"message\":\"m\",\"index\":1}" },
	{ "- { id: a, action: noop, foreach: input.list, approvalRequired: true }\n",
	  .expected = ASKED },
	{ "- { id: a, action: noop, foreach: input.list, approvalRequired: true }\n",
	  .expected = "3 a, 3 at once, items [1,2,3]", .held = { .phase = PHASE_GATE },
	  .decided = APPROVAL_APPROVED },
	{ "- { id: a, action: noop, foreach: input.list, approvalRequired: true }\n",
	  .expected = "runs",
	  .held = { .is_item = true, .parent = 1, .has_index = true } },
	/* conditional */
	{ TREE, .expected = "1 t, 1 at once, keeps 1" },
	{ TREE, .expected = "1 e, 1 at once, index 4, keeps 2",
	  .held = { .number = 2, .has_index = true, .item_index = 4 } },
	{ TREE, .expected = "gives {\"taken\":\"then\"}",
	  .held = { .phase = PHASE_CHILDREN, .iteration = 1 } },
	{ TREE, .expected = "gives {\"taken\":\"else\"}",
	  .held = { .phase = PHASE_CHILDREN, .iteration = 2 } },
	{ TREE, .expected = "fails {\"code\":\"x\",\"message\":\"m\"}",
	  .held = { .phase = PHASE_CHILDREN, .iteration = 1 },
	  .error = "{\"code\":\"x\",\"message\":\"m\"}" },
	{ "- { id: a, action: conditional, condition: 'true', else: [b] }\n"
	  "- { id: b, action: noop }\n",
	  .expected = "gives {\"taken\":\"then\"}" },
	{ "- { id: a, action: conditional, condition: 'false', then: [b] }\n"
	  "- { id: b, action: noop }\n",
	  .expected = "gives {\"taken\":\"else\"}" },
	{ "- { id: a, action: conditional, condition: input.nothing, then: [b] }\n"
	  "- { id: b, action: noop }\n",
	  .expected = "fails {\"code\":\"expression\",\"message\":\"condition: "
		      "\\\"input.nothing\\\" 1:7: no "
		      "such "
		      "key: \\\"nothing\\\"\"}" },
	/* loop */
	{ LOOP(", maxIterations: 2"), .expected = "1 t, 1 at once, index 0, keeps 1" },
	{ LOOP(", maxIterations: 2"), .expected = "1 t, 1 at once, index 1, keeps 2",
	  .held = { .phase = PHASE_CHILDREN, .iteration = 1 } },
	{ LOOP(", maxIterations: 2"), .expected = "gives {\"iterations\":2}",
	  .held = { .phase = PHASE_CHILDREN, .iteration = 2 } },
	{ LOOP(", condition: index < 1"),
	  .expected = "1 t, 1 at once, index 0, keeps 1" },
	{ LOOP(", condition: index < 1"), .expected = "gives {\"iterations\":1}",
	  .held = { .phase = PHASE_CHILDREN, .iteration = 1 } },
	{ LOOP(", condition: 'false'"), .expected = "gives {\"iterations\":0}" },
	{ LOOP(", condition: index < 9, maxIterations: 3"),
	  .expected = "gives {\"iterations\":3}",
	  .held = { .phase = PHASE_CHILDREN, .iteration = 3 } },
	{ LOOP(", condition: 'true'"),
	  .expected = "fails {\"code\":\"x\",\"message\":\"m\"}",
	  .held = { .phase = PHASE_CHILDREN, .iteration = 3 },
	  .error = "{\"code\":\"x\",\"message\":\"m\"}" },
	{ LOOP(", condition: 1 / index == 1"),
	  .expected = "fails {\"code\":\"expression\",\"message\":\"condition: \\\"1 / "
		      "index == 1\\\" 1:3: division by zero\"}" },
	/* the gate */
	{ GATE, .expected = ASKED " for {\"url\":\"u1\"}" },
	{ GATE, .expected = "runs", .held = { .phase = PHASE_GATE },
	  .decided = APPROVAL_APPROVED, .args = "{\"url\":\"u1\"}" },
	{ GATE, .expected = ASKED " for {\"url\":\"u1\"}",
	  .held = { .phase = PHASE_GATE }, .decided = APPROVAL_APPROVED,
	  .args = "{\"url\":\"u2\"}" },
	{ GATE, .expected = ASKED " for {\"url\":\"u1\"}",
	  .held = { .phase = PHASE_GATE }, .decided = APPROVAL_VOID,
	  .args = "{\"url\":\"u1\"}" },
	{ GATE, .expected = ASKED " for {\"url\":\"u1\"}",
	  .held = { .phase = PHASE_GATE } },
	{ GATE,
	  .expected = "fails {\"code\":\"denied\",\"message\":\"denied by eva: why\"}",
	  .held = { .phase = PHASE_GATE }, .decided = APPROVAL_DENIED,
	  .args = "{\"url\":\"u1\"}", .by = "eva", .comment = "why" },
	{ GATE, .expected = "fails {\"code\":\"denied\",\"message\":\"denied\"}",
	  .held = { .phase = PHASE_GATE }, .decided = APPROVAL_DENIED,
	  .args = "{\"url\":\"u1\"}" },
	{ GATE,
	  .expected =
	      "fails {\"code\":\"timeout\",\"message\":\"nobody decided in time\"}",
	  .held = { .phase = PHASE_GATE }, .decided = APPROVAL_EXPIRED,
	  .args = "{\"url\":\"u1\"}" },
	/* ... is behind what it let pass */
	{ "- { id: a, action: wait, for: 1s, approvalRequired: true }\n",
	  .expected = "runs", .held = { .phase = PHASE_ACTION } },
	{ "- { id: a, action: noop, repeatUntil: 'true', approvalRequired: true }\n",
	  .expected = "runs", .held = { .iteration = 2 } },
	{ LOOP(", maxIterations: 2, approvalRequired: true"), .expected = ASKED },
	{ LOOP(", maxIterations: 2, approvalRequired: true"),
	  .expected = "1 t, 1 at once, index 0, keeps 1",
	  .held = { .phase = PHASE_GATE }, .decided = APPROVAL_APPROVED },
	{ LOOP(", maxIterations: 2, approvalRequired: true"),
	  .expected = "1 t, 1 at once, index 1, keeps 2",
	  .held = { .phase = PHASE_CHILDREN, .iteration = 1 } },
	/* approval */
	{ APPROVAL(""), .expected = "asks sure 1? as 2" },
	{ APPROVAL(", timeout: 7s, onTimeout: deny"),
	  .expected = "asks sure 1? as 2 until +7000, then deny" },
	{ APPROVAL(", timeout: 7s, onTimeout: approve"),
	  .expected = "asks sure 1? as 2 until +7000, then approve" },
	{ APPROVAL(", timeout: 7s"), .expected = "asks sure 1? as 2 until +7000" },
	{ APPROVAL(""),
	  .expected =
	      "gives "
	      "{\"approved\":true,\"by\":\"eva\",\"comment\":\"why\",\"at\":null}",
	  .held = { .phase = PHASE_ACTION }, .decided = APPROVAL_APPROVED, .by = "eva",
	  .comment = "why" },
	{ APPROVAL(""),
	  .expected =
	      "fails {\"code\":\"denied\",\"message\":\"denied by eva: why\"} with "
	      "{\"approved\":false,\"by\":\"eva\",\"comment\":\"why\",\"at\":null}",
	  .held = { .phase = PHASE_ACTION }, .decided = APPROVAL_DENIED, .by = "eva",
	  .comment = "why" },
	{ APPROVAL(""),
	  .expected = "fails {\"code\":\"timeout\",\"message\":\"nobody decided in "
		      "time\"} with "
		      "{\"approved\":false,\"by\":null,\"comment\":null,\"at\":null}",
	  .held = { .phase = PHASE_ACTION }, .decided = APPROVAL_EXPIRED },
	{ APPROVAL(""), .expected = "asks sure 1? as 2", /* its run had crashed */
	  .held = { .phase = PHASE_ACTION }, .decided = APPROVAL_VOID },
	{ APPROVAL(", approvalRequired: true"),
	  .expected = ASKED " for {\"prompt\":\"sure 1?\"}" },
	{ APPROVAL(", approvalRequired: true"), .expected = "asks sure 1? as 2",
	  .held = { .phase = PHASE_GATE }, .decided = APPROVAL_APPROVED,
	  .args = "{\"prompt\":\"sure 1?\"}" },
	/* the end of a graph */
	{ "- { id: a, action: noop }\n" NEEDED, .expected = "gives \"of z\"",
	  .held = { .index = END_INDEX, .number = END_NUMBER } },
	{ "- { id: a, action: noop }\n" NEEDED,
	  .expected = "fails {\"code\":\"x\",\"message\":\"m\"}",
	  .held = { .index = END_INDEX, .number = END_NUMBER },
	  .error = "{\"code\":\"x\",\"message\":\"m\"}" },
};

static struct workflow *
make(const struct entry *e)
{
	const char *gap = strstr(e->steps, "%s");
	struct buf text = { 0 };
	struct workflow *workflow;

	/* number 2 stands for the other branch of a tree */
	if (gap == NULL)
		buf_printf(&text, "name: x\nsteps:\n%s", e->steps);
	else
		buf_printf(&text, "name: x\nsteps:\n%.*s%d%s", (int)(gap - e->steps),
			   e->steps, e->held.number == 2 ? 2 : 1, gap + 2);
	workflow = workflow_text(buf_text(&text));
	buf_fini(&text);
	return workflow;
}

static struct json *
maybe(const char *text)
{
	return text != NULL ? json_of(text) : NULL;
}

static struct json *
maybe_text(const char *text)
{
	return text != NULL ? json_new_str(text) : NULL;
}

static struct json *
input(void)
{
	struct json *value = json_of("{\"n\":1,\"list\":[1,2,3]}"),
		    *huge = json_new_array();

	for (int i = 0; i < 100001; i++)
		json_append(huge, json_new_int(1));
	json_set(value, "huge", huge);
	return value;
}

static bool
enters(struct run *run, const struct held_step *held, const struct back *back,
       struct json **fields, struct outcome *outcome, struct json **made)
{
	struct run_scope scope;
	struct err err = { 0 };

	if (enter_step(run, held, back, outcome, made))
		return false;
	held_scope(&scope, run, held);
	if (template_resolve(run->workflow->steps[held->index].fields, &scope.scope,
			     fields, &err) < 0)
		fail_msg("%s", err.text);
	run_scope_fini(&scope);
	return !enter_with_fields(run, held, back, *fields, NOW, outcome, made);
}

static char *
entering(const struct entry *e, struct json *given)
{
	struct workflow *workflow = make(e);
	struct held_step held = e->held;
	struct back back = { .outputs = maybe(e->outputs),
			     .error = maybe(e->error),
			     .decided = e->decided != APPROVAL_PENDING,
			     .approval = e->decided,
			     .approved_args = maybe(e->args),
			     .by = maybe_text(e->by),
			     .comment = maybe_text(e->comment) };
	struct outcome outcome = { 0 };
	struct json *fields = NULL, *made = NULL;
	struct buf out = { 0 };
	struct run run;
	char *text;

	run_init(&run, workflow);
	run.input = json_ref(given);
	if (held.index == END_INDEX)
		run_set_visit(&run, (int)workflow->steps_count - 1, 2, STEP_COMPLETED,
			      json_new_str("of z"), NULL);
	if (enters(&run, &held, &back, &fields, &outcome, &made))
		buf_str(&out, "runs");
	else
		add_outcome(&out, workflow, &outcome);
	text = strdup(buf_text(&out));
	buf_fini(&out);
	json_unref(&made);
	json_unref(&fields);
	json_unref(&back.outputs);
	json_unref(&back.error);
	json_unref(&back.approved_args);
	json_unref(&back.by);
	json_unref(&back.comment);
	run_fini(&run);
	workflow_free(&workflow);
	return text;
}

static void
test_every_way_to_enter(void **state)
{
	struct json *given = input();
	int bad = 0;

	(void)state;
	for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
		char *text = entering(&entries[i], given);

		if (strcmp(text, entries[i].expected) != 0) {
			print_error("%s%s\nnot\n%s\n", entries[i].steps, text,
				    entries[i].expected);
			bad++;
		}
		free(text);
	}
	json_unref(&given);
	assert_int_equal(bad, 0);
}

/* What a step has to know of what it waited for, and of how many there were. */
static void
test_what_is_asked_for(void **state)
{
	struct workflow *plain = workflow_text(
	    "name: x\nmaxSteps: 10\nsteps:\n"
	    "- { id: a, action: noop }\n- { id: b, action: wait, for: 1 }\n"
	    "- { id: c, action: approval, prompt: p }\n"
	    "- { id: d, action: workflow, workflow: x }\n");
	struct workflow *fanning =
	    workflow_text("name: x\nmaxSteps: 10\nsteps:\n"
			  "- { id: a, action: noop, foreach: '[1]' }\n");
	static const bool expected[4][PHASES] = {
		{ false, true, false, true },
		{ false, true, false, true },
		{ false, true, true, true },
		{ false, true, true, true },
	};
	struct held_step held = { .number = 1000 };

	(void)state;
	for (int i = 0; i < 4; i++)
		for (int phase = 0; phase < PHASES; phase++) {
			held.phase = (enum phase)phase;
			assert_int_equal(
			    enter_wants_back(plain, &plain->steps[i], &held),
			    expected[i][phase]);
		}
	held = (struct held_step){ .number = 9 };
	assert_false(enter_wants_back(fanning, &fanning->steps[0], &held));
	held.number = 10;
	assert_true(enter_wants_back(fanning, &fanning->steps[0], &held));
	held.is_item = true;
	assert_false(enter_wants_back(fanning, &fanning->steps[0], &held));
	held = (struct held_step){ .index = END_INDEX, .number = END_NUMBER };
	assert_true(enter_wants_back(plain, &plain->end, &held));
	workflow_free(&plain);
	workflow_free(&fanning);
}

static void
test_names_of_approvals(void **state)
{
	(void)state;
	assert_string_equal(approval_status_name(APPROVAL_PENDING), "pending");
	assert_string_equal(approval_status_name(APPROVAL_VOID), "void");
	assert_string_equal(approval_status_name(APPROVAL_STATUSES), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_way_to_enter),
		cmocka_unit_test(test_what_is_asked_for),
		cmocka_unit_test(test_names_of_approvals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
