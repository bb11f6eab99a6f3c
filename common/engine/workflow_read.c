/*
 * A tree becomes a workflow. Three passes over the steps: their ids, so that anything
 * may refer to any of them; their keys; then the parsed form that is stored and shown.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "engine/blocks_read.h"
#include "engine/graph_check.h"
#include "engine/input_schema.h"
#include "engine/model_read.h"
#include "engine/program_read.h"
#include "engine/reader.h"
#include "engine/refs.h"
#include "engine/step_read.h"
#include "engine/trigger_read.h"
#include "engine/workflow.h"

#define NAME_FIRST      "abcdefghijklmnopqrstuvwxyz0123456789"
#define NAME_REST       NAME_FIRST "._-"
#define DESCRIPTION_MAX 4000
#define TIMEOUT_PRESET  (3600 * USEC_SECOND)
#define QUEUE_PRESET    "default"
#define CONCURRENCY_MAX 1000000

static const char *const priority_names[PRIORITIES + 1] = {
	[PRIORITY_HIGH] = "high",
	[PRIORITY_NORMAL] = "normal",
	[PRIORITY_LOW] = "low",
};
static const char *const interrupt_names[] = { "resume", "crash", NULL };

/* ---- keys of the top ---- */

static void
read_name(struct reader *reader, const struct place *place, void *into)
{
	struct workflow *workflow = into;
	const char *text = reader_text(reader, place, WORKFLOW_NAME_MAX);

	if (text == NULL)
		return;
	if (!reader_matches(text, NAME_FIRST, NAME_REST))
		reader_problem(reader, place,
			       "\"%s\" must be small letters, digits, \".\", _ and -, "
			       "and begin with a letter or digit",
			       text);
	workflow->name = xstrdup(text);
}

static void
read_description(struct reader *reader, const struct place *place, void *into)
{
	struct workflow *workflow = into;

	workflow->description = xstrdup(reader_text(reader, place, DESCRIPTION_MAX));
}

static void
read_input(struct reader *reader, const struct place *place, void *into)
{
	struct workflow *workflow = into;

	workflow->input_rules = input_schema_read(reader, place);
	workflow->input_schema = json_from_doc(place->doc);
}

static void
read_timeout(struct reader *reader, const struct place *place, void *into)
{
	struct workflow *workflow = into;

	reader_duration(reader, place, false, &workflow->timeout);
}

static void
read_priority(struct reader *reader, const struct place *place, void *into)
{
	struct workflow *workflow = into;
	int priority = reader_choice(reader, place, priority_names);

	if (priority >= 0)
		workflow->priority = (enum priority)priority;
}

static void
read_queue(struct reader *reader, const struct place *place, void *into)
{
	struct workflow *workflow = into;

	workflow->queue = step_read_queue(reader, place);
}

static void
read_interrupt(struct reader *reader, const struct place *place, void *into)
{
	struct workflow *workflow = into;

	workflow->crash_on_interrupt =
	    reader_choice(reader, place, interrupt_names) == 1;
}

static void
read_max_steps(struct reader *reader, const struct place *place, void *into)
{
	struct workflow *workflow = into;
	long count = WORKFLOW_MAX_STEPS;

	reader_count(reader, place, 1, WORKFLOW_MAX_STEPS_MAX, &count);
	workflow->max_steps = (int)count;
}

static void
read_budget(struct reader *reader, const struct place *place, void *into)
{
	struct workflow *workflow = into;

	model_read_budget(reader, place, &workflow->budget);
}

/* {key, limit} */
static void
read_concurrency_key(struct reader *reader, const struct place *place, void *into)
{
	struct workflow *workflow = into;
	struct refs refs = { 0 };
	struct err err = { 0 };
	struct json *value;

	if (reader_text(reader, place, CEL_TEXT_MAX) == NULL ||
	    !refs_templates(reader, place, &refs, 0)) {
		refs_fini(&refs);
		return;
	}
	if (refs.count > 0 || refs.all_steps || refs.state)
		reader_problem(reader, place,
			       "only what is known when a run begins: input, trigger, "
			       "env");
	refs_fini(&refs);
	value = json_from_doc(place->doc);
	workflow->concurrency_key = template_compile(value, NULL, &err);
	if (workflow->concurrency_key == NULL)
		reader_problem(reader, place, "%s", err.text);
	json_unref(&value);
}

