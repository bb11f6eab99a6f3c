/* A run that is run again. See run_again.h; what is kept of it: engine/again_core.h. */
#include "front/run_again.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "conf/yaml.h"
#include "engine/again_core.h"

static struct workflow *
read_source(const struct again_row *row)
{
	struct problems problems = { 0 };
	struct doc *doc = yaml_parse(row->source, row->source_len, &problems);
	struct workflow *workflow = NULL;

	if (doc != NULL)
		workflow = workflow_read(doc, &problems);
	problems_fini(&problems);
	doc_free(&doc);
	return workflow;
}

/* [[number, key, status, parent, is item], ...] */
static struct old_row *
old_rows(const struct workflow *workflow, const struct json *list, size_t *count)
{
	struct old_row *rows = xcalloc(json_count(list) + 1, sizeof *rows);
	size_t n = 0;

	for (size_t i = 0; i < json_count(list); i++) {
		const struct json *row = json_at(list, i);
		int index = workflow_step_index(workflow, json_str(json_at(row, 1)));

		if (index >= 0 || workflow->program != NULL)
			rows[n++] = (struct old_row){
				.number = (int)json_int(json_at(row, 0)),
				.index = index,
				.status = (enum step_status)json_int(json_at(row, 2)),
				.parent = (int)json_int(json_at(row, 3)),
			};
	}
	*count = n;
	return rows;
}

/* What the new run begins with: all of it, or what is left of the old one. */
static struct new_step *
steps_again(const struct run_again *call, const struct workflow *workflow,
	    const struct again_row *row, struct again *again, size_t *count)
{
	struct old_row *rows;
	struct new_step *steps;
	size_t rows_count;

	*again = (struct again){ 0 };
	rows = old_rows(workflow, row->rows, &rows_count);
	if ((call->from_failure || row->is_test) && rows_count > 0)
		again_plan(workflow, rows, rows_count, again);
	else
		again->first = advance_start(workflow, &again->first_count);
	free(rows);
	steps = new_steps_from(workflow, again->first, again->first_count);
	*count = again->first_count;
	return steps;
}

static void
tell(struct run_again *call, enum again_outcome outcome, enum run_status status,
     const struct err *err)
{
	struct again_result result = { outcome, call->run, status, err };

	call->done(call->context, &result);
}

static void
on_stored(void *context, const struct err *err)
{
	tell(context, err->kind == ERR_NONE ? AGAIN_STORED : AGAIN_FAILED, RUN_RUNNING,
	     err);
}

static void
tell_ready(const struct run_again *call, const struct new_run *run)
{
	for (size_t i = 0; i < run->steps_count; i++) {
		struct step_ref ref = { run->id, run->steps[i].number };

		if (run->steps[i].needs <= 0)
			change_tell_ready(call->change, run->steps[i].queue,
					  run->priority, &ref);
	}
}

static void
store(struct run_again *call, const struct again_row *row,
      const struct workflow *workflow)
{
	struct uuid old = call->run;
	struct new_run run = {
		.id = uuid7_new(call->now),
		.definition = row->definition,
		.workflow_name = workflow->name,
		.project = &row->project,
		.input = row->input,
		.trigger = row->trigger,
		.priority = row->priority,
		.triggered_by = row->is_test ? "test" : "retry",
		.requested_by = call->by,
		.tools = call->tools,
		.timeout = workflow->timeout,
		.crash_on_interrupt = workflow->crash_on_interrupt,
		.retry_of = &old,
	};
	struct again again;
	struct new_step *steps =
	    steps_again(call, workflow, row, &again, &run.steps_count);

	run.steps = steps;
	call->run = run.id;
	again_store(change_pg(call->change), &run, again.kept, again.kept_count,
		    on_stored, call);
	tell_ready(call, &run);
	again_fini(&again);
	free(steps);
}

static void
on_loaded(void *context, const struct again_row *row, const struct err *err)
{
	struct run_again *call = context;
	struct workflow *workflow = row != NULL ? read_source(row) : NULL;

	if (err->kind != ERR_NONE)
		tell(call, AGAIN_FAILED, RUN_RUNNING, err);
	else if (row == NULL)
		tell(call, AGAIN_NO_RUN, RUN_RUNNING, err);
	else if (workflow == NULL)
		tell(call, AGAIN_NO_DEFINITION, row->status, err);
	else if (!run_is_over(row->status) ||
		 (call->from_failure && row->status == RUN_COMPLETED))
		tell(call, AGAIN_NOT_NOW, row->status, err);
	else
		store(call, row, workflow);
	workflow_free(&workflow);
}

void
run_again_begin(struct run_again *again)
{
	again_load(change_pg(again->change), &again->run, on_loaded, again);
}
