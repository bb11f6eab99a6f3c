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

static void
begin(struct dry *dry, const struct workflow *workflow, struct json *input,
      const struct json *outputs)
{
	size_t count = workflow->steps_count;

	*dry = (struct dry){ .workflow = workflow,
			     .view = *workflow,
			     .known = xcalloc(count, sizeof *dry->known),
			     .outputs = outputs,
			     .yes = constant("true"),
			     .no = constant("false"),
			     .steps = json_new_array(),
			     .left = DRY_BYTES_MAX,
			     .certain = true };
	dry->view.steps = xmemdup(workflow->steps, count * sizeof *workflow->steps);
	run_init(&dry->run, &dry->view);
	dry->run.input = json_ref(input);
	dry_rows_start(&dry->rows, workflow);
}

static void
end(struct dry *dry)
{
	dry_rows_fini(&dry->rows);
	run_fini(&dry->run);
	free(dry->view.steps);
	free(dry->known);
	cel_free(&dry->yes);
	cel_free(&dry->no);
	json_unref(&dry->steps);
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

/* True: the run is at its end. False: *truncated, or nothing is left to do. */
static bool
walk(struct dry *dry, struct json *answer, bool *truncated)
{
	struct dry_row *row;
	bool over = false;

	*truncated = false;
	while (!over && (row = dry_rows_ready(&dry->rows)) != NULL) {
		struct verdict verdict;

		if (json_count(dry->steps) >= DRY_STEPS_MAX ||
		    dry_step(dry, row, &verdict) < 0) {
			*truncated = true;
			return false;
		}
		over = verdict.run_status != RUN_RUNNING;
		if (over)
			put_end(dry, answer, &verdict, row);
		verdict_fini(&verdict);
	}
	return over;
}

struct json *
dry_run(const struct workflow *workflow, struct json *input, const struct json *outputs)
{
	struct json *answer = json_new_object();
	bool truncated;
	struct dry dry;

	begin(&dry, workflow, input, outputs);
	json_set(answer, "workflow", json_new_str(workflow->name));
	json_set(answer, "style", json_new_str(workflow->graph ? "graph" : "sequence"));
	json_set(answer, "steps", json_ref(dry.steps));
	walk(&dry, answer, &truncated);
	json_set(answer, "certain", json_new_bool(dry.certain && !truncated));
	json_set(answer, "truncated", json_new_bool(truncated));
	put_ids(&dry, answer);
	end(&dry);
	return answer;
}
