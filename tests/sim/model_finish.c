/* sql/steps_finish_lock.sql, steps_finish.sql and steps_finish_check.sql. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "model.h"

/* An item that is taken. */
struct told {
	struct finish_item *item;
	struct sim_run *run;
	struct sim_step *step;
	int64_t last_seq; /* of its run, before */
	enum run_status run_now;
	bool holds_next;
	int events;
	int64_t after;
};

static bool
goes_on(const struct finish_item *item)
{
	return item->status == STEP_RUNNING;
}

/* False: it is left out. */
static bool
take(struct store *store, int worker, struct finish_item *item, struct told *told)
{
	struct sim_run *run = store_run(store, run_of_uuid(&item->run));
	struct sim_step *step;

	item->accepted = false;
	if (run == NULL || (run->status != RUN_RUNNING && run->status != RUN_PAUSED))
		return false;
	step = run_step(run, item->number);
	if (step == NULL || step->status != STEP_RUNNING ||
	    step->fence != item->fence || step->worker != worker)
		return false;
	*told = (struct told){ .item = item,
			       .run = run,
			       .step = step,
			       .last_seq = run->last_seq,
			       .run_now = run->status };
	told->holds_next =
	    item->next.key != NULL && item->next.held && run->status == RUN_RUNNING;
	told->events = item->say_started + (!goes_on(item) && item->number > 0) +
		       told->holds_next + (item->run_status != RUN_RUNNING);
	return true;
}

static int
by_run_and_number(const void *a, const void *b)
{
	const struct told *one = a, *other = b;

	if (one->run->id != other->run->id)
		return one->run->id < other->run->id ? -1 : 1;
	return one->item->number - other->item->number;
}

static void
log_item(struct told *told)
{
	static const enum event_type types[STEP_STATUSES] = {
		[STEP_RETRYING] = EVENT_STEP_FAILED,
		[STEP_WAITING_APPROVAL] = EVENT_APPROVAL_REQUESTED,
		[STEP_WAITING] = EVENT_STEP_WAITING,
		[STEP_COMPLETED] = EVENT_STEP_COMPLETED,
		[STEP_FAILED] = EVENT_STEP_FAILED,
		[STEP_SKIPPED] = EVENT_STEP_SKIPPED,
	};
	const struct finish_item *item = told->item;
	int64_t first = told->after - told->events + 1;

	if (item->say_started)
		run_log(told->run, first, EVENT_STEP_STARTED, item->number);
	if (!goes_on(item) && item->number > 0)
		run_log(told->run, first + item->say_started, types[item->status],
			item->number);
	if (told->holds_next)
		run_log(told->run, told->after, EVENT_STEP_STARTED, item->next.number);
	if (item->run_status != RUN_RUNNING)
		run_log(told->run, told->after, run_end_event(item->run_status), 0);
}

static void
move_step(struct store *store, const struct told *told)
{
	const struct finish_item *item = told->item;
	struct sim_step *step = told->step;
	bool waits = item->status == STEP_RETRYING || item->status == STEP_WAITING ||
		     item->status == STEP_WAITING_APPROVAL;

	step->started_logged = item->status != STEP_RETRYING;
	run_touch(store, told->run);
	if (goes_on(item))
		return;
	json_unref(&step->output);
	step->output = json_ref(item->output);
	if (item->status != STEP_WAITING_APPROVAL) {
		json_unref(&step->error);
		step->error = json_ref(item->error);
	}
	if (waits) {
		step->run_at = item->run_at;
		step->phase = item->phase;
	}
	step_move(store, step, item->status);
}

static void
add_next(struct store *store, int worker, const struct told *told)
{
	const struct finish_next *next = &told->item->next;
	const struct workflow *workflow = told->run->flow->workflow;
	struct sim_step *step;

	if (next->key == NULL)
		return;
	step = run_add_step(told->run, workflow_step_index(workflow, next->key),
			    next->number);
	step->fence = told->holds_next;
	step->started_logged = step->started = told->holds_next;
	step->worker = told->holds_next ? worker : 0;
	step->ready = !told->holds_next;
	step_born(store, step,
		  told->holds_next               ? STEP_RUNNING
		  : told->run_now == RUN_RUNNING ? STEP_QUEUED
						 : STEP_PENDING);
}

