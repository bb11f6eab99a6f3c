/* A workflow walked without running it: order, resolved fields, what is not known. Each
 * case is a workflow, an input, outputs, and the walk as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "engine/dry_run_core.h"
#include "workflow_text.h"

/* ---- the walk as text ---- */

static void
add_member(struct buf *out, const char *before, const struct json *of, const char *key)
{
	char *text;

	if (!json_has(of, key))
		return;
	text = json_text(json_get(of, key));
	buf_printf(out, "%s%s", before, text);
	free(text);
}

static void
add_text(struct buf *out, const char *before, const struct json *of, const char *key)
{
	const char *text = json_str(json_get(of, key));

	if (text != NULL)
		buf_printf(out, "%s%s", before, text);
}

static void
add_step(struct buf *out, const struct json *step)
{
	add_text(out, "", step, "stepKey");
	add_member(out, " #", step, "itemIndex");
	add_text(out, " ", step, "would");
	if (!json_bool(json_get(step, "certain")))
		buf_char(out, '?');
	add_text(out, " because ", step, "reason");
	add_text(out, " of ", json_get(step, "error"), "code");
	add_text(out, " waits for ", step, "waitsFor");
	if (json_count(json_get(step, "fields")) > 0)
		add_member(out, " ", step, "fields");
	add_member(out, " misses ", step, "unresolved");
	add_member(out, " if ", step, "if");
	add_member(out, " foreach ", step, "foreach");
	add_member(out, " condition ", step, "condition");
	add_member(out, " until ", step, "repeatUntil");
	add_text(out, " takes ", step, "branch");
	add_member(out, " iterations ", step, "iterations");
	add_text(out, " -> ", step, "next");
	for (size_t i = 0; i < json_count(json_get(step, "mayGoTo")); i++)
		add_text(out, " or ", json_at(json_get(step, "mayGoTo"), i), "goto");
	buf_char(out, '\n');
}

static char *
told(const struct json *answer)
{
	const struct json *steps = json_get(answer, "steps");
	const struct json *missed = json_get(answer, "notReached");
	struct buf out = { 0 };

	for (size_t i = 0; i < json_count(steps); i++)
		add_step(&out, json_at(steps, i));
	if (json_count(missed) > 0)
		add_member(&out, "never ", answer, "notReached");
	if (json_count(missed) > 0)
		buf_char(&out, '\n');
	buf_str(&out, json_bool(json_get(answer, "certain")) ? "ends" : "may end");
	add_text(&out, " ", answer, "ends");
	add_text(&out, " of ", json_get(answer, "error"), "code");
	if (json_get(answer, "output") != NULL)
		add_member(&out, " giving ", answer, "output");
	add_member(&out, " misses ", answer, "outputUnresolved");
	if (json_bool(json_get(answer, "truncated")))
		buf_str(&out, ", truncated");
	return buf_take(&out);
}

/* ---- cases ---- */

struct turn {
	const char *top, *steps, *input, *outputs, *expected;
};

#define SHELL(id, command, more)                                                       \
	"- { id: " id ", action: tool, tool: shell, args: { command: \"" command       \
	"\" }" more " }\n"
#define NOOP(id, more) "- { id: " id ", action: noop" more " }\n"

