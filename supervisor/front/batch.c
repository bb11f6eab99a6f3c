/*
 * Many runs at once. See batch.h.
 *
 *	finding the workflow -> checking inputs -> storing chunks -> done
 */
#include "front/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/point.h"
#include "base/xalloc.h"
#include "front/batch_bells.h"

/* What is done in a turn, so that others are served meanwhile: inputs checked, runs or
 * rows of first steps stored; and bytes of inputs, of either. */
#define CHECK_TURN 250
#define CHUNK_RUNS 500
#define CHUNK_ROWS 2000
#define TURN_BYTES (128 * 1024)

struct batch {
	struct front *front;
	struct change *change;
	struct batch_call call;
	struct workflow *workflow; /* holds it */
	struct uuid project;       /* nil: everybody's */
	struct new_step *steps;
	size_t steps_count;
	struct timer *turn;
	size_t at;     /* the next input */
	struct pg *pg; /* the change's, once it is stored there; NULL: not yet */
	struct problems problems;
	struct uuid *ids;
	struct batch_bells *bells;
	batch_fn *done;
	void *context;
};

/* ---- life and answers ---- */

void
batch_free(struct batch **batch_p)
{
	struct batch *batch = *batch_p;

	if (batch == NULL)
		return;
	*batch_p = NULL;
	catalog_forget(batch->front->catalog, batch);
	if (batch->pg != NULL)
		pg_forget(batch->pg, batch);
	timer_free(&batch->turn);
	workflow_free(&batch->workflow);
	problems_fini(&batch->problems);
	batch_bells_free(&batch->bells);
	free(batch->steps);
	free(batch->ids);
	free(batch);
}

static void
end(struct batch *batch, int status, const char *text, const struct err *err)
{
	struct batch_result result = {
		.status = status,
		.text = text,
		.problems = batch->problems.count > 0 ? &batch->problems : NULL,
		.err = err,
		.workflow_name = batch->workflow ? batch->workflow->name : NULL,
		.ids = batch->ids,
		.count = batch->call.count,
	};

	batch->done(batch->context, &result);
}

/* ---- one input ---- */

/* As it is stored. The caller's; NULL: it is no JSON. */
static struct json *
parse(const struct batch *batch, size_t index, struct err *err)
{
	const struct input_place *place = &batch->call.inputs[index];
	struct json *sent = NULL, *input;

	if (json_parse(batch->call.body + place->at, place->len, &sent, err) < 0)
		return NULL;
	input = start_input(sent);
	json_unref(&sent);
	return input;
}

/* "input.name" of one is "inputs[17].name" here. */
static void
add_problems(struct batch *batch, size_t index, const struct problems *found)
{
	static const char own[] = "input";

	for (size_t i = 0; i < found->count; i++) {
		const char *path = found->list[i].path;
		char *text;

		if (batch->problems.count == BATCH_ERRORS_MAX)
			return;
		path += strncmp(path, own, strlen(own)) == 0 ? strlen(own) : 0;
		text = xprintf("inputs[%zu]%s", index, path);
		problems_add_at(&batch->problems, 0, 0, text, "%s",
				found->list[i].message);
		free(text);
	}
}

static void
add_problem(struct batch *batch, size_t index, const char *why)
{
	char *path = xprintf("inputs[%zu]", index);

	problems_add_at(&batch->problems, 0, 0, path, "%s", why);
	free(path);
}

static void
check_one(struct batch *batch, size_t index)
{
	struct problems found = { 0 };
	struct err err = { 0 };
	struct json *input = parse(batch, index, &err);
	char *key = NULL;

	if (input == NULL) {
		add_problem(batch, index, err.text);
		return;
	}
	if (workflow_check_input(batch->workflow, input, &found))
		key = workflow_concurrency_key(batch->workflow, input, NULL, &err);
	else
		add_problems(batch, index, &found);
	if (err.kind != ERR_NONE)
		add_problem(batch, index, err.text);
	free(key);
	problems_fini(&found);
	json_unref(&input);
}

/* ---- storing ---- */

static void store(struct batch *batch);

static void
ready(struct batch *batch)
{
	batch_bells_hang(&batch->bells, batch->change);
	end(batch, 202, NULL, NULL);
}

static void
on_stored(void *context, const struct err *err)
{
	struct batch *batch = context;

	POINT("batch.chunk_stored");
	if (err->kind == ERR_INPUT && batch->call.starter.project != NULL)
		end(batch, 404, "there is no such project", NULL);
	else if (err->kind != ERR_NONE)
		end(batch, 0, NULL, err);
	else if (batch->at == batch->call.count)
		ready(batch);
	else
		store(batch);
}