/* The run's time stands still while it only waits. Before any row is moved. */
static bool
waits_alone(const struct told *told, int count)
{
	const struct sim_run *run = told->run;

	for (int i = 0; i < count; i++)
		if (!told[i].item->only_waits)
			return false;
	for (int i = 0; i < run->steps_count; i++) {
		const struct sim_step *step = run->steps[i];
		bool among = false;

		if (step->status != STEP_QUEUED && step->status != STEP_RUNNING &&
		    step->status != STEP_RETRYING)
			continue;
		for (int k = 0; k < count; k++)
			among |= told[k].step == step;
		if (!among)
			return false;
	}
	return true;
}

static void
move_run(struct store *store, const struct told *told, int count, bool alone)
{
	struct sim_run *run = told->run;
	enum run_status status = RUN_RUNNING;

	for (int i = 0; i < count; i++)
		if (told[i].item->run_status > status)
			status = told[i].item->run_status;
	run->last_seq = told[count - 1].after;
	if (alone && status == RUN_RUNNING && run->deadline_at != 0)
		run->budget_left = run->deadline_at - store->now;
	if (status != RUN_RUNNING)
		run->budget_left = 0;
	if (alone || status != RUN_RUNNING)
		run->deadline_at = 0;
	if (status == RUN_RUNNING)
		return;
	run_move(store, run, status);
	json_unref(&run->output);
	json_unref(&run->error);
	for (int i = 0; i < count; i++) {
		if (told[i].item->run_status == RUN_RUNNING)
			continue;
		run->output = json_ref(told[i].item->run_output);
		run->error = json_ref(told[i].item->run_error);
	}
}

/* The items of one run. */
static void
finish_run(struct store *store, int worker, struct told *told, int count)
{
	bool alone = waits_alone(told, count);
	int64_t seq = told->last_seq;

	for (int i = 0; i < count; i++) {
		struct told *one = &told[i];

		seq += one->events;
		one->after = one->item->seq = seq;
		one->item->accepted = true;
		one->item->holds_next = one->holds_next;
		log_item(one);
		move_step(store, one);
		add_next(store, worker, one);
	}
	move_run(store, told, count, alone);
}

static enum answer
session_answer(const struct store *store, int worker, int session)
{
	const struct worker_row *row = &store->workers[worker];

	if (!row->alive)
		return ANSWER_DEAD;
	return row->session == session ? ANSWER_OK : ANSWER_NOT_MINE;
}

enum answer
store_finish(struct store *store, int worker, int session, struct finish_item *items,
	     int count)
{
	enum answer answer = session_answer(store, worker, session);
	struct told *told;
	int taken = 0, of_run;

	if (answer != ANSWER_OK)
		return answer;
	told = xcalloc((size_t)count, sizeof *told);
	for (int i = 0; i < count; i++)
		taken += take(store, worker, &items[i], &told[taken]);
	qsort(told, (size_t)taken, sizeof *told, by_run_and_number);
	for (int i = 0; i < taken; i += of_run) {
		of_run = 1;
		while (i + of_run < taken && told[i + of_run].run == told[i].run)
			of_run++;
		finish_run(store, worker, told + i, of_run);
	}
	free(told);
	effects_apply(store, items, count);
	return ANSWER_OK;
}

/* ---- after a lost answer ---- */

static int
verdict_of(const struct store *store, int worker, const struct finish_item *item)
{
	const struct sim_run *run = store_run(store, run_of_uuid(&item->run));
	const struct sim_step *step = run != NULL ? run_step(run, item->number) : NULL;

	if (step == NULL || step->fence != item->fence)
		return -1;
	if (step->worker == 0)
		return 1;
	if (step->worker != worker)
		return -1;
	return goes_on(item) && step->started_logged ? 1 : 0;
}

enum answer
store_check(struct store *store, int worker, int *session, struct finish_item *items,
	    int count)
{
	struct worker_row *row = &store->workers[worker];

	if (!row->alive)
		return ANSWER_DEAD;
	*session = ++row->session;
	for (int i = 0; i < count; i++) {
		struct finish_item *item = &items[i];
		int verdict = verdict_of(store, worker, item);
		const struct sim_run *run = store_run(store, run_of_uuid(&item->run));
		const struct sim_step *next = run != NULL && item->next.key != NULL
						  ? run_step(run, item->next.number)
						  : NULL;

		item->accepted = verdict > 0;
		item->holds_next = next != NULL && next->worker == worker &&
				   next->status == STEP_RUNNING &&
				   next->claim_number == 0;
		if (verdict < 0)
			item->fence = -1;
	}
	return ANSWER_OK;
}
