/*
 * Any text as a workflow; and if it is one, runs of it in which every step enters and
 * ends somehow, also steps that nobody would have come to. What must hold of each
 * verdict: the run goes on or it is over, never both and never neither; and every row
 * it speaks of is one that there can be.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/yaml.h"
#include "engine/dry_run_core.h"
#include "engine/enter_core.h"
#include "engine/test_step_core.h"

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
must(bool holds)
{
	if (!holds)
		abort();
}

static bool
is_row(const struct run *run, int number)
{
	return number == END_NUMBER ||
	       (number > 0 && (size_t)number <= run->workflow->steps_count);
}

static bool
is_open(enum step_status status)
{
	return status == STEP_RETRYING || status == STEP_WAITING ||
	       status == STEP_WAITING_APPROVAL;
}

/* Does anything follow from it? */
static bool
goes_on(const struct verdict *verdict)
{
	return is_open(verdict->status) || verdict->next_count > 0 ||
	       verdict->spawn.count > 0 || verdict->joins != 0;
}

static void
check_rows(const struct run *run, const struct verdict *verdict, int number)
{
	for (size_t i = 0; i < verdict->next_count; i++) {
		must(verdict->next[i].number == number + 1);
		must(!run->workflow->no_foreach ||
		     verdict->next[i].number <= run->workflow->max_steps);
		must((size_t)verdict->next[i].index < run->workflow->steps_count);
	}
	for (size_t i = 0; i < verdict->met_count; i++)
		must(is_row(run, verdict->met[i]));
	must(verdict->chosen == 0 || is_row(run, verdict->chosen));
	must(verdict->spawn.count == 0 ||
	     (size_t)verdict->spawn.index < run->workflow->steps_count);
	must(verdict->spawn.items == NULL ||
	     json_count(verdict->spawn.items) == (size_t)verdict->spawn.count);
	must(!verdict->expects ||
	     (verdict->status == STEP_WAITING && verdict->spawn.count > 0));
	must(verdict->joins != 0 || verdict->join_error == NULL);
}

static void
check(const struct run *run, const struct verdict *verdict, int number)
{
	must(is_open(verdict->status) || step_is_over(verdict->status));
	must(run_is_over(verdict->run_status) != goes_on(verdict));
	must(!is_open(verdict->status) || verdict->next_count == 0);
	must((verdict->run_status == RUN_FAILED ||
	      verdict->closing == CLOSING_FAILED) == (verdict->run_error != NULL));
	check_rows(run, verdict, number);
}

static void
end_somehow(struct outcome *outcome, uint64_t *seed)
{
	static const enum outcome_kind kinds[] = { OUTCOME_SUCCESS, OUTCOME_FAILURE,
						   OUTCOME_WAIT };

	outcome->kind = kinds[next_random(seed) % 3];
	outcome->final = next_random(seed) % 4 == 0;
	outcome->run_at = 7;
}

/* A step with a place that it could have, if one came to it. */
static struct held_step
held_somehow(const struct run *run, uint64_t *seed, struct json *item)
{
	const struct workflow *workflow = run->workflow;
	size_t index = next_random(seed) % workflow->steps_count;
	const struct step_def *step = &workflow->steps[index];
	struct held_step held = {
		.index = (int)index, .number = (int)index + 1, .attempt = 1, .visits = 5
	};

	held.phase = (enum phase)(next_random(seed) % PHASES);
	held.iteration = (int)(next_random(seed) % 3);
	held.chosen = next_random(seed) % 2 == 0;
	if (held.phase == PHASE_CHILDREN && step->foreach == NULL && step->block < 0)
		held.phase = PHASE_FRESH;
	if (step->owner != NO_STEP)
		held.parent = step->owner + 1;
	else if (workflow->graph)
		held.parent = END_NUMBER;
	if (step->in_loop) {
		held.has_index = true;
		held.item_index = 2;
	}
	if (step->foreach != NULL && held.phase == PHASE_FRESH &&
	    next_random(seed) % 2 == 0) {
		held.is_item = held.has_index = true;
		held.item = item;
		held.parent = held.number;
	}
	return held;
}