static const struct turn turns[] = {
	/* a sequence; what is known and what is not */
	{ "",
	  SHELL("a", "echo {{input.x}}", "")
	      SHELL("b", "{{steps.a.output.stdout}}", ""),
	  "{\"x\": 1}", "{}",
	  "a run {\"tool\":\"shell\",\"args\":{\"command\":\"echo 1\"}} -> b\n"
	  "b run "
	  "{\"tool\":\"shell\",\"args\":{\"command\":\"{{steps.a.output.stdout}}\"}} "
	  "misses [\"steps.a.output\"]\n"
	  "ends completed misses [\"steps.b.output\"]" },
	{ "", SHELL("a", "x", "") SHELL("b", "{{steps.a.output.stdout}}", ""), "{}",
	  "{\"a\": {\"stdout\": \"hi\"}, \"b\": 7}",
	  "a run {\"tool\":\"shell\",\"args\":{\"command\":\"x\"}} -> b\n"
	  "b run {\"tool\":\"shell\",\"args\":{\"command\":\"hi\"}}\n"
	  "ends completed giving 7" },
	{ "", SHELL("a", "{{steps.b.status}} {{secrets.k}}", "") NOOP("b", ""), "{}",
	  "{}",
	  "a run {\"tool\":\"shell\",\"args\":{\"command\":\"{{steps.b.status}} "
	  "{{secrets.k}}\"}} misses [\"secrets.k\"] -> b\nb run\nends completed" },
	{ "", SHELL("a-b", "{{input.x}}", "") SHELL("c", "{{steps.a_b.output}}", ""),
	  "{}", "{}",
	  "a-b fail of expression\nnever [\"c\"]\nends failed of expression" },
	{ "output: '{{steps.a.output}} {{input.x}}'\n", SHELL("a", "x", ""),
	  "{\"x\": 1}", "{}",
	  "a run {\"tool\":\"shell\",\"args\":{\"command\":\"x\"}}\n"
	  "ends completed giving \"{{steps.a.output}} {{input.x}}\" misses "
	  "[\"steps.a.output\"]" },
	{ "output: '{{steps.a.output}} {{input.x}}'\n", SHELL("a", "x", ""),
	  "{\"x\": 1}", "{\"a\": 2}",
	  "a run {\"tool\":\"shell\",\"args\":{\"command\":\"x\"}}\n"
	  "ends completed giving \"2 1\"" },
	{ "output: '{{input.x}}'\n", NOOP("a", ""), "{}", "{}",
	  "a run\nends failed of expression" },
	/* branches */
	{ "",
	  NOOP("a", ", branches: [{ condition: 'input.x > 1', goto: c }]") NOOP("b", "")
	      NOOP("c", ""),
	  "{\"x\": 2}", "{}", "a run -> c\nc run\nnever [\"b\"]\nends completed" },
	{ "",
	  SHELL("a", "x", ", branches: [{ condition: 'result.exitCode > 1', goto: c }]")
	      NOOP("b", ", onSuccess: end") NOOP("c", ""),
	  "{}", "{}",
	  "a run {\"tool\":\"shell\",\"args\":{\"command\":\"x\"}} -> b or c\n"
	  "b run?\nnever [\"c\"]\nmay end completed misses [\"steps.b.output\"]" },
	{ "",
	  SHELL("a", "x", ", branches: [{ condition: 'result.exitCode > 1', goto: c }]")
	      NOOP("b", ", onSuccess: end") NOOP("c", ""),
	  "{}", "{\"a\": {\"exitCode\": 2}}",
	  "a run {\"tool\":\"shell\",\"args\":{\"command\":\"x\"}} -> c\n"
	  "c run\nnever [\"b\"]\nends completed" },
	{ "", NOOP("a", ", onSuccess: end") NOOP("b", ""), "{}", "{}",
	  "a run\nnever [\"b\"]\nends completed" },
	{ "maxSteps: 3\n", NOOP("a", ", onSuccess: a"), "{}", "{}",
	  "a run -> a\na run -> a\na run\nends failed of max_steps" },
	{ "maxSteps: 5000\n", NOOP("a", ", branches: [{ condition: 'true', goto: a }]"),
	  "{}", "{}", NULL },
	/* if */
	{ "", NOOP("a", ", if: 'input.x == 1'") NOOP("b", ""), "{\"x\": 2}", "{}",
	  "a skip because its condition is false -> b\nb run\nends completed" },
	{ "", NOOP("a", ", if: 'state.x == 1'") SHELL("b", "{{steps.a.status}}", ""),
	  "{}", "{\"b\": 1}",
	  "a run? if {\"expression\":\"state.x == 1\",\"unresolved\":[\"state.x\"]} -> "
	  "b\nb run {\"tool\":\"shell\",\"args\":{\"command\":\"{{steps.a.status}}\"}} "
	  "misses [\"steps.a.status\"]\nmay end completed giving 1" },
	{ "", NOOP("a", ", if: 'input.x.y'"), "{}", "{}",
	  "a fail of expression\nends failed of expression" },
	/* approvals */
	{ "",
	  "- { id: a, action: approval, prompt: 'Go {{input.x}}?', branches: [{ "
	  "condition: '!result.approved', goto: c }] }\n" NOOP("b", ", onSuccess: end")
	      NOOP("c", ""),
	  "{\"x\": 1}", "{}",
	  "a run waits for approval {\"prompt\":\"Go 1?\"} -> b\nb run\nnever "
	  "[\"c\"]\nends completed" },
	{ "",
	  "- { id: a, action: approval, prompt: 'Go {{input.x}}?', branches: [{ "
	  "condition: '!result.approved', goto: c }] }\n" NOOP("b", ", onSuccess: end")
	      NOOP("c", ""),
	  "{\"x\": 1}", "{\"a\": {\"approved\": false}}",
	  "a fail of denied waits for approval {\"prompt\":\"Go 1?\"} -> c\nc "
	  "run\nnever "
	  "[\"b\"]\nends completed" },
	{ "", SHELL("a", "{{state.x}}", ", approvalRequired: true"), "{}", "{\"a\": 1}",
	  "a run waits for approval "
	  "{\"tool\":\"shell\",\"args\":{\"command\":\"{{state.x}}"
	  "\"}} misses [\"state.x\"]\nends completed giving 1" },
	/* waits */
	{ "",
	  "- { id: a, action: wait, for: 10m }\n- { id: b, action: wait, event: e }\n"
	  "- { id: c, action: workflow, workflow: w }\n"
	  "- { id: d, action: workflow, workflow: w, wait: false }\n",
	  "{}", "{\"d\": null}",
	  "a run waits for time {\"for\":\"10m\"} -> b\n"
	  "b run waits for event {\"event\":\"e\"} -> c\n"
	  "c run waits for run {\"workflow\":\"w\"} -> d\n"
	  "d run {\"workflow\":\"w\",\"wait\":false}\nends completed" },
	/* blocks */
	{ "",
	  "- { id: a, action: conditional, condition: 'input.x', then: [t, u], else: "
	  "[e] }\n" NOOP("t", "") NOOP("u", "") NOOP("e", "") NOOP("z", ""),
	  "{\"x\": true}", "{}",
	  "a run takes then -> z\nt run -> u\nu run\nz run\nnever [\"e\"]\nends "
	  "completed" },
	{ "",
	  "- { id: a, action: conditional, condition: 'input.x', then: [t] }\n" NOOP(
	      "t", ""),
	  "{\"x\": false}", "{}",
	  "a run takes else\nnever [\"t\"]\nends completed giving "
	  "{\"taken\":\"else\"}" },
	{ "",
	  "- { id: a, action: conditional, condition: 'state.x', then: [t], else: [e] "
	  "}\n" NOOP("t", "") NOOP("e", ""),
	  "{}", "{}",
	  "a run condition {\"expression\":\"state.x\",\"unresolved\":[\"state.x\"]}\n"
	  "t run?\ne run?\nmay end completed misses [\"steps.a.output\"]" },
	{ "",
	  "- { id: a, action: conditional, condition: 'state.x', else: [e] }\n" NOOP(
	      "e", ""),
	  "{}", "{}",
	  "a run condition {\"expression\":\"state.x\",\"unresolved\":[\"state.x\"]}\n"
	  "e run?\nmay end completed misses [\"steps.a.output\"]" },
	{ "",
	  "- { id: a, action: loop, condition: 'index < 2', maxIterations: 9, body: "
	  "[t] "
	  "}\n" SHELL("t", "{{index}}", ""),
	  "{}", "{}",
	  "a run iterations 2\n"
	  "t run {\"tool\":\"shell\",\"args\":{\"command\":0}}\n"
	  "t run {\"tool\":\"shell\",\"args\":{\"command\":1}}\n"
	  "ends completed giving {\"iterations\":2}" },
	{ "",
	  "- { id: a, action: loop, condition: 'steps.t.output == null', "
	  "maxIterations: "
	  "9, body: [t] }\n" SHELL("t", "x", ""),
	  "{}", "{}",
	  "a run condition {\"expression\":\"steps.t.output == "
	  "null\",\"unresolved\":[\"steps.t.output\"]}\n"
	  "t run {\"tool\":\"shell\",\"args\":{\"command\":\"x\"}}\n"
	  "may end completed misses [\"steps.a.output\"]" },
	/* fanning out */
	{ "", SHELL("a", "{{item}} {{index}}", ", foreach: 'input.l', maxParallel: 1"),
	  "{\"l\": [7, 8, 9, 10, 11]}", "{}",
	  "a run foreach {\"count\":5,\"parallel\":1}\n"
	  "a #0 run {\"tool\":\"shell\",\"args\":{\"command\":\"7 0\"}}\n"
	  "a #1 run {\"tool\":\"shell\",\"args\":{\"command\":\"8 1\"}}\n"
	  "a #2 run {\"tool\":\"shell\",\"args\":{\"command\":\"9 2\"}}\n"
	  "ends completed misses [\"steps.a.output\"]" },
	{ "", SHELL("a", "{{item}}", ", foreach: 'state.l'"), "{}", "{\"a\": [1]}",
	  "a run {\"tool\":\"shell\",\"args\":{\"command\":\"{{item}}\"}} misses "
	  "[\"item\"] foreach "
	  "{\"expression\":\"state.l\",\"unresolved\":[\"state.l\"]}\n"
	  "may end completed giving [1]" },
	{ "", NOOP("a", ", foreach: '[]'"), "{}", "{}",
	  "a run\nends completed giving []" },
	{ "", NOOP("a", ", foreach: '7'"), "{}", "{}",
	  "a fail of expression\nends failed of expression" },
	{ "", SHELL("a", "{{index}}", ", repeatUntil: 'index == 1', maxIterations: 9"),
	  "{}", "{\"a\": 3}",
	  "a run {\"tool\":\"shell\",\"args\":{\"command\":0}} -> a\n"
	  "a run {\"tool\":\"shell\",\"args\":{\"command\":1}}\n"
	  "ends completed giving 3" },
	{ "", SHELL("a", "x", ", repeatUntil: 'result.ok', maxIterations: 9"), "{}",
	  "{}",
	  "a run {\"tool\":\"shell\",\"args\":{\"command\":\"x\"}} until "
	  "{\"expression\":\"result.ok\",\"unresolved\":[\"result.ok\"]}\n"
	  "may end completed misses [\"steps.a.output\"]" },
	/* outputs that do not fit */
	{ "", SHELL("a", "x", ", outputSchema: { type: string }"), "{}", "{\"a\": 3}",
	  "a fail of output_schema "
	  "{\"tool\":\"shell\",\"args\":{\"command\":\"x\"}}\nends failed of "
	  "output_schema" },
	{ "", SHELL("a", "x", ", outputSchema: { type: string }"), "{}", "{}",
	  "a run {\"tool\":\"shell\",\"args\":{\"command\":\"x\"}}\nends completed "
	  "misses "
	  "[\"steps.a.output\"]" },
	/* graphs */
	{ "",
	  NOOP("d", ", needs: [b, c]") NOOP("a", "") NOOP("b", ", needs: [a]")
	      NOOP("c", ", needs: [a], if: 'false'"),
	  "{}", "{}",
	  "a run\nb run\nc skip because its condition is false\nd run\nends "
	  "completed" },
	{ "",
	  NOOP("a", ", branches: [{ condition: 'input.x', goto: b }, { condition: "
		    "'true', goto: c }]") NOOP("b", "") NOOP("c", "")
	      NOOP("d", ", needs: [b]") NOOP("e", ", needs: [c]"),
	  "{\"x\": true}", "{}",
	  "a run -> b\nc skip because no branch led here\nb run\ne skip because step "
	  "\"c\" was not chosen\nd run\nends completed giving {\"d\":null}" },
	{ "",
	  NOOP("a", ", branches: [{ condition: 'state.x', goto: b }, { condition: "
		    "'true', goto: c }]") NOOP("b", "") NOOP("c", "")
	      NOOP("d", ", needs: [b]"),
	  "{}", "{}",
	  "a run or b or c\nb run?\nc run?\nd run\nmay end completed misses "
	  "[\"steps.c.output\"]" },
	{ "", SHELL("a", "{{input.x}}", "") NOOP("b", ", needs: [a]") NOOP("c", ""),
	  "{}", "{}",
	  "a fail of expression\nnever [\"b\",\"c\"]\nends failed of expression" },
	{ "",
	  "- { id: a, action: loop, maxIterations: 2, body: [t] }\n" NOOP("t", "")
	      NOOP("b", ", needs: [a]"),
	  "{}", "{}", "a run iterations 2\nt run\nt run\nb run\nends completed" },
};