static void
read_limit(struct reader *reader, const struct place *place, void *into)
{
	struct workflow *workflow = into;

	reader_count(reader, place, 1, CONCURRENCY_MAX, &workflow->concurrency);
}

static const struct key concurrency_keys[] = {
	{ .name = "key", .read = read_concurrency_key, .required = true },
	{ .name = "limit", .read = read_limit },
	{ 0 },
};

/* After the steps, for its key may not name one. */
static void
read_concurrency(struct reader *reader, const struct place *top)
{
	struct workflow *workflow = reader->workflow;
	const struct place place = place_member(top, "concurrency");

	if (place.doc == NULL)
		return;
	if (place.doc->kind != DOC_MAP) {
		read_limit(reader, &place, workflow);
		return;
	}
	workflow->concurrency = 1;
	reader_map(reader, &place, concurrency_keys, NULL, workflow);
}

/* What the top and the steps hold is read apart: ids come first. */
static const struct key workflow_keys[] = {
	{ .name = "name", .read = read_name, .required = true },
	{ .name = "description", .read = read_description },
	{ .name = "trigger" },
	{ .name = "input", .read = read_input },
	{ .name = "output" },
	{ .name = "timeout", .read = read_timeout },
	{ .name = "priority", .read = read_priority },
	{ .name = "queue", .read = read_queue },
	{ .name = "onInterrupt", .read = read_interrupt },
	{ .name = "maxSteps", .read = read_max_steps },
	{ .name = "steps" },
	{ .name = "program" },
	{ .name = "ui" },
	{ .name = "concurrency" },
	{ .name = "budget", .read = read_budget },
	{ 0 },
};

/* ---- steps and output ---- */

static void
read_ids(struct reader *reader, const struct place *list)
{
	struct workflow *workflow = reader->workflow;

	workflow->steps = xcalloc(list->doc->count, sizeof *workflow->steps);
	workflow->steps_count = list->doc->count;
	for (size_t i = 0; i < list->doc->count; i++) {
		struct place item = place_item(list, i);

		workflow->steps[i].index = (int)i;
		if (item.doc->kind == DOC_MAP)
			step_read_id(reader, &item, &workflow->steps[i]);
	}
}

static void
read_steps(struct reader *reader, const struct place *top)
{
	struct workflow *workflow = reader->workflow;
	struct place list = place_member(top, "steps");

	if (list.doc == NULL && workflow->program == NULL)
		reader_problem(reader, &list, "is required");
	if (list.doc == NULL || !reader_is(reader, &list, DOC_LIST))
		return;
	if (list.doc->count == 0) {
		reader_problem(reader, &list, "at least one step is required");
		return;
	}
	if (list.doc->count > WORKFLOW_STEPS_MAX) {
		reader_problem(reader, &list, "more than %d steps", WORKFLOW_STEPS_MAX);
		return;
	}
	read_ids(reader, &list);
	blocks_read(reader, &list);
	for (size_t i = 0; i < list.doc->count; i++) {
		struct place item = place_item(&list, i);
		struct step_def *step = &workflow->steps[i];

		step_read(reader, &item, step);
		if (step->queue == NULL && workflow->queue != NULL)
			step->queue = xstrdup(workflow->queue);
	}
	graph_check(reader, &list);
}

static void
read_output(struct reader *reader, const struct place *top)
{
	struct workflow *workflow = reader->workflow;
	struct place place = place_member(top, "output");
	struct refs refs = { 0 };
	struct err err = { 0 };
	struct json *value;

	if (place.doc == NULL || !refs_templates(reader, &place, &refs, 0)) {
		refs_fini(&refs);
		return;
	}
	value = json_from_doc(place.doc);
	workflow->output = template_compile(value, NULL, &err);
	if (workflow->output == NULL)
		reader_problem(reader, &place, "%s", err.text);
	json_unref(&value);
	workflow->output_refs = refs.list;
	workflow->output_refs_count = refs.count;
	free(refs.outputs);
	workflow->output_refs_all_steps = refs.all_steps;
	workflow->output_refs_state = refs.state;
	workflow->reads_steps_whole |= refs.whole;
}

/* ---- what is stored ---- */

