/* Needs, conditions, repetitions and schemas of a step. See flow_read.h. */
#include "engine/flow_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "engine/input_schema.h"

#define NEEDS_MAX    1000
#define PARALLEL_MAX 100000

/* ---- ids of other steps ---- */

int
flow_read_id(struct reader *reader, const struct place *place)
{
	const char *id = reader_text(reader, place, STEP_ID_MAX);
	const struct step_def *step;

	if (id == NULL)
		return NO_STEP;
	step = map_get(reader->workflow->ids, id, strlen(id));
	if (step != NULL)
		return step->index;
	refs_unknown_step(reader, place, id, false);
	return NO_STEP;
}

static bool
has_need(const struct step_def *step, int index)
{
	for (size_t i = 0; i < step->needs_count; i++)
		if (step->needs[i] == index)
			return true;
	return false;
}

static void
read_need(struct reader *reader, const struct place *place, struct step_def *step)
{
	int index = flow_read_id(reader, place);

	if (index == NO_STEP)
		return;
	if (index == step->index)
		reader_problem(reader, place, "a step cannot need itself");
	else if (has_need(step, index))
		reader_problem(reader, place, "\"%s\" is named twice",
			       reader->workflow->steps[index].id);
	else
		step->needs[step->needs_count++] = index;
}

void
flow_read_needs(struct reader *reader, const struct place *place,
		struct flow_reading *reading)
{
	struct step_def *step = reading->step;

	reader->workflow->graph = true;
	if (!reader_is(reader, place, DOC_LIST))
		return;
	if (place->doc->count > NEEDS_MAX) {
		reader_problem(reader, place, "more than %d needs", NEEDS_MAX);
		return;
	}
	step->needs = xcalloc(place->doc->count + 1, sizeof *step->needs);
	for (size_t i = 0; i < place->doc->count; i++) {
		struct place item = place_item(place, i);

		read_need(reader, &item, step);
	}
}

/* ---- expressions ---- */

unsigned
flow_scope(const struct place *step_place, const struct step_def *step)
{
	unsigned scope = 0;

	if (doc_get(step_place->doc, "foreach") != NULL)
		scope |= REFS_ITEM | REFS_INDEX;
	if (step->in_loop || doc_get(step_place->doc, "repeatUntil") != NULL)
		scope |= REFS_INDEX;
	return scope;
}

void
flow_read_if(struct reader *reader, const struct place *place,
	     struct flow_reading *reading)
{
	reading->step->condition_if = refs_condition(
	    reader, place, reading->refs, reading->step->in_loop ? REFS_INDEX : 0);
}

void
flow_read_foreach(struct reader *reader, const struct place *place,
		  struct flow_reading *reading)
{
	reading->step->foreach = refs_condition(
	    reader, place, reading->outputs, reading->step->in_loop ? REFS_INDEX : 0);
}

void
flow_read_max_parallel(struct reader *reader, const struct place *place,
		       struct flow_reading *reading)
{
	long count = 0;

	if (doc_get(place->up->doc, "foreach") == NULL)
		reader_problem(reader, place, "\"maxParallel\" goes with \"foreach\"");
	if (reader_count(reader, place, 1, PARALLEL_MAX, &count))
		reading->step->max_parallel = (int)count;
}

void
flow_read_repeat(struct reader *reader, const struct place *place,
		 struct flow_reading *reading)
{
	reading->step->repeat_until =
	    refs_condition(reader, place, reading->refs, REFS_RESULT | REFS_INDEX);
}

void
flow_read_max_iterations(struct reader *reader, const struct place *place,
			 struct flow_reading *reading)
{
	long count = 0;

	if (doc_get(place->up->doc, "repeatUntil") == NULL &&
	    reading->step->action != ACTION_LOOP)
		reader_problem(reader, place,
			       "\"maxIterations\" goes with \"repeatUntil\" or with "
			       "the action \"loop\"");
	if (reader_count(reader, place, 1, ITERATIONS_MAX, &count))
		reading->step->max_iterations = (int)count;
}

void
flow_read_condition(struct reader *reader, const struct place *step_place,
		    struct flow_reading *reading)
{
	struct step_def *step = reading->step;
	const struct place place = place_member(step_place, "condition");
	unsigned scope = step->in_loop ? REFS_INDEX : 0;

	if (step->action == ACTION_LOOP)
		scope |= REFS_INDEX;
	if (place.doc != NULL)
		step->condition = refs_condition(reader, &place, reading->refs, scope);
}

void
flow_read_when(struct reader *reader, const struct place *step_place,
	       struct flow_reading *reading)
{
	const struct place place = place_member(step_place, "when");

	if (place.doc == NULL)
		return;
	if (doc_get(step_place->doc, "event") == NULL)
		reader_problem(reader, &place, "\"when\" goes with \"event\"");
	reading->step->when = refs_condition(reader, &place, reading->refs,
					     flow_scope(step_place, reading->step));
}

/* ---- schemas ---- */

void
flow_read_schema(struct reader *reader, const struct place *place,
		 struct flow_reading *reading)
{
	reading->step->output_rules = schema_read(reader, place);
	reading->step->output_schema = json_from_doc(place->doc);
}
