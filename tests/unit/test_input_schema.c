/* A run's input against what its workflow asks for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/buf.h"
#include "workflow_text.h"

static const char head[] = "name: x\nsteps: [{id: a, action: noop}]\n";
static const char schema[] = "input:\n"
			     "  type: object\n"
			     "  required: [repo, depth]\n"
			     "  additionalProperties: false\n"
			     "  properties:\n"
			     "    repo: { type: string, minLength: 1 }\n"
			     "    depth: { type: integer }\n"
			     "    ratio: { type: number }\n"
			     "    tags: { type: array }\n"
			     "    extra: { type: [object, \"null\"] }\n"
			     "    loud: { type: boolean }\n"
			     "    nothing: { type: \"null\" }\n"
			     "    free: {}\n";

/* clang-format off */
static const struct {
	const char *input, *said;
} cases[] = {
	{ "{\"repo\":\"a\",\"depth\":1}", "" },
	{ "{\"repo\":\"a\",\"depth\":1.0,\"ratio\":2,\"tags\":[],\"extra\":null,"
	  "\"loud\":false,\"nothing\":null,\"free\":[1]}", "" },
	{ "{\"repo\":\"\",\"depth\":1,\"unknown\":1}",
	  "input.repo: expected at least 1 character, got 0\n"
	  "input.unknown: is not allowed\n" },
	{ "{\"repo\":\"a\",\"depth\":1,\"ratio\":0.5,\"extra\":{}}", "" },
	{ "null", "input.repo: is required\ninput.depth: is required\n" },
	{ "{}", "input.repo: is required\ninput.depth: is required\n" },
	{ "[]", "input: expected an object, got array\n" },
	{ "\"text\"", "input: expected an object, got string\n" },
	{ "{\"repo\":1,\"depth\":\"deep\"}",
	  "input.repo: expected string, got number\n"
	  "input.depth: expected integer, got string\n" },
	{ "{\"repo\":null,\"depth\":1.5}",
	  "input.repo: expected string, got null\n"
	  "input.depth: expected integer, got number\n" },
	{ "{\"repo\":\"a\",\"depth\":1e300}", "" }, /* as whole as can be */
	{ "{\"repo\":\"a\",\"depth\":1,\"extra\":[],\"loud\":1,\"nothing\":0,\"tags\":{},"
	  "\"ratio\":\"1\"}",
	  "input.extra: expected null or object, got array\n"
	  "input.loud: expected boolean, got number\n"
	  "input.nothing: expected null, got number\n"
	  "input.tags: expected array, got object\n"
	  "input.ratio: expected number, got string\n" },
};
/* clang-format on */

static void
check(const struct workflow *workflow, const char *text, const char *said)
{
	struct json *input = json_of(text);
	struct problems problems = { 0 };
	struct buf got = { 0 };
	bool good = workflow_check_input(workflow, input, &problems);

	for (size_t i = 0; i < problems.count; i++) {
		char *line = problem_text(&problems, i);

		buf_printf(&got, "%s\n", line);
		free(line);
	}
	assert_string_equal(buf_text(&got), said);
	assert_int_equal(good, said[0] == '\0');
	buf_fini(&got);
	problems_fini(&problems);
	json_unref(&input);
}

static void
test_inputs(void **state)
{
	char text[2000];
	struct workflow *workflow;

	(void)state;
	snprintf(text, sizeof text, "%s%s", head, schema);
	workflow = workflow_text(text);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		check(workflow, cases[i].input, cases[i].said);
	workflow_free(&workflow);
}

static void
test_without_a_schema_anything_goes(void **state)
{
	struct workflow *workflow = workflow_text(head);

	(void)state;
	check(workflow, "null", "");
	check(workflow, "[1]", "");
	check(workflow, "{\"a\":1}", "");
	workflow_free(&workflow);
}

static void
test_a_schema_without_its_parts(void **state)
{
	char text[2000];
	struct workflow *workflow;

	(void)state;
	snprintf(text, sizeof text, "%sinput: {}\n", head);
	workflow = workflow_text(text);
	check(workflow, "null", "");
	check(workflow, "{\"a\":1}", "");
	check(workflow, "1", "input: expected an object, got number\n");
	workflow_free(&workflow);
}

/* What was said before does not make an input wrong. */
static void
test_earlier_problems(void **state)
{
	struct workflow *workflow = workflow_text(head);
	struct problems problems = { 0 };

	(void)state;
	problems_add_at(&problems, 1, 1, "", "before");
	assert_true(workflow_check_input(workflow, NULL, &problems));
	assert_int_equal(problems.count, 1);
	problems_fini(&problems);
	workflow_free(&workflow);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inputs),
		cmocka_unit_test(test_without_a_schema_anything_goes),
		cmocka_unit_test(test_a_schema_without_its_parts),
		cmocka_unit_test(test_earlier_problems),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
