/* See starts.h. */
#include "starts.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "ready.h"

struct start_own {
	struct workflow *workflow;
	struct new_step *steps;
	struct json *input, *trigger, *tools;
	struct uuid project, schedule;
	char *requested_by, *key, *concurrency_key;
};

bool
starts_check(const struct workflow *workflow, const struct json *input,
	     const struct json *trigger, struct err *why)
{
	struct problems problems = { 0 };
	struct json *stored = start_input(input);
	bool fits = workflow_check_input(workflow, stored, &problems);

	if (!fits) {
		err_set(why, ERR_INPUT, "%s: %s", problems.list[0].path,
			problems.list[0].message);
	} else {
		free(workflow_concurrency_key(workflow, stored, (struct json *)trigger,
					      why));
		fits = why->kind == ERR_NONE;
	}
	problems_fini(&problems);
	json_unref(&stored);
	return fits;
}

static void
make_room(struct starts *starts)
{
	if (starts->count < starts->room)
		return;
	starts->room = starts->room > 0 ? 2 * starts->room : 16;
	starts->runs = xrealloc(starts->runs, starts->room, sizeof *starts->runs);
	starts->own = xrealloc(starts->own, starts->room, sizeof *starts->own);
}

/* The pointers of a run into its own part are set when the array moves no more. */
static void
point(struct starts *starts, size_t i)
{
	struct start_own *own = &starts->own[i];

	if (starts->runs[i].project != NULL)
		starts->runs[i].project = &own->project;
	if (starts->runs[i].schedule != NULL)
		starts->runs[i].schedule = &own->schedule;
}

static void
own_values(struct start_own *own, const struct starter *starter,
	   const struct json *input)
{
	struct err ignored = { 0 };

	own->workflow = workflow_ref(starter->workflow);
	own->input = start_input(input);
	own->trigger = json_storable(json_ref(starter->trigger), NULL);
	own->tools = json_ref((struct json *)starter->tools);
	own->requested_by = xstrdup(starter->requested_by);
	own->key = xstrdup(starter->key);
	own->concurrency_key =
	    workflow_concurrency_key(own->workflow, own->input, own->trigger, &ignored);
	if (starter->project != NULL)
		own->project = *starter->project;
	if (starter->schedule != NULL)
		own->schedule = *starter->schedule;
}

struct uuid
starts_add(struct starts *starts, const struct starter *starter,
	   const struct json *input, usec_t now)
{
	struct starter mine = *starter;
	struct start_own *own;
	struct new_run *run;

	make_room(starts);
	own = &starts->own[starts->count];
	run = &starts->runs[starts->count++];
	*own = (struct start_own){ 0 };
	own_values(own, starter, input);
	mine.trigger = own->trigger;
	mine.tools = own->tools;
	mine.requested_by = own->requested_by;
	mine.key = own->key;
	*run = start_run(&mine, own->input, own->concurrency_key, now);
	own->steps = new_steps_of(own->workflow, &run->steps_count);
	run->steps = own->steps;
	return run->id;
}

void
starts_insert_into(struct starts *starts, struct pg_batch *batch)
{
	for (size_t i = 0; i < starts->count; i++)
		point(starts, i);
	if (starts->count > 0)
		runs_insert_into(batch, starts->runs, starts->count);
}

/* ---- bells ---- */

static void
on_admitted(void *context, const struct ready_ref *refs, size_t count,
	    const struct err *err)
{
	/* Where this fails the sweep does it. */
	if (err->kind == ERR_NONE)
		ready_push(context, refs, count);
}

static bool
is_admitted_already(const struct starts *starts, size_t i)
{
	for (size_t n = 0; n < i; n++)
		if (starts->runs[n].concurrency_key != NULL &&
		    strcmp(starts->runs[n].concurrency_key,
			   starts->runs[i].concurrency_key) == 0)
			return true;
	return false;
}

static size_t
add_ready(const struct new_run *run, struct ready_ref *refs)
{
	size_t count = 0;

	for (size_t i = 0; i < run->steps_count; i++)
		if (run->steps[i].needs == 0)
			refs[count++] = (struct ready_ref){
				.ref = { run->id, run->steps[i].number },
				.queue = run->steps[i].queue,
				.priority = run->priority,
			};
	return count;
}

void
starts_ring(const struct starts *starts, struct pg *pg, struct queue *queue)
{
	struct ready_ref *refs;
	size_t most = 1, count = 0;

	for (size_t i = 0; i < starts->count; i++)
		most += starts->runs[i].steps_count;
	refs = xcalloc(most, sizeof *refs);
	for (size_t i = 0; i < starts->count; i++) {
		const struct new_run *run = &starts->runs[i];

		if (run->run_at != 0)
			continue;
		if (run->concurrency_key == NULL)
			count += add_ready(run, refs + count);
		else if (!is_admitted_already(starts, i))
			runs_admit(pg, run->concurrency_key, on_admitted, queue);
	}
	ready_push(queue, refs, count);
	free(refs);
}

void
starts_clear(struct starts *starts)
{
	for (size_t i = 0; i < starts->count; i++) {
		struct start_own *own = &starts->own[i];

		workflow_free(&own->workflow);
		free(own->steps);
		json_unref(&own->input);
		json_unref(&own->trigger);
		json_unref(&own->tools);
		free(own->requested_by);
		free(own->key);
		free(own->concurrency_key);
	}
	free(starts->runs);
	free(starts->own);
	*starts = (struct starts){ 0 };
}
