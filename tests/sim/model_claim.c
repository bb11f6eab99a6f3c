/* sql/steps_claim.sql, steps_claim_lost.sql, steps_hand_back.sql, workers_bury.sql,
 * runs_crash_interrupted.sql and steps_requeue_lost.sql. */
#include "model.h"

#include "base/xalloc.h"

int
store_register(struct store *store)
{
	int id = store->workers_count++;

	store->workers =
	    xrealloc(store->workers, (size_t)id + 1, sizeof *store->workers);
	store->workers[id] = (struct worker_row){ true, 1 };
	return id;
}

static void
take(struct store *store, struct sim_step *step, int worker, int claim_number)
{
	if (step->run->status != RUN_RUNNING)
		violated(step->run, "step %d of a run that is %s was claimed",
			 step->number, run_status_name(step->run->status));
	step->fence++;
	step->claim_number = claim_number;
	step->started = true;
	step->worker = worker;
	step_move(store, step, STEP_RUNNING);
}

static bool
is_among(struct sim_step **list, int count, const struct sim_step *step)
{
	for (int i = 0; i < count; i++)
		if (list[i] == step)
			return true;
	return false;
}

static void
claim_named(struct store *store, const struct step_ref *named, int named_count,
	    struct sim_step **list, int most, int *count)
{
	for (int i = 0; i < named_count && *count < most; i++) {
		struct sim_run *run = store_run(store, run_of_uuid(&named[i].run));
		struct sim_step *step =
		    run != NULL ? run_step(run, named[i].number) : NULL;

		if (step != NULL && step->status == STEP_QUEUED &&
		    !is_among(list, *count, step))
			list[(*count)++] = step;
	}
}

static void
claim_own(struct store *store, enum priority priority, struct sim_step **list, int most,
	  int *count)
{
	list_each (link, &store->ready[priority]) {
		struct sim_step *step = container_of(link, struct sim_step, link);

		if (*count == most)
			return;
		if (!is_among(list, *count, step))
			list[(*count)++] = step;
	}
}

enum answer
store_claim(struct store *store, int worker, int session, int claim_number,
	    const struct step_ref *named, int named_count,
	    const enum priority order[static PRIORITIES], struct sim_step **list,
	    int most, int *count)
{
	const struct worker_row *row = &store->workers[worker];

	*count = 0;
	if (!row->alive)
		return ANSWER_DEAD;
	if (row->session != session)
		return ANSWER_NOT_MINE;
	claim_named(store, named, named_count, list, most, count);
	for (int i = 0; i < PRIORITIES; i++)
		claim_own(store, order[i], list, most, count);
	for (int i = 0; i < *count; i++)
		take(store, list[i], worker, claim_number);
	return ANSWER_OK;
}

/* Calls fn for each step that the worker holds. */
typedef void held_fn(void *context, struct store *store, struct sim_step *step);

static void
each_held(struct store *store, int worker, held_fn *fn, void *context)
{
	list_each (link, &store->open) {
		struct sim_run *run = container_of(link, struct sim_run, link);

		for (int i = 0; i < run->steps_count; i++)
			if (run->steps[i]->status == STEP_RUNNING &&
			    run->steps[i]->worker == worker)
				fn(context, store, run->steps[i]);
	}
}

struct lost {
	int claim_number, most, count;
	struct sim_step **list;
};

static void
add_lost(void *context, struct store *store, struct sim_step *step)
{
	struct lost *lost = context;

	(void)store;
	if (step->claim_number >= lost->claim_number && lost->count < lost->most)
		lost->list[lost->count++] = step;
}

enum answer
store_claim_lost(struct store *store, int worker, int *session, int claim_number,
		 struct sim_step **list, int most, int *count)
{
	struct worker_row *row = &store->workers[worker];
	struct lost lost = { claim_number, most, 0, list };

	*count = 0;
	if (!row->alive)
		return ANSWER_DEAD;
	*session = ++row->session;
	each_held(store, worker, add_lost, &lost);
	*count = lost.count;
	return ANSWER_OK;
}

bool
store_holds(const struct store *store, int worker, int64_t run_id, int number,
	    int fence)
{
	const struct sim_run *run = store_run(store, run_id);
	const struct sim_step *step = run != NULL ? run_step(run, number) : NULL;

	return step != NULL && step->status == STEP_RUNNING && step->fence == fence &&
	       step->worker == worker;
}

/* What is given back in a paused run waits until that goes on. */
static void
give_back(struct store *store, struct sim_step *step)
{
	step->fence++;
	step->started = false;
	step_make_ready(store, step);
}

void
store_hand_back(struct store *store, int worker, int session, int64_t run_id,
		int number, int fence)
{
	const struct worker_row *row = &store->workers[worker];

	if (row->alive && row->session == session &&
	    store_holds(store, worker, run_id, number, fence))
		give_back(store, run_step(store_run(store, run_id), number));
}

static void
requeue(void *context, struct store *store, struct sim_step *step)
{
	struct sim_run *run = step->run;
	int64_t *last_run = context;

	step->attempt++;
	step->losses++;
	step->started_logged = false;
	give_back(store, step);
	if (*last_run == run->id)
		return; /* each run hears of it once */
	*last_run = run->id;
	run_log(run, run->last_seq + 1, EVENT_RUN_RECOVERED, 0);
	run_log(run, run->last_seq + 2, EVENT_COMMENT_ADDED, 0);
	run->last_seq += 2;
}

/* ---- runs_crash_interrupted ---- */

static bool
is_interrupted(const struct sim_run *run, int worker)
{
	if (!run->flow->workflow->crash_on_interrupt ||
	    (run->status != RUN_RUNNING && run->status != RUN_PAUSED))
		return false;
	for (int i = 0; i < run->steps_count; i++)
		if (run->steps[i]->status == STEP_RUNNING &&
		    run->steps[i]->worker == worker)
			return true;
	return false;
}

static void
cut_off(struct store *store, struct sim_step *step, int worker)
{
	bool was_held = step->status == STEP_RUNNING && step->worker == worker;

	step->losses += was_held;
	step->attempt += was_held;
	step->fence++;
	step->started_logged = step->started = false;
	step->cut_by = step->run->crash;
	step_move(store, step, STEP_CANCELLED);
}

static void
crash(struct store *store, struct sim_run *run, int worker)
{
	run->crash = ++store->crashes;
	for (int i = 0; i < run->steps_count; i++)
		if (!step_is_over(run->steps[i]->status))
			cut_off(store, run->steps[i], worker);
	for (int i = 0; i < run->approvals_count; i++)
		if (run->approvals[i].status == APPROVAL_PENDING)
			run->approvals[i].status = APPROVAL_VOID;
	run_log(run, ++run->last_seq, EVENT_COMMENT_ADDED, 0);
	run_log(run, ++run->last_seq, EVENT_RUN_CRASHED, 0);
	if (run->deadline_at != 0)
		run->budget_left = run->deadline_at - store->now;
	run->deadline_at = 0;
	run_move(store, run, RUN_CRASHED);
}

void
store_bury(struct store *store, int worker)
{
	int64_t last_run = 0;

	store->workers[worker].alive = false;
	list_each (link, &store->open) {
		struct sim_run *run = container_of(link, struct sim_run, link);

		if (is_interrupted(run, worker))
			crash(store, run, worker);
	}
	each_held(store, worker, requeue, &last_run);
}