/* PostgreSQL has no form for U+0000. (In keys the YAML door refuses it.) */
static void
refuse_nul(struct reader *reader, const struct place *place)
{
	const struct doc *doc = place->doc;

	if (doc->kind == DOC_SCALAR && memchr(doc->text, '\0', doc->len) != NULL)
		reader_problem(reader, place, "the character U+0000 is not allowed");
	for (size_t i = 0; i < doc->count; i++) {
		struct place item =
		    doc->kind == DOC_MAP ? place_nth(place, i) : place_item(place, i);

		refuse_nul(reader, &item);
	}
}

/* As written, but for `ui` and secrets; each step has id, name and action as texts. */
static struct json *
config_of(const struct workflow *workflow, const struct doc *tree)
{
	struct json *config = json_from_doc(tree);
	struct json *steps = json_get(config, "steps");

	json_remove(config, "ui");
	json_remove(json_get(config, "program"), "text"); /* it is in the source */
	json_set(config, "name", json_new_str(workflow->name));
	trigger_mask(json_get(config, "trigger"));
	for (size_t i = 0; i < workflow->steps_count; i++) {
		const struct step_def *step = &workflow->steps[i];
		struct json *json = json_at(steps, i);

		json_remove(json, "ui");
		json_set(json, "id", json_new_str(step->id));
		json_set(json, "name", json_new_str(step->name));
		json_set(json, "action", json_new_str(action_name(step->action)));
	}
	return config;
}

/* In order of the file; those of one place stay as they were found. */
static void
sort_problems(struct problems *problems, size_t first)
{
	for (size_t i = first + 1; i < problems->count; i++) {
		struct problem moved = problems->list[i];
		size_t to = i;

		while (to > first && (problems->list[to - 1].line > moved.line ||
				      (problems->list[to - 1].line == moved.line &&
				       problems->list[to - 1].column > moved.column))) {
			problems->list[to] = problems->list[to - 1];
			to--;
		}
		problems->list[to] = moved;
	}
}

static struct workflow *
workflow_new(void)
{
	struct workflow *workflow = xcalloc(1, sizeof *workflow);

	workflow->ids = map_new();
	workflow->timeout = TIMEOUT_PRESET;
	workflow->priority = PRIORITY_NORMAL;
	workflow->max_steps = WORKFLOW_MAX_STEPS;
	return workflow;
}

static void
read_all(struct reader *reader, const struct place *top)
{
	struct workflow *workflow = reader->workflow;

	refuse_nul(reader, top);
	reader_map(reader, top, workflow_keys, NULL, workflow);
	if (top->doc->kind != DOC_MAP)
		return;
	if (workflow->queue == NULL)
		workflow->queue = xstrdup(QUEUE_PRESET);
	program_read(reader, top);
	read_steps(reader, top);
	read_output(reader, top);
	read_concurrency(reader, top);
	trigger_read(reader, top);
}

/* Of graph style: what is read to end a run: `output`, or what nobody needs. Of a
 * program: the program. */
static void
make_end(struct workflow *workflow)
{
	struct step_def *end = &workflow->end;

	*end = (struct step_def){
		.index = END_INDEX,
		.id = xstrdup(END_KEY),
		.name = xstrdup(workflow->program != NULL ? workflow->name : "end"),
		.action = ACTION_NOOP,
		.queue = xstrdup(workflow->queue),
		.owner = NO_STEP,
		.on_success = TARGET_NONE,
		.on_failure = TARGET_NONE,
		.retry = { .max_attempts = 1 }
	};
}

struct workflow *
workflow_read(const struct doc *tree, struct problems *problems)
{
	return workflow_read_new(tree, NULL, problems);
}

struct workflow *
workflow_read_new(const struct doc *tree, const char *const *mcp_servers,
		  struct problems *problems)
{
	struct workflow *workflow = workflow_new();
	struct reader reader = { problems, workflow, map_new(), mcp_servers };
	const struct place top = { .doc = tree };
	size_t before = problems->count;

	read_all(&reader, &top);
	map_free(&reader.aliases, NULL);
	if (problems->count == before) {
		workflow->config = config_of(workflow, tree);
		make_end(workflow);
		return workflow;
	}
	sort_problems(problems, before);
	workflow_free(&workflow);
	return NULL;
}