/* How many from here make a chunk. */
static size_t
chunk(const struct batch *batch)
{
	size_t most = CHUNK_ROWS / batch->steps_count, count = 0, bytes = 0;
	size_t left = batch->call.count - batch->at;

	most = most > CHUNK_RUNS ? CHUNK_RUNS : most;
	do
		bytes += batch->call.inputs[batch->at + count++].len;
	while (count < most && count < left && bytes < TURN_BYTES);
	return count;
}

static void
make_run(struct batch *batch, size_t index, struct new_run *run)
{
	struct err err = { 0 };
	struct json *input = parse(batch, index, &err);
	char *key = workflow_concurrency_key(batch->workflow, input, NULL, &err);

	if (err.kind != ERR_NONE)
		bug("an input of a batch that was good is not any more");
	*run =
	    start_run(&batch->call.starter, input, key, loop_now(batch->front->loop));
	run->steps = batch->steps;
	run->steps_count = batch->steps_count;
	batch->ids[index] = run->id;
	batch_bells_add(batch->bells, &run->id, key);
}

static void
store(struct batch *batch)
{
	size_t count = chunk(batch);
	struct new_run *runs = xcalloc(count, sizeof *runs);

	for (size_t i = 0; i < count; i++)
		make_run(batch, batch->at + i, &runs[i]);
	batch->at += count;
	runs_insert(batch->pg, runs, count, on_stored, batch);
	for (size_t i = 0; i < count; i++) {
		json_unref(&runs[i].input);
		free((char *)runs[i].concurrency_key);
	}
	free(runs);
}

static void
begin_storing(struct batch *batch)
{
	const struct starter *starter = &batch->call.starter;

	batch->pg = change_pg(batch->change);
	batch->at = 0;
	batch->ids = xcalloc(batch->call.count, sizeof *batch->ids);
	batch->bells = batch_bells_new(
	    starter->has_priority ? starter->priority : batch->workflow->priority,
	    batch->steps, batch->steps_count, batch->call.count);
	store(batch);
}

/* ---- checking ---- */

static void
check(struct batch *batch)
{
	size_t bytes = 0, checked = 0;

	while (batch->at < batch->call.count && checked++ < CHECK_TURN &&
	       bytes < TURN_BYTES && batch->problems.count < BATCH_ERRORS_MAX) {
		bytes += batch->call.inputs[batch->at].len;
		check_one(batch, batch->at++);
	}
	if (batch->at < batch->call.count && batch->problems.count < BATCH_ERRORS_MAX)
		timer_set(batch->turn, 0);
	else if (batch->problems.count > 0)
		end(batch, 422,
		    "not every input fits the workflow; nothing was started", NULL);
	else
		begin_storing(batch);
}

/* ---- the workflow ---- */

static void
take_workflow(struct batch *batch, const struct catalog_entry *entry)
{
	struct starter *starter = &batch->call.starter;

	batch->workflow = workflow_ref(entry->workflow);
	starter->workflow = batch->workflow;
	starter->definition = entry->definition;
	if (starter->project == NULL && entry->has_project) {
		batch->project = entry->project;
		starter->project = &batch->project;
	}
	batch->steps = new_steps_of(batch->workflow, &batch->steps_count);
}

static void
on_workflow(void *context, const struct catalog_entry *entry, const struct err *err)
{
	struct batch *batch = context;
	char *why = NULL;
	int status;

	if (entry == NULL) {
		end(batch, 0, NULL, err);
		return;
	}
	status = start_refuses(entry, batch->call.confined, &why);
	if (status == 0) {
		take_workflow(batch, entry);
		if (batch->steps_count * batch->call.count > BATCH_ROWS_MAX) {
			status = 413;
			why = xprintf("%zu runs that begin with %zu steps each are too "
				      "many for one call, at most %d steps are not",
				      batch->call.count, batch->steps_count,
				      BATCH_ROWS_MAX);
		}
	}
	if (status == 0)
		timer_set(batch->turn, 0);
	else
		end(batch, status, why, NULL);
	free(why);
}

static void
on_turn(void *context)
{
	struct batch *batch = context;

	if (batch->workflow != NULL)
		check(batch);
	else
		catalog_find(batch->front->catalog, batch->call.starter.project,
			     batch->call.workflow, batch->call.read_after, on_workflow,
			     batch);
}

struct batch *
batch_begin(struct front *front, struct change *change, const struct batch_call *call,
	    batch_fn *done, void *context)
{
	struct batch *batch = xcalloc(1, sizeof *batch);

	batch->front = front;
	batch->change = change;
	batch->call = *call;
	batch->done = done;
	batch->context = context;
	batch->turn = timer_new(front->loop, on_turn, batch);
	timer_set(batch->turn, 0);
	return batch;
}
