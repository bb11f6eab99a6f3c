/* The workflow that one step is tested in: what stands for the others, and what goes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "engine/test_step_core.h"
#include "workflow_text.h"

static const char sequence[] =
    "name: x\ndescription: d\nqueue: gpu\ntimeout: 5000\nconcurrency: 3\n"
    "input: { type: object }\noutput: '{{steps.c.output}}'\nsteps:\n"
    "- { id: a, action: noop }\n"
    "- { id: b, action: tool, tool: shell, args: { command: '{{steps.a.output}}' }, "
    "if: "
    "'true', branches: [{ condition: 'true', goto: a }], onSuccess: c, onFailure: a, "
    "retry: { maxAttempts: 2 } }\n"
    "- { id: c, action: noop }\n";

static const char graph[] =
    "name: x\nsteps:\n"
    "- { id: a, action: conditional, condition: 'true', then: [b], needs: [d] }\n"
    "- { id: b, action: loop, maxIterations: 2, body: [c] }\n"
    "- { id: c, action: noop }\n"
    "- { id: d, action: noop }\n";

/* Ids of the steps in order, the tested one with a star; and those given. */
static char *
told(const struct test_step *test)
{
	const struct json *steps = json_get(test->definition, "steps");
	struct buf out = { 0 };

	for (size_t i = 0; i < json_count(steps); i++)
		buf_printf(&out, "%s%s%s", i > 0 ? " " : "",
			   json_str(json_get(json_at(steps, i), "id")),
			   (int)i == test->place ? "*" : "");
	for (size_t i = 0; i < test->given_count; i++)
		buf_printf(&out, "%s%s", i > 0 ? ", " : " with ", test->given[i]);
	return buf_take(&out);
}

static const struct {
	const char *workflow, *key, *step, *outputs, *expected;
} turns[] = {
	{ sequence, "b", NULL, "{}", "a c b*" },
	{ sequence, "b", NULL, "{\"c\": 1, \"a\": null}", "a c b* with a, c" },
	{ sequence, "a", NULL, "{\"c\": 1}", "b c a* with c" },
	{ graph, "a", NULL, "{\"d\": 1}", "d a* b c with d" },
	{ graph, "b", NULL, "{}", "a d b* c" },
	{ graph, "c", NULL, "{\"b\": 1}", "a b d c* with b" },
	{ sequence, NULL, "{\"id\": \"new\", \"action\": \"noop\"}", "{\"b\": 1}",
	  "a b c new* with b" },
	{ sequence, NULL, "{\"id\": \"b\", \"action\": \"noop\"}", "{}", "a c b*" },
	{ graph, NULL,
	  "{\"id\": \"new\", \"action\": \"loop\", \"body\": [\"b\", 7, \"zz\"]}", "{}",
	  "a d new* b c" },
	/* refused */
	{ sequence, "zz", NULL, "{}", "the workflow has no step \"zz\"" },
	{ sequence, NULL, NULL, "{}", "expected either stepId or step" },
	{ sequence, "a", "{\"id\": \"a\"}", "{}", "expected either stepId or step" },
	{ sequence, NULL, "[]", "{}", "step: expected an object with an id" },
	{ sequence, NULL, "{\"id\": 7}", "{}", "step: expected an object with an id" },
	{ sequence, "a", NULL, "{\"a\": 1}",
	  "steps: \"a\" is to be tested: its output cannot be given" },
	{ graph, "a", NULL, "{\"c\": 1}",
	  "steps: \"c\" is to be tested: its output cannot be given" },
};

static void
test_which_steps(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof turns / sizeof *turns; i++) {
		struct workflow *workflow = workflow_text(turns[i].workflow);
		struct json *outputs = json_of(turns[i].outputs);
		struct json *step = turns[i].step ? json_of(turns[i].step) : NULL;
		struct test_step test;
		struct err err = { 0 };
		char *text = NULL;

		if (test_step_make(workflow, turns[i].key, step, outputs, &test,
				   &err) == 0)
			text = told(&test);
		assert_string_equal(text != NULL ? text : err.text, turns[i].expected);
		free(text);
		test_step_fini(&test);
		json_unref(&step);
		json_unref(&outputs);
		workflow_free(&workflow);
	}
}

static void
test_what_is_left_out(void **state)
{
	struct workflow *workflow = workflow_text(sequence), *made;
	struct test_step test;
	struct err err = { 0 };
	char *text;

	(void)state;
	assert_int_equal(test_step_make(workflow, "b", NULL, NULL, &test, &err), 0);
	text = json_text(json_at(json_get(test.definition, "steps"), 2));
	for (const char *const *gone =
		 (const char *const[]){ "if", "branches", "onSuccess", "onFailure",
					NULL };
	     *gone != NULL; gone++)
		assert_null(strstr(text, *gone));
	assert_non_null(strstr(text, "maxAttempts"));
	free(text);
	text = json_text(test.definition);
	made = workflow_text(text); /* it can be read */
	assert_string_equal(made->name, "x");
	assert_string_equal(made->steps[test.place].queue, "gpu");
	assert_int_equal(made->timeout, 5 * USEC_SECOND);
	assert_int_equal(made->concurrency, 0);
	assert_null(made->output);
	assert_null(made->input_schema);
	assert_int_equal(made->steps[0].action, ACTION_NOOP);
	free(text);
	workflow_free(&made);
	test_step_fini(&test);
	workflow_free(&workflow);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which_steps),
		cmocka_unit_test(test_what_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
