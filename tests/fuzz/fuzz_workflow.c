/*
 * Any text as a workflow; and if it is one, a run of it in which every step ends
 * somehow. What must hold: a run goes on or it is over, never both and never neither.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/yaml.h"
#include "engine/advance_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define STEPS_MOST 60

static uint64_t
next_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *seed >> 20;
}

static struct json *
random_json(uint64_t *seed)
{
	static const char *const texts[] = {
		"null",
		"1",
		"true",
		"\"text\"",
		"[1,2,{\"a\":[]}]",
		"{\"a\":1,\"output\":{\"b\":\"c\"},\"code\":\"timeout\"}",
	};
	const char *text = texts[next_random(seed) % (sizeof texts / sizeof texts[0])];
	struct json *json = NULL;
	struct err err = { 0 };

	if (json_parse(text, strlen(text), &json, &err) < 0)
		abort();
	return json;
}

static void
check(const struct run *run, const struct verdict *verdict, int number)
{
	bool open = verdict->status == STEP_RETRYING || verdict->status == STEP_WAITING;

	if (!open && !step_is_over(verdict->status))
		abort();
	if (run_is_over(verdict->run_status) == (open || verdict->next_count > 0))
		abort();
	if (open && verdict->next_count > 0)
		abort();
	if ((verdict->run_status == RUN_FAILED) != (verdict->run_error != NULL))
		abort();
	for (size_t i = 0; i < verdict->next_count; i++)
		if (verdict->next[i].number != number + 1 ||
		    verdict->next[i].number > run->workflow->max_steps ||
		    (size_t)verdict->next[i].index >= run->workflow->steps_count)
			abort();
}

/* One attempt; false when the run is over. */
static bool
attempt(struct run *run, struct held_step *held, uint64_t *seed)
{
	struct outcome outcome = {
		.kind = (enum outcome_kind)(next_random(seed) % OUTCOME_KINDS),
		.output = random_json(seed),
		.final = next_random(seed) % 4 == 0,
		.run_at = 7,
	};
	struct json *fields = NULL;
	struct run_scope scope;
	struct verdict verdict;
	struct err err = { 0 };
	bool over;

	run_scope_init(&scope, run);
	template_resolve(run->workflow->steps[held->index].fields, &scope.scope,
			 &fields, &err);
	if (outcome.kind == OUTCOME_FAILURE)
		outcome.error = random_json(seed);
	advance_on(run, held, &outcome, 1000, next_random(seed), &verdict);
	check(run, &verdict, held->number);
	over = run_is_over(verdict.run_status);
	held->attempt++;
	if (verdict.next_count > 0)
		*held = (struct held_step){ verdict.next[0].index,
					    verdict.next[0].number, 1, 0 };
	verdict_fini(&verdict);
	json_unref(&fields);
	json_unref(&outcome.output);
	json_unref(&outcome.error);
	return !over;
}

static void
run_it(const struct workflow *workflow, uint64_t seed)
{
	struct held_step held = { 0, 1, 1, 0 };
	struct problems problems = { 0 };
	struct run run;

	run_init(&run, workflow);
	run.input = random_json(&seed);
	run.state = random_json(&seed);
	workflow_check_input(workflow, run.input, &problems);
	problems_fini(&problems);
	for (int i = 0; i < STEPS_MOST && attempt(&run, &held, &seed); i++)
		continue;
	run_fini(&run);
}

static struct workflow *
read_text(const char *text, size_t len)
{
	struct problems problems = { 0 };
	struct doc *doc = yaml_parse(text, len, &problems);
	struct workflow *workflow = NULL;

	if (doc != NULL)
		workflow = workflow_read(doc, &problems);
	if ((workflow == NULL) == (problems.count == 0))
		abort();
	for (size_t i = 0; i < problems.count; i++)
		free(problem_text(&problems, i));
	doc_free(&doc);
	problems_fini(&problems);
	return workflow;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct workflow *workflow = read_text((const char *)data, len);
	uint64_t seed = len;
	struct json *graph;

	if (workflow == NULL)
		return 0;
	for (size_t i = 0; i < len; i++)
		seed = seed * 31 + data[i];
	graph = workflow_graph(workflow);
	if (json_count(json_get(graph, "nodes")) != workflow->steps_count)
		abort();
	json_unref(&graph);
	run_it(workflow, seed);
	run_it(workflow, ~seed);
	workflow_free(&workflow);
	return 0;
}
