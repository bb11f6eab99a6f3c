/* From a step that ended to all that waited for it. See graph_core.h. */
#include "engine/graph_core.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define NOT_CHOSEN  "not_chosen"
#define NEED_FAILED "need_failed"
#define NEED_OUTPUT "need_skipped"
#define CUT_SHORT   "cancelled" /* as sql/steps_close.sql writes it */

static int
number_of(int index)
{
	return index + 1;
}

static bool
is_row(const struct step_def *step)
{
	return step->owner == NO_STEP;
}

struct first_step *
graph_start(const struct workflow *workflow, size_t *count)
{
	struct first_step *list = xcalloc(workflow->steps_count + 1, sizeof *list);
	size_t n = 0;

	for (size_t i = 0; i < workflow->steps_count; i++) {
		const struct step_def *step = &workflow->steps[i];

		if (is_row(step))
			list[n++] = (struct first_step){
				.index = step->index,
				.number = number_of(step->index),
				.needs = (int)step->needs_count + step->sources,
				.parent = END_NUMBER,
			};
	}
	list[n] = (struct first_step){ .index = END_INDEX,
				       .number = END_NUMBER,
				       .needs = (int)n };
	*count = n + 1;
	return list;
}

/* ---- after a step ---- */

static void
meet(struct verdict *verdict, const int *list, size_t count, int but)
{
	verdict->met = xrealloc(verdict->met, verdict->met_count + count + 1,
				sizeof *verdict->met);
	for (size_t i = 0; i < count; i++)
		if (list[i] != but)
			verdict->met[verdict->met_count++] = number_of(list[i]);
}

static void
meet_all(struct advance *advance, int chosen)
{
	const struct step_def *step = advance->step;
	struct verdict *verdict = advance->verdict;

	meet(verdict, step->followers, step->followers_count, TARGET_NONE);
	meet(verdict, step->choices, step->choices_count, chosen);
	verdict->joins = END_NUMBER;
}

/* What had not started of its block was cancelled with the rest of the graph: why the
 * run ends is known already. */
static bool
was_cut_short(const struct advance *advance)
{
	const char *code = json_str(json_get(advance->verdict->error, "code"));

	return advance->held->phase == PHASE_CHILDREN && code != NULL &&
	       strcmp(code, CUT_SHORT) == 0;
}

void
graph_leave(struct advance *advance, int target)
{
	const struct step_def *step = advance->step;
	struct verdict *verdict = advance->verdict;
	bool failed = verdict->status == STEP_FAILED;

	if (target == TARGET_NONE)
		target = failed ? step->on_failure : step->on_success;
	if (target >= 0)
		verdict->chosen = number_of(target);
	else if (target == TARGET_END)
		verdict->closing = CLOSING_END;
	else if (failed && !step->continue_on_error && !was_cut_short(advance))
		verdict->closing = CLOSING_FAILED;
	meet_all(advance, target);
}

void
graph_skip(struct advance *advance)
{
	meet_all(advance, TARGET_NONE);
}

/* ---- before a step ---- */

static bool
has_code(const struct visit *visit, const char *code)
{
	const char *text = json_str(json_get(visit->error, "code"));

	return visit->status == STEP_SKIPPED && text != NULL && strcmp(text, code) == 0;
}

/* It failed and somebody acts on it, or it could not run for such a reason itself. */
static bool
is_broken(const struct run *run, int index)
{
	const struct visit *visit = &run->visits[index];

	return has_code(visit, NEED_FAILED) || visit->status == STEP_CANCELLED ||
	       (visit->status == STEP_FAILED &&
		!run->workflow->steps[index].continue_on_error);
}

static struct json *
because(const char *code, const struct run *run, int index, const char *what)
{
	char *text = xprintf("step \"%s\" %s", run->workflow->steps[index].id, what);
	struct json *error = step_error(code, text);

	free(text);
	return error;
}

static struct json *
hindered_by_needs(const struct run *run, const struct step_def *step)
{
	size_t left_out = 0;

	for (size_t i = 0; i < step->needs_count; i++) {
		if (is_broken(run, step->needs[i]))
			return because(NEED_FAILED, run, step->needs[i],
				       "did not complete");
		left_out += has_code(&run->visits[step->needs[i]], NOT_CHOSEN);
	}
	if (step->needs_count > 0 && left_out == step->needs_count)
		return because(NOT_CHOSEN, run, step->needs[0], "was not chosen");
	return NULL;
}

static struct json *
hindered_by_outputs(const struct run *run, const struct step_def *step)
{
	for (size_t i = 0; i < step->output_of_count; i++)
		if (run->visits[step->output_of[i]].status == STEP_SKIPPED)
			return because(NEED_OUTPUT, run, step->output_of[i],
				       "was skipped, and its output is read here");
	return NULL;
}

struct json *
graph_hindrance(const struct run *run, const struct step_def *step, bool chosen)
{
	struct json *error;

	if (step->sources > 0 && !chosen)
		return step_error(NOT_CHOSEN, "no branch led here");
	error = hindered_by_needs(run, step);
	return error != NULL ? error : hindered_by_outputs(run, step);
}

/* ---- the end ---- */

/* Unless it fails it may be what the run ends with: onFailure leads on for that only.
 */
static bool
leads_on(const struct step_def *step)
{
	bool leads = step->followers_count > 0 || step->on_success >= 0;

	for (size_t i = 0; i < step->branches_count && !leads; i++)
		leads = step->branches[i].target >= 0;
	return leads;
}

bool
graph_is_end(const struct workflow *workflow, const struct step_def *step)
{
	return workflow->graph && is_row(step) && !leads_on(step);
}

struct json *
graph_output(const struct run *run)
{
	const struct workflow *workflow = run->workflow;
	const struct visit *last = NULL;
	struct json *map = json_new_object(), *output;
	size_t ends = 0;

	for (size_t i = 0; i < workflow->steps_count; i++) {
		if (!graph_is_end(workflow, &workflow->steps[i]))
			continue;
		ends++;
		last = &run->visits[i];
		if (last->status == STEP_COMPLETED)
			json_set(map, workflow->steps[i].id, json_ref(last->output));
	}
	if (ends != 1)
		return map;
	output = json_ref(last->output);
	json_unref(&map);
	return output;
}
