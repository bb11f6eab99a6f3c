/* Who owns which steps. See blocks_read.h. */
#include "engine/blocks_read.h"

#include <string.h>

#include "engine/flow_read.h"
#include "engine/workflow.h"

#define BLOCK_MAX 1000

static bool
is_action(const struct place *step, const char *name)
{
	const struct doc *action = doc_get(step->doc, "action");

	return action != NULL && action->kind == DOC_SCALAR &&
	       strcmp(action->text, name) == 0;
}

static void
own(struct reader *reader, const struct place *place, struct step_def *owner, int index,
    int *last)
{
	struct step_def *steps = reader->workflow->steps;

	if (index == owner->index) {
		reader_problem(reader, place, "a step cannot hold itself");
		return;
	}
	if (steps[index].owner != NO_STEP) {
		reader_problem(reader, place, "\"%s\" is already held by \"%s\"",
			       steps[index].id, steps[steps[index].owner].id);
		return;
	}
	steps[index].owner = owner->index;
	if (*last != NO_STEP)
		steps[*last].block_next = index;
	*last = index;
}

/* The first step of the block, or NO_STEP. */
static int
read_block(struct reader *reader, const struct place *step, struct step_def *owner,
	   const char *key)
{
	struct place list = place_member(step, key);
	int first = NO_STEP, last = NO_STEP;

	if (list.doc == NULL || !reader_is(reader, &list, DOC_LIST))
		return NO_STEP;
	if (list.doc->count > BLOCK_MAX) {
		reader_problem(reader, &list, "more than %d steps", BLOCK_MAX);
		return NO_STEP;
	}
	for (size_t i = 0; i < list.doc->count; i++) {
		struct place item = place_item(&list, i);
		int index = flow_read_id(reader, &item);

		if (index == NO_STEP)
			continue;
		own(reader, &item, owner, index, &last);
		if (first == NO_STEP)
			first = last;
	}
	return first;
}

static void
read_owner(struct reader *reader, const struct place *step, struct step_def *owner)
{
	if (is_action(step, "conditional")) {
		owner->block = read_block(reader, step, owner, "then");
		owner->other_block = read_block(reader, step, owner, "else");
	} else if (is_action(step, "loop")) {
		owner->block = read_block(reader, step, owner, "body");
		if (owner->block == NO_STEP && doc_get(step->doc, "body") != NULL)
			reader_problem(reader, step, "the body of a loop is empty");
	}
}

/* Blocks inside one another end somewhere at the top. */
static bool
check_circle(struct reader *reader, const struct place *step, int index)
{
	const struct step_def *steps = reader->workflow->steps;
	int at = index;

	for (size_t i = 0; at != NO_STEP; i++) {
		at = steps[at].owner;
		if (at != index && i <= reader->workflow->steps_count)
			continue;
		if (at == index)
			reader_problem(reader, step, "\"%s\" holds itself in the end",
				       steps[index].id);
		return false;
	}
	return true;
}

static void
note_loops(struct reader *reader, const struct place *list, struct step_def *step)
{
	struct step_def *steps = reader->workflow->steps;

	for (int at = step->owner; at != NO_STEP; at = steps[at].owner) {
		struct place owner = place_item(list, (size_t)at);

		if (is_action(&owner, "loop"))
			step->in_loop = true;
	}
}

void
blocks_read(struct reader *reader, const struct place *list)
{
	struct workflow *workflow = reader->workflow;
	bool good = true;

	for (size_t i = 0; i < workflow->steps_count; i++) {
		struct step_def *step = &workflow->steps[i];

		step->owner = step->block_next = NO_STEP;
		step->block = step->other_block = NO_STEP;
	}
	for (size_t i = 0; i < workflow->steps_count; i++) {
		struct place step = place_item(list, i);

		if (step.doc->kind == DOC_MAP)
			read_owner(reader, &step, &workflow->steps[i]);
	}
	for (size_t i = 0; i < workflow->steps_count; i++) {
		struct place step = place_item(list, i);

		good = check_circle(reader, &step, (int)i) && good;
	}
	for (size_t i = 0; good && i < workflow->steps_count; i++)
		note_loops(reader, list, &workflow->steps[i]);
}
