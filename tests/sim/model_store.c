/* Rows and their lists. Which changes there are is in the other model_*.c. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "engine/step_core.h"

void
store_init(struct store *store, const struct flows *flows)
{
	*store = (struct store){ .now = USEC_SECOND, .flows = flows };
	for (int i = 0; i < PRIORITIES; i++)
		list_init(&store->ready[i]);
	list_init(&store->timed);
	list_init(&store->open);
	/* ids begin with 1 */
	store->runs = xcalloc(1, sizeof(struct sim_run *));
	store->workers = xcalloc(1, sizeof(struct worker_row));
	store->runs_count = store->workers_count = 1;
}

static void
run_free(struct sim_run *run)
{
	for (int i = 0; i < run->steps_count; i++) {
		struct sim_step *step = run->steps[i];

		list_remove(&step->link);
		json_unref(&step->output);
		json_unref(&step->error);
		json_unref(&step->item);
		free(step);
	}
	for (int i = 0; i < run->approvals_count; i++)
		json_unref(&run->approvals[i].args);
	json_unref(&run->input);
	json_unref(&run->output);
	json_unref(&run->error);
	list_remove(&run->link);
	free(run->steps);
	free(run->approvals);
	free(run->events);
	free(run);
}

void
store_fini(struct store *store)
{
	for (int64_t i = 0; i < store->runs_count; i++)
		if (store->runs[i] != NULL)
			run_free(store->runs[i]);
	free(store->runs);
	free(store->workers);
	free(store->touched);
}

struct sim_run *
store_run(const struct store *store, int64_t id)
{
	return id > 0 && id < store->runs_count ? store->runs[id] : NULL;
}

void
store_forget_run(struct store *store, struct sim_run *run)
{
	store->runs[run->id] = NULL;
	run_free(run);
}

struct uuid
uuid_of_run(int64_t id)
{
	struct uuid uuid = { 0 };

	memcpy(uuid.b, &id, sizeof id);
	return uuid;
}

int64_t
run_of_uuid(const struct uuid *uuid)
{
	int64_t id;

	memcpy(&id, uuid->b, sizeof id);
	return id;
}

void
run_touch(struct store *store, struct sim_run *run)
{
	if (run->touched)
		return;
	run->touched = true;
	if (store->touched_count == store->touched_room) {
		store->touched_room = store->touched_room * 2 + 16;
		store->touched = xrealloc(store->touched, (size_t)store->touched_room,
					  sizeof(struct sim_run *));
	}
	store->touched[store->touched_count++] = run;
}

/* ---- steps ---- */