static struct json *
walk(const struct turn *turn)
{
	struct buf text = { 0 };
	struct workflow *workflow;
	struct json *input = json_of(turn->input), *outputs = json_of(turn->outputs);
	struct dry_run *run;
	struct json *answer;

	buf_printf(&text, "name: x\n%ssteps:\n%s", turn->top, turn->steps);
	workflow = workflow_text(buf_text(&text));
	run = dry_run_new(workflow, input, outputs);
	while (dry_run_walk(run))
		continue;
	answer = dry_run_answer(run);
	dry_run_free(&run);
	workflow_free(&workflow);
	json_unref(&input);
	json_unref(&outputs);
	buf_fini(&text);
	return answer;
}

static void
test_walks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof turns / sizeof *turns; i++) {
		struct json *answer = walk(&turns[i]);
		char *text = told(answer);

		if (turns[i].expected == NULL) {
			assert_int_equal(json_count(json_get(answer, "steps")),
					 DRY_STEPS_MAX);
			assert_true(json_bool(json_get(answer, "truncated")));
		} else {
			assert_string_equal(text, turns[i].expected);
		}
		free(text);
		json_unref(&answer);
	}
}

/* However often a large input is read, the answer has an end. */
static void
test_the_answer_is_limited(void **state)
{
	struct turn turn = {
		"",
		SHELL("a", "{{input.x}}{{input.x}}{{input.x}}{{input.x}}", "")
		    SHELL("b", "{{input.x}}{{input.x}}{{input.x}}{{input.x}}", "")
			NOOP("c", ""),
		NULL, "{}", NULL
	};
	struct buf input = { 0 };
	struct json *answer;

	(void)state;
	buf_str(&input, "{\"x\": \"");
	for (size_t i = 0; i < DRY_BYTES_MAX / 6; i++)
		buf_char(&input, 'x');
	buf_str(&input, "\"}");
	turn.input = buf_text(&input);
	answer = walk(&turn);
	assert_true(json_bool(json_get(answer, "truncated")));
	assert_int_equal(json_count(json_get(answer, "steps")), 2);
	json_unref(&answer);
	buf_fini(&input);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walks),
		cmocka_unit_test(test_the_answer_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
