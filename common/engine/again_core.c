/* What is kept of a run, and where it begins. See again_core.h. */
#include "engine/again_core.h"

#include <stdlib.h>

#include "base/xalloc.h"

#define CHOSEN (-1) /* the needs of a step that a branch has led to */

void
again_fini(struct again *again)
{
	free(again->kept);
	free(again->first);
	*again = (struct again){ 0 };
}

static bool
is_top(const struct old_row *row)
{
	return row->parent == 0 || row->parent == END_NUMBER;
}

static void
keep(struct again *again, const struct old_row *row)
{
	if (step_is_over(row->status))
		again->kept[again->kept_count++] = row->number;
}

/* ---- sequence ---- */

static void
plan_sequence(const struct old_row *rows, size_t count, struct again *again)
{
	const struct old_row *last = &rows[0];

	for (size_t i = 0; i < count; i++)
		if (is_top(&rows[i]))
			last = &rows[i];
	for (size_t i = 0; i < count; i++)
		if (rows[i].number < last->number)
			keep(again, &rows[i]);
	again->first = xcalloc(1, sizeof *again->first);
	again->first[0] =
	    (struct first_step){ .index = last->index, .number = last->number };
	again->first_count = 1;
}

/* ---- program ---- */

/* All of them: what did not succeed is copied as not begun (sql/steps_copy.sql), so
 * that the program finds in its record that it asked for it. */
static void
plan_program(const struct workflow *workflow, const struct old_row *rows, size_t count,
	     struct again *again)
{
	for (size_t i = 0; i < count; i++)
		again->kept[again->kept_count++] = rows[i].number;
	again->first = advance_start(workflow, &again->first_count);
}

/* ---- graph ---- */

struct planning {
	const struct workflow *workflow;
	const struct old_row **of_step; /* the row of each step at the top, or NULL */
	bool *kept;
};

static enum step_status
status_of(const struct planning *planning, int index)
{
	const struct old_row *row = planning->of_step[index];

	return row != NULL ? row->status : STEP_PENDING;
}

/* It failed, and what was to act on it did. */
static bool
was_acted_on(const struct planning *planning, const struct step_def *step)
{
	if (step->continue_on_error)
		return true;
	for (size_t i = 0; i < step->choices_count; i++) {
		enum step_status status = status_of(planning, step->choices[i]);

		if (status == STEP_COMPLETED || status == STEP_FAILED)
			return true;
	}
	return false;
}

static bool
may_be_kept(const struct planning *planning, const struct step_def *step)
{
	enum step_status status = status_of(planning, step->index);

	return status == STEP_COMPLETED || status == STEP_SKIPPED ||
	       (status == STEP_FAILED && was_acted_on(planning, step));
}

/* What follows a step that runs again may turn out otherwise. True: one more fell. */
static bool
drop_followers(const struct planning *planning, const struct step_def *step)
{
	bool dropped = false;

	for (size_t i = 0; i < step->followers_count; i++) {
		dropped |= planning->kept[step->followers[i]];
		planning->kept[step->followers[i]] = false;
	}
	for (size_t i = 0; i < step->choices_count; i++) {
		dropped |= planning->kept[step->choices[i]];
		planning->kept[step->choices[i]] = false;
	}
	return dropped;
}

static void
choose_kept(const struct planning *planning)
{
	const struct workflow *workflow = planning->workflow;
	bool dropped = true;

	for (size_t i = 0; i < workflow->steps_count; i++)
		planning->kept[i] = may_be_kept(planning, &workflow->steps[i]);
	while (dropped) {
		dropped = false;
		for (size_t i = 0; i < workflow->steps_count; i++)
			if (!planning->kept[i])
				dropped |=
				    drop_followers(planning, &workflow->steps[i]);
	}
}

static int
sources_left(const struct planning *planning, const struct step_def *step)
{
	const struct workflow *workflow = planning->workflow;
	int left = 0;

	for (size_t i = 0; i < workflow->steps_count; i++)
		for (size_t j = 0; j < workflow->steps[i].choices_count; j++)
			left += workflow->steps[i].choices[j] == step->index &&
				!planning->kept[i];
	return left;
}

static int
needs_left(const struct planning *planning, const struct step_def *step)
{
	int left = sources_left(planning, step);

	if (step->sources > 0 && left == 0)
		return CHOSEN;
	for (size_t i = 0; i < step->needs_count; i++)
		left += !planning->kept[step->needs[i]];
	return left;
}

static void
begin_graph(const struct planning *planning, struct again *again)
{
	const struct workflow *workflow = planning->workflow;
	size_t n = 0;

	again->first = xcalloc(workflow->steps_count + 1, sizeof *again->first);
	for (size_t i = 0; i < workflow->steps_count; i++) {
		const struct step_def *step = &workflow->steps[i];

		if (step->owner == NO_STEP && !planning->kept[i])
			again->first[n++] = (struct first_step){
				.index = step->index,
				.number = step->index + 1,
				.needs = needs_left(planning, step),
				.parent = END_NUMBER,
			};
	}
	again->first[n] = (struct first_step){ .index = END_INDEX,
					       .number = END_NUMBER,
					       .needs = (int)n };
	again->first_count = n + 1;
}

/* The row at the top that a row belongs to; rows come after those that wait for them.
 */
static const struct old_row *
top_of(const struct old_row *rows, size_t at)
{
	const struct old_row *row = &rows[at];

	while (!is_top(row) && at > 0)
		if (rows[--at].number == row->parent)
			row = &rows[at];
	return row;
}

static void
plan_graph(const struct workflow *workflow, const struct old_row *rows, size_t count,
	   struct again *again)
{
	struct planning planning = { .workflow = workflow };

	planning.of_step = xcalloc(workflow->steps_count, sizeof *planning.of_step);
	planning.kept = xcalloc(workflow->steps_count, sizeof *planning.kept);
	/* Of a step that was repeated the last row is how it ended. */
	for (size_t i = 0; i < count; i++)
		if (is_top(&rows[i]))
			planning.of_step[rows[i].index] = &rows[i];
	choose_kept(&planning);
	for (size_t i = 0; i < count; i++)
		if (planning.kept[top_of(rows, i)->index])
			keep(again, &rows[i]);
	begin_graph(&planning, again);
	free(planning.of_step);
	free(planning.kept);
}

void
again_plan(const struct workflow *workflow, const struct old_row *rows, size_t count,
	   struct again *again)
{
	*again = (struct again){ .kept = xcalloc(count, sizeof *again->kept) };
	if (workflow->program != NULL)
		plan_program(workflow, rows, count, again);
	else if (workflow->graph)
		plan_graph(workflow, rows, count, again);
	else
		plan_sequence(rows, count, again);
}