/* Where it is, or would be. */
static int
place_of(const struct sim_run *run, int number)
{
	int low = 0, high = run->steps_count;

	while (low < high) {
		int middle = (low + high) / 2;

		if (run->steps[middle]->number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct sim_step *
run_step(const struct sim_run *run, int number)
{
	int place = place_of(run, number);

	if (place == run->steps_count || run->steps[place]->number != number)
		return NULL;
	return run->steps[place];
}

int
run_top(const struct sim_run *run)
{
	return run->steps_count > 0 ? run->steps[run->steps_count - 1]->number : 0;
}

struct sim_step *
run_add_step(struct sim_run *run, int index, int number)
{
	struct sim_step *step = xcalloc(1, sizeof *step);
	int place = place_of(run, number);

	if (place < run->steps_count && run->steps[place]->number == number)
		violated(run, "two rows with the number %d", number);
	if (run->steps_count == run->steps_room) {
		run->steps_room = run->steps_room * 2 + 16;
		run->steps = xrealloc(run->steps, (size_t)run->steps_room,
				      sizeof(struct sim_step *));
	}
	memmove(run->steps + place + 1, run->steps + place,
		(size_t)(run->steps_count - place) * sizeof(struct sim_step *));
	run->steps[place] = step;
	run->steps_count++;
	*step = (struct sim_step){ .run = run,
				   .index = index,
				   .number = number,
				   .attempt = 1,
				   .item_index = -1 };
	list_init(&step->link);
	return step;
}

const struct step_def *
step_def_of(const struct sim_step *step)
{
	const struct workflow *workflow = step->run->flow->workflow;

	return step->index == END_INDEX ? &workflow->end
					: &workflow->steps[step->index];
}

static void
enlist(struct store *store, struct sim_step *step)
{
	list_remove(&step->link);
	if (step->status == STEP_QUEUED)
		list_push(&store->ready[step->run->flow->workflow->priority],
			  &step->link);
	else if (step->run_at != 0 &&
		 (step->status == STEP_RETRYING || step->status == STEP_WAITING ||
		  step->status == STEP_WAITING_APPROVAL))
		list_push(&store->timed, &step->link);
}

static bool
is_legal(enum step_status from, enum step_status to)
{
	for (int event = 0; event < STEP_EVENTS; event++)
		if (step_on(from, (enum step_event)event) == (int)to)
			return true;
	return false;
}

/* Two events at once: it would be queued, but its run is paused. */
static bool
is_legal_in_pause(enum step_status from, enum step_status to)
{
	return to == STEP_PENDING && is_legal(from, STEP_QUEUED);
}

void
step_move(struct store *store, struct sim_step *step, enum step_status status)
{
	enum step_status from = step->status;

	if (from != status && !is_legal(from, status) &&
	    !(step->run->status == RUN_PAUSED && is_legal_in_pause(from, status)))
		violated(step->run, "step %d: %s became %s", step->number,
			 step_status_name(from), step_status_name(status));
	if (step_is_over(from))
		violated(step->run, "step %d: %s, and over, became %s", step->number,
			 step_status_name(from), step_status_name(status));
	step->status = status;
	if (status != STEP_RUNNING)
		step->worker = 0;
	enlist(store, step);
	run_touch(store, step->run);
}

void
step_born(struct store *store, struct sim_step *step, enum step_status status)
{
	step->status = status;
	enlist(store, step);
	run_touch(store, step->run);
}

void
step_make_ready(struct store *store, struct sim_step *step)
{
	step->ready = true;
	step_move(store, step,
		  step->run->status == RUN_RUNNING ? STEP_QUEUED : STEP_PENDING);
}

/* ---- runs ---- */

void
run_move(struct store *store, struct sim_run *run, enum run_status status)
{
	bool legal = run->status == status;

	for (int event = 0; event < RUN_EVENTS; event++)
		legal |= run_on(run->status, (enum run_event)event) == (int)status;
	if (!legal)
		violated(run, "the run: %s became %s", run_status_name(run->status),
			 run_status_name(status));
	run->status = status;
	run->paused_by = PAUSED_BY_NOBODY;
	run_touch(store, run);
}

void
run_log(struct sim_run *run, int64_t seq, enum event_type type, int number)
{
	while (seq > run->events_room) {
		int64_t room = run->events_room * 2 + 32;

		run->events = xrealloc(run->events, (size_t)room, sizeof *run->events);
		memset(run->events + run->events_room, 0,
		       (size_t)(room - run->events_room) * sizeof *run->events);
		run->events_room = room;
	}
	if (seq < 1 || run->events[seq - 1].type != EVENT_NONE)
		violated(run, "two events have the number %lld", (long long)seq);
	run->events[seq - 1] = (struct sim_event){ type, number };
	run->events_count++;
	if (seq > run->events_high)
		run->events_high = seq;
}

static struct sim_run *
new_run(struct store *store)
{
	struct sim_run *run = xcalloc(1, sizeof *run);

	if (store->runs_count == store->runs_room || store->runs_room == 0) {
		store->runs_room = store->runs_count * 2 + 64;
		store->runs = xrealloc(store->runs, (size_t)store->runs_room,
				       sizeof(struct sim_run *));
	}
	run->id = store->runs_count++;
	store->runs[run->id] = run;
	list_push(&store->open, &run->link);
	store->open_count++;
	return run;
}

static void
first_rows(struct store *store, struct sim_run *run)
{
	size_t count;
	struct first_step *first = advance_start(run->flow->workflow, &count);

	for (size_t i = 0; i < count; i++) {
		struct sim_step *step =
		    run_add_step(run, first[i].index, first[i].number);

		step->needs = first[i].needs;
		step->parent = first[i].parent;
		step->started_logged = first[i].number < 0;
		step->ready = first[i].needs == 0;
		step_born(store, step,
			  step->ready && !run->limited ? STEP_QUEUED : STEP_PENDING);
	}
	free(first);
}

/* runs_insert. */
struct sim_run *
store_start(struct store *store, const struct flow *flow, struct json *input,
	    int64_t parent_run, int parent_step)
{
	struct sim_run *run = new_run(store);
	const struct sim_run *parent = store_run(store, parent_run);

	run->flow = flow;
	run->input = json_ref(input);
	run->parent_run = parent_run;
	run->parent_step = parent_step;
	run->depth = parent != NULL ? parent->depth + 1 : 0;
	run->limited = flow->workflow->concurrency > 0;
	run->status = run->limited ? RUN_PENDING : RUN_RUNNING;
	if (run->limited) {
		run->budget_left = flow->workflow->timeout;
	} else {
		run->deadline_at = store->now + flow->workflow->timeout;
		run->last_seq = 1;
		run_log(run, 1, EVENT_RUN_STARTED, 0);
	}
	first_rows(store, run);
	return run;
}
