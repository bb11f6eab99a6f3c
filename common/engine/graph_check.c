/* Edges, cycles, and what goes together. See graph_check.h. */
#include "engine/graph_check.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "engine/action_fields.h"
#include "engine/workflow.h"

struct check {
	struct reader *reader;
	struct workflow *workflow;
	const struct place *list;
};

static struct place
place_of(const struct check *check, const struct step_def *step)
{
	return place_item(check->list, (size_t)step->index);
}

static void __attribute__((format(printf, 4, 5)))
problem_at(const struct check *check, const struct step_def *step, const char *key,
	   const char *format, ...)
{
	struct place place = place_of(check, step), member = place_member(&place, key);
	struct buf text = { 0 };
	va_list args;

	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	reader_problem(check->reader, member.doc != NULL ? &member : &place, "%s",
		       buf_text(&text));
	buf_fini(&text);
}

/* ---- edges ---- */

static void
add(int **list, size_t *count, int index)
{
	for (size_t i = 0; i < *count; i++)
		if ((*list)[i] == index)
			return;
	*list = xrealloc(*list, *count + 1, sizeof **list);
	(*list)[(*count)++] = index;
}

static void
add_choice(struct step_def *step, int target)
{
	if (target >= 0)
		add(&step->choices, &step->choices_count, target);
}

static void
note_edges(const struct check *check, struct step_def *step)
{
	struct step_def *steps = check->workflow->steps;

	for (size_t i = 0; i < step->needs_count; i++) {
		struct step_def *need = &steps[step->needs[i]];

		add(&need->followers, &need->followers_count, step->index);
	}
	if (!check->workflow->graph || step->owner != NO_STEP)
		return; /* it goes on from one step to the next */
	for (size_t i = 0; i < step->branches_count; i++)
		add_choice(step, step->branches[i].target);
	add_choice(step, step->on_success);
	add_choice(step, step->on_failure);
	for (size_t i = 0; i < step->choices_count; i++)
		steps[step->choices[i]].sources++;
}

/* ---- cycles (graph style: needs and choices alike) ---- */

enum { UNSEEN, ON_PATH, SEEN };

struct walk {
	const struct check *check;
	char *marks;
	int *path; /* the steps from the first to this one */
	size_t depth;
};

static void
tell_cycle(const struct walk *walk, int index)
{
	const struct step_def *steps = walk->check->workflow->steps;
	struct buf text = { 0 };
	size_t at = 0;

	while (walk->path[at] != index)
		at++;
	for (; at < walk->depth; at++)
		buf_printf(&text, "%s -> ", steps[walk->path[at]].id);
	problem_at(walk->check, &steps[index], "needs", "a cycle: %s%s",
		   buf_text(&text), steps[index].id);
	buf_fini(&text);
}

static void visit(struct walk *walk, int index);

static void
visit_all(struct walk *walk, const int *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		visit(walk, list[i]);
}

static void
visit(struct walk *walk, int index)
{
	const struct step_def *step = &walk->check->workflow->steps[index];

	if (walk->marks[index] == ON_PATH)
		tell_cycle(walk, index);
	if (walk->marks[index] != UNSEEN)
		return;
	walk->marks[index] = ON_PATH;
	walk->path[walk->depth++] = index;
	visit_all(walk, step->followers, step->followers_count);
	visit_all(walk, step->choices, step->choices_count);
	walk->depth--;
	walk->marks[index] = SEEN;
}

static void
check_cycles(const struct check *check)
{
	size_t count = check->workflow->steps_count;
	struct walk walk = { .check = check };

	walk.marks = xcalloc(count, 1);
	walk.path = xcalloc(count, sizeof *walk.path);
	for (size_t i = 0; i < count; i++)
		if (check->workflow->steps[i].owner == NO_STEP)
			visit(&walk, (int)i);
	free(walk.marks);
	free(walk.path);
}

/* ---- what goes together ---- */

static void
check_target(const struct check *check, const struct step_def *step, const char *key,
	     int target)
{
	const struct step_def *to;

	if (target < 0)
		return;
	to = &check->workflow->steps[target];
	if (to->owner != step->owner)
		problem_at(check, step, key,
			   "\"%s\" is in another block: a step leads to steps of its "
			   "own block, or to end",
			   to->id);
	else if (check->workflow->graph && to->needs_count > 0)
		problem_at(check, step, key,
			   "\"%s\" has needs: a step that is chosen has none, it runs "
			   "when it is chosen",
			   to->id);
}

static void
check_targets(const struct check *check, const struct step_def *step)
{
	for (size_t i = 0; i < step->branches_count; i++)
		check_target(check, step, "branches", step->branches[i].target);
	check_target(check, step, "onSuccess", step->on_success);
	check_target(check, step, "onFailure", step->on_failure);
}

/* A block runs as a whole, one step after the other. */
static void
check_needs(const struct check *check, const struct step_def *step)
{
	const struct step_def *steps = check->workflow->steps;

	if (step->owner != NO_STEP && step->needs_count > 0)
		problem_at(check, step, "needs",
			   "a step of the block of \"%s\" has no needs: its steps run "
			   "one after the other",
			   steps[step->owner].id);
	for (size_t i = 0; i < step->needs_count; i++)
		if (steps[step->needs[i]].owner != NO_STEP)
			problem_at(check, step, "needs",
				   "\"%s\" is in the block of \"%s\"; name that one",
				   steps[step->needs[i]].id,
				   steps[steps[step->needs[i]].owner].id);
}

static void
check_repeats(const struct check *check, const struct step_def *step)
{
	if (step->foreach != NULL && step->repeat_until != NULL)
		problem_at(check, step, "repeatUntil",
			   "\"foreach\" and \"repeatUntil\" exclude each other; put "
			   "one of them into a workflow of its own");
	if (!action_fields[step->action].flow)
		return;
	if (step->foreach != NULL || step->repeat_until != NULL)
		problem_at(check, step, step->foreach ? "foreach" : "repeatUntil",
			   "a step with a block cannot be repeated; put the block into "
			   "a workflow of its own");
	if (step->action == ACTION_LOOP && step->condition == NULL &&
	    step->max_iterations == 0)
		problem_at(check, step, "action",
			   "a loop has a condition, or maxIterations, or both");
}

void
graph_check(struct reader *reader, const struct place *list)
{
	struct workflow *workflow = reader->workflow;
	struct check check = { reader, workflow, list };

	workflow->no_foreach = true;
	for (size_t i = 0; i < workflow->steps_count; i++)
		note_edges(&check, &workflow->steps[i]);
	for (size_t i = 0; i < workflow->steps_count; i++) {
		const struct step_def *step = &workflow->steps[i];

		if (step->action == ACTION_KINDS)
			continue;
		check_targets(&check, step);
		check_needs(&check, step);
		check_repeats(&check, step);
		workflow->no_foreach = workflow->no_foreach && step->foreach == NULL;
	}
	if (workflow->graph)
		check_cycles(&check);
}
