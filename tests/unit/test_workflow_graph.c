/* A workflow as nodes and edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "workflow_text.h"

static void
check(const char *yaml, const char *expected)
{
	struct workflow *workflow = workflow_text(yaml);
	struct json *graph = workflow_graph(workflow), *wanted = json_of(expected);
	char *text = json_text(graph);

	if (!json_equal(graph, wanted))
		fail_msg("got %s", text);
	free(text);
	json_unref(&graph);
	json_unref(&wanted);
	workflow_free(&workflow);
}

static void
test_one_step(void **state)
{
	(void)state;
	check("name: x\nsteps: [{id: a, action: noop, name: First}]\n",
	      "{\"nodes\":[{\"id\":\"a\",\"name\":\"First\",\"action\":\"noop\"}],"
	      "\"edges\":[{\"from\":\"a\",\"to\":null,\"kind\":\"next\"}]}");
}

static void
test_every_kind_of_edge(void **state)
{
	(void)state;
	check(
	    "name: x\nsteps:\n"
	    "- id: a\n  action: noop\n  onFailure: c\n"
	    "  branches: [{condition: result == 1, goto: end},"
	    " {condition: true, goto: a}]\n"
	    "- { id: b, action: code, language: shell, source: 'true', onSuccess: a,"
	    " onFailure: end }\n"
	    "- { id: c, action: noop }\n",
	    "{\"nodes\":[{\"id\":\"a\",\"name\":\"a\",\"action\":\"noop\"},"
	    "{\"id\":\"b\",\"name\":\"b\",\"action\":\"code\"},"
	    "{\"id\":\"c\",\"name\":\"c\",\"action\":\"noop\"}],"
	    "\"edges\":["
	    "{\"from\":\"a\",\"to\":null,\"kind\":\"branch\","
	    "\"condition\":\"result == 1\"},"
	    "{\"from\":\"a\",\"to\":\"a\",\"kind\":\"branch\",\"condition\":\"true\"},"
	    "{\"from\":\"a\",\"to\":\"b\",\"kind\":\"next\"},"
	    "{\"from\":\"a\",\"to\":\"c\",\"kind\":\"failure\"},"
	    "{\"from\":\"b\",\"to\":\"a\",\"kind\":\"success\"},"
	    "{\"from\":\"b\",\"to\":null,\"kind\":\"failure\"},"
	    "{\"from\":\"c\",\"to\":null,\"kind\":\"next\"}]}");
}

/* Needs point from what is needed; a block hangs between its holder and itself. */
static void
test_a_graph_with_blocks(void **state)
{
	(void)state;
	check("name: x\nsteps:\n"
	      "- { id: a, action: noop }\n"
	      "- { id: l, action: loop, maxIterations: 2, body: [b, c], needs: [a],"
	      " onFailure: h }\n"
	      "- { id: b, action: noop }\n"
	      "- { id: c, action: noop }\n"
	      "- { id: h, action: noop }\n",
	      "{\"nodes\":[{\"id\":\"a\",\"name\":\"a\",\"action\":\"noop\"},"
	      "{\"id\":\"l\",\"name\":\"l\",\"action\":\"loop\"},"
	      "{\"id\":\"b\",\"name\":\"b\",\"action\":\"noop\"},"
	      "{\"id\":\"c\",\"name\":\"c\",\"action\":\"noop\"},"
	      "{\"id\":\"h\",\"name\":\"h\",\"action\":\"noop\"}],"
	      "\"edges\":["
	      "{\"from\":\"l\",\"to\":\"b\",\"kind\":\"branch\"},"
	      "{\"from\":\"a\",\"to\":\"l\",\"kind\":\"needs\"},"
	      "{\"from\":\"l\",\"to\":\"h\",\"kind\":\"failure\"},"
	      "{\"from\":\"b\",\"to\":\"c\",\"kind\":\"next\"},"
	      "{\"from\":\"c\",\"to\":\"l\",\"kind\":\"next\"}]}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_step),
		cmocka_unit_test(test_every_kind_of_edge),
		cmocka_unit_test(test_a_graph_with_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
