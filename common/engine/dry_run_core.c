/* From the first step to the last. See dry_run_core.h. */
#include "engine/dry_run_core.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "engine/dry_step_core.h"
#include "engine/graph_core.h"

/* ---- the run ---- */

static struct cel *
constant(const char *text)
{
	struct err err = { 0 };
	struct cel *cel = cel_compile(text, strlen(text), NULL, &err);

	if (cel == NULL)
		bug("%s is no expression: %s", text, err.text);
	return cel;
}

struct dry_run {
	struct dry dry;
	struct json *outputs; /* owned */
	struct json *answer;  /* owned */
	bool over, truncated;
};

struct dry_run *
dry_run_new(const struct workflow *workflow, struct json *input, struct json *outputs)
{
	struct dry_run *run = xcalloc(1, sizeof *run);
	struct dry *dry = &run->dry;
	size_t count = workflow->steps_count;

	run->outputs = json_ref(outputs);
	run->answer = json_new_object();
	*dry = (struct dry){ .workflow = workflow,
			     .view = *workflow,
			     .known = xcalloc(count, sizeof *dry->known),
			     .outputs = run->outputs,
			     .yes = constant("true"),
			     .no = constant("false"),
			     .steps = json_new_array(),
			     .left = DRY_BYTES_MAX,
			     .certain = true };
	dry->view.steps = xmemdup(workflow->steps, count * sizeof *workflow->steps);
	run_init(&dry->run, &dry->view);
	dry->run.input = json_ref(input);
	dry_rows_start(&dry->rows, workflow);
	return run;
}

void
dry_run_free(struct dry_run **run_p)
{
	struct dry_run *run = *run_p;

	if (run == NULL)
		return;
	*run_p = NULL;
	dry_rows_fini(&run->dry.rows);
	run_fini(&run->dry.run);
	free(run->dry.view.steps);
	free(run->dry.known);
	cel_free(&run->dry.yes);
	cel_free(&run->dry.no);
	json_unref(&run->dry.steps);
	json_unref(&run->outputs);
	json_unref(&run->answer);
	free(run);
}

/* ---- what is told of all of it ---- */

static void
put_ids(const struct dry *dry, struct json *answer)
{
	const struct workflow *workflow = dry->workflow;
	struct json *ids = json_new_array();
	bool *seen = xcalloc(workflow->steps_count, sizeof *seen);

	for (size_t i = 0; i < dry->rows.count; i++)
		if (dry->rows.list[i]->entry != NULL)
			seen[dry->rows.list[i]->index] = true;
	for (size_t i = 0; i < workflow->steps_count; i++)
		if (!seen[i])
			json_append(ids, json_new_str(workflow->steps[i].id));
	json_set(answer, "notReached", ids);
	free(seen);
}

/* Takes output. */
static void
put_output(struct json *answer, struct json *output, struct json *unresolved)
{
	if (json_count(unresolved) > 0)
		json_set(answer, "outputUnresolved", json_ref(unresolved));
	json_set(answer, "output", output);
}

/* The workflow's `output`, as far as it is known. */
static void
put_own_output(struct dry *dry, struct json *answer, const struct verdict *verdict)
{
	struct json *unresolved = json_new_array(), *output = NULL;
	struct run_scope scope;
	struct dry_scope known;
	struct err err = { 0 };

	if (dry_knows_output(dry, unresolved)) {
		output = json_ref(verdict->run_output);
	} else {
		dry_run_scope(dry, &scope, &known);
		if (dry_resolve(&known, json_get(dry->workflow->config, "output"),
				&output, unresolved, &err) < 0)
			json_set(answer, "outputError", json_new_str(err.text));
		run_scope_fini(&scope);
	}
	put_output(answer, output, unresolved);
	json_unref(&unresolved);
}

static void
miss_output(const struct dry *dry, int index, struct json *unresolved)
{
	char *name;

	if (dry->known[index] == KNOWN)
		return;
	name = xprintf("steps.%s.output", dry->workflow->steps[index].id);
	json_append(unresolved, json_new_str(name));
	free(name);
}

/* That of the step that ended last (row), or of the ends of a graph. */
static void
put_last_output(const struct dry *dry, struct json *answer,
		const struct verdict *verdict, const struct dry_row *row)
{
	struct json *unresolved = json_new_array();

	for (size_t i = 0; i < dry->workflow->steps_count; i++)
		if (row->index == END_INDEX
			? graph_is_end(dry->workflow, &dry->workflow->steps[i])
			: row->index == (int)i)
			miss_output(dry, (int)i, unresolved);
	put_output(answer,
		   json_count(unresolved) > 0 ? NULL : json_ref(verdict->run_output),
		   unresolved);
	json_unref(&unresolved);
}

static void
put_end(struct dry *dry, struct json *answer, const struct verdict *verdict,
	const struct dry_row *row)
{
	json_set(answer, "ends", json_new_str(run_status_name(verdict->run_status)));
	if (verdict->run_error != NULL)
		json_set(answer, "error", json_ref(verdict->run_error));
	else if (dry->workflow->output != NULL)
		put_own_output(dry, answer, verdict);
	else
		put_last_output(dry, answer, verdict, row);
}

/* ---- all of it ---- */

bool
dry_run_walk(struct dry_run *run)
{
	struct dry *dry = &run->dry;
	struct dry_row *row = dry_rows_ready(&dry->rows);
	struct verdict verdict;

	if (run->over || run->truncated || row == NULL)
		return false;
	if (json_count(dry->steps) >= DRY_STEPS_MAX ||
	    dry_step(dry, row, &verdict) < 0) {
		run->truncated = true;
		return false;
	}
	run->over = verdict.run_status != RUN_RUNNING;
	if (run->over)
		put_end(dry, run->answer, &verdict, row);
	verdict_fini(&verdict);
	return !run->over;
}

struct json *
dry_run_answer(struct dry_run *run)
{
	const struct workflow *workflow = run->dry.workflow;
	struct json *answer = run->answer;

	json_set(answer, "workflow", json_new_str(workflow->name));
	json_set(answer, "style", json_new_str(workflow->graph ? "graph" : "sequence"));
	json_set(answer, "steps", json_ref(run->dry.steps));
	json_set(answer, "certain", json_new_bool(run->dry.certain && !run->truncated));
	json_set(answer, "truncated", json_new_bool(run->truncated));
	put_ids(&run->dry, answer);
	return json_ref(answer);
}