static bool
enters(struct run *run, const struct held_step *held, struct json *some,
       struct json **fields, struct outcome *outcome, struct json **made)
{
	const struct back back = { .outputs = some,
				   .error = held->number % 3 == 0 ? some : NULL,
				   .decided = held->number % 2 == 0,
				   .approval = APPROVAL_APPROVED,
				   .approved_args = some };
	struct run_scope scope;
	struct err err = { 0 };
	int resolved;

	if (enter_step(run, held, &back, outcome, made))
		return false;
	held_scope(&scope, run, held);
	resolved = template_resolve(run->workflow->steps[held->index].fields,
				    &scope.scope, fields, &err);
	run_scope_fini(&scope);
	json_unref(made);
	return resolved < 0 ||
	       !enter_with_fields(run, held, &back, *fields, 1000, outcome, made);
}

/* One attempt; what it leads to becomes *held, or any other step does. False: the run
 * is over. */
static bool
attempt(struct run *run, struct held_step *held, uint64_t *seed)
{
	struct json *fields = NULL, *made = NULL, *some = random_json(seed);
	struct json *output = random_json(seed);
	struct outcome outcome = { 0 };
	struct verdict verdict;
	bool over;

	if (enters(run, held, some, &fields, &outcome, &made)) {
		end_somehow(&outcome, seed);
		outcome.output = output;
		if (outcome.kind == OUTCOME_FAILURE)
			outcome.error = some;
	}
	advance_on(run, held, &outcome, 1000, next_random(seed), &verdict);
	check(run, &verdict, held->number);
	over = run_is_over(verdict.run_status);
	held->attempt++;
	if (verdict.next_count > 0)
		*held = (struct held_step){ .index = verdict.next[0].index,
					    .number = verdict.next[0].number,
					    .attempt = 1 };
	else if (next_random(seed) % 2 == 0)
		*held = held_somehow(run, seed, NULL);
	verdict_fini(&verdict);
	json_unref(&fields);
	json_unref(&made);
	json_unref(&some);
	json_unref(&output);
	return !over;
}

static struct held_step
first_of(const struct workflow *workflow)
{
	size_t count;
	struct first_step *first = advance_start(workflow, &count);
	struct held_step held = { .index = first->index,
				  .number = first->number,
				  .attempt = 1,
				  .parent = first->parent };

	must(count > 0 && (first->index >= 0 || count == 1));
	free(first);
	return held;
}

static void
run_it(const struct workflow *workflow, uint64_t seed)
{
	struct held_step held = first_of(workflow);
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

/* ---- without running it, and one step of it ---- */

static void
walk_it(const struct workflow *workflow, uint64_t seed)
{
	struct json *input = random_json(&seed), *outputs = json_new_object(), *answer;
	struct dry_run *run;

	for (size_t i = 0; i < workflow->steps_count; i++)
		if (next_random(&seed) % 2 == 0)
			json_set(outputs, workflow->steps[i].id, random_json(&seed));
	run = dry_run_new(workflow, input, outputs);
	while (dry_run_walk(run))
		continue;
	answer = dry_run_answer(run);
	dry_run_free(&run);
	must(json_has(answer, "ends") != json_bool(json_get(answer, "truncated")));
	must(json_count(json_get(answer, "steps")) > 0);
	json_unref(&answer);
	json_unref(&outputs);
	json_unref(&input);
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

/* A step may read what only exists in its block: then it cannot stand alone. */
static void
test_one(const struct workflow *workflow, uint64_t seed)
{
	size_t index = next_random(&seed) % workflow->steps_count;
	struct test_step test;
	struct err err = { 0 };
	struct workflow *made;
	char *text;

	must(test_step_make(workflow, workflow->steps[index].id, NULL, NULL, &test,
			    &err) == 0);
	text = json_text(test.definition);
	made = read_text(text, strlen(text));
	must(made == NULL ||
	     (!made->graph && strcmp(made->steps[test.place].id, test.key) == 0));
	workflow_free(&made);
	free(text);
	test_step_fini(&test);
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
	walk_it(workflow, seed);
	test_one(workflow, seed);
	workflow_free(&workflow);
	return 0;
}
