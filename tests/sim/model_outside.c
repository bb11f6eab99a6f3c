/* sql/timers_fire.sql, runs_end.sql, runs_admit.sql, runs_pause.sql, runs_resume.sql
 * and approvals_decide.sql. */
#include "model.h"

/* The run's own time goes on. */
static void
go_on_counting(struct store *store, struct sim_run *run)
{
	if (run->deadline_at == 0)
		run->deadline_at = store->now + run->budget_left;
	run->budget_left = 0;
}

static void
go_on(struct store *store, struct sim_run *run)
{
	run_log(run, ++run->last_seq, EVENT_RUN_RESUMED, 0);
	run_move(store, run, RUN_RUNNING);
}

static struct sim_approval *
open_approval(struct sim_run *run, int number)
{
	for (int i = 0; i < run->approvals_count; i++)
		if (run->approvals[i].number == number &&
		    run->approvals[i].status == APPROVAL_PENDING)
			return &run->approvals[i];
	return NULL;
}

/* Nobody decided in time. */
static void
expire(struct sim_run *run, int number)
{
	struct sim_approval *approval = open_approval(run, number);

	if (approval == NULL)
		return;
	approval->status = approval->on_timeout == ON_TIMEOUT_APPROVE
			       ? APPROVAL_APPROVED
			   : approval->on_timeout == ON_TIMEOUT_DENY ? APPROVAL_DENIED
								     : APPROVAL_EXPIRED;
	run_log(run, ++run->last_seq, EVENT_APPROVAL_DECIDED, number);
}

bool
store_fire(struct store *store, int64_t run_id, int number)
{
	struct sim_run *run = store_run(store, run_id);
	struct sim_step *step = run != NULL ? run_step(run, number) : NULL;

	if (step == NULL ||
	    !(run->status == RUN_RUNNING ||
	      (run->status == RUN_PAUSED && run->paused_by == PAUSED_BY_APPROVAL)))
		return false;
	if ((step->status != STEP_RETRYING && step->status != STEP_WAITING &&
	     step->status != STEP_WAITING_APPROVAL) ||
	    step->run_at == 0 || step->run_at > store->now)
		return false;
	if (run->status == RUN_PAUSED)
		go_on(store, run);
	if (step->status == STEP_RETRYING) {
		step->attempt++;
		step->started_logged = step->started = false;
	}
	if (step->status != STEP_WAITING)
		step->run_at = 0;
	step_make_ready(store, step);
	expire(run, number);
	go_on_counting(store, run);
	return true;
}

/* ---- runs_end ---- */

static void
cancel_step(struct store *store, struct sim_step *step)
{
	struct sim_run *run = step->run;

	if (step->number > 0 && step->started && !step->started_logged)
		run_log(run, ++run->last_seq, EVENT_STEP_STARTED, step->number);
	if (step->number > 0 &&
	    (step->started || step->started_logged || step->attempt > 1))
		run_log(run, ++run->last_seq, EVENT_STEP_CANCELLED, step->number);
	step->fence++;
	step_move(store, step, STEP_CANCELLED);
}

void
store_end(struct store *store, struct sim_run *run, enum run_status how)
{
	if (run_is_over(run->status) ||
	    (how == RUN_TIMED_OUT &&
	     (run->deadline_at == 0 || run->deadline_at > store->now)))
		return;
	for (int i = 0; i < run->steps_count; i++)
		if (!step_is_over(run->steps[i]->status))
			cancel_step(store, run->steps[i]);
	for (int i = 0; i < run->approvals_count; i++)
		if (run->approvals[i].status == APPROVAL_PENDING)
			run->approvals[i].status = APPROVAL_VOID;
	run_log(run, ++run->last_seq, run_end_event(how), 0);
	run_move(store, run, how);
	run->deadline_at = run->budget_left = 0;
	parents_wake(store, run);
}

/* ---- runs_admit ---- */

static int
places_taken(const struct store *store, const struct flow *flow)
{
	int count = 0;

	list_each (link, &store->open) {
		const struct sim_run *run = container_of(link, struct sim_run, link);

		count += run->flow == flow &&
			 (run->status == RUN_RUNNING || run->status == RUN_PAUSED);
	}
	return count;
}

static void
admit(struct store *store, struct sim_run *run)
{
	run_move(store, run, RUN_RUNNING);
	run_log(run, ++run->last_seq, EVENT_RUN_STARTED, 0);
	run->deadline_at = store->now + run->budget_left;
	run->budget_left = 0;
	for (int i = 0; i < run->steps_count; i++)
		if (run->steps[i]->status == STEP_PENDING && run->steps[i]->ready)
			step_make_ready(store, run->steps[i]);
}

/* Oldest first: the list of open runs is in their order. */
void
runs_admit(struct store *store, const struct flow *flow)
{
	long left = flow->workflow->concurrency - places_taken(store, flow);

	list_each (link, &store->open) {
		struct sim_run *run = container_of(link, struct sim_run, link);

		if (left <= 0)
			return;
		if (run->flow != flow || run->status != RUN_PENDING)
			continue;
		admit(store, run);
		left--;
	}
}

/* ---- people ---- */

/* What they do is said in a comment of the engine, too. */
static void
log_with_comment(struct sim_run *run, enum event_type type, int number)
{
	run_log(run, ++run->last_seq, type, number);
	run_log(run, ++run->last_seq, EVENT_COMMENT_ADDED, 0);
}

void
store_pause(struct store *store, struct sim_run *run)
{
	if (run->status != RUN_RUNNING &&
	    (run->status != RUN_PAUSED || run->paused_by != PAUSED_BY_APPROVAL))
		return;
	log_with_comment(run, EVENT_RUN_PAUSED, 0);
	if (run->deadline_at != 0)
		run->budget_left = run->deadline_at - store->now;
	run->deadline_at = 0;
	run_move(store, run, RUN_PAUSED);
	run->paused_by = PAUSED_BY_PERSON;
	for (int i = 0; i < run->steps_count; i++)
		if (run->steps[i]->status == STEP_QUEUED)
			step_move(store, run->steps[i], STEP_PENDING);
}

/* What the crash has cut off stands again where it stood. */
static void
stand_up(struct store *store, struct sim_step *step)
{
	bool waits = step->needs > 0 || (step->is_item && !step->ready);

	step->cut_by = 0;
	step->ready |= !waits;
	step_born(store, step,
		  !waits                          ? STEP_QUEUED
		  : step->phase == PHASE_CHILDREN ? STEP_WAITING
						  : STEP_PENDING);
}

static void
begin_again(struct store *store, struct sim_run *run)
{
	log_with_comment(run, EVENT_RUN_RESUMED, 0);
	run_move(store, run, RUN_RUNNING);
	go_on_counting(store, run);
	for (int i = 0; i < run->steps_count; i++)
		if (run->steps[i]->status == STEP_CANCELLED &&
		    run->steps[i]->cut_by == run->crash)
			stand_up(store, run->steps[i]);
	runs_pause_waiting(store, run);
}

void
store_resume(struct store *store, struct sim_run *run)
{
	if (run->status == RUN_CRASHED)
		begin_again(store, run);
	if (run->status != RUN_PAUSED || run->paused_by != PAUSED_BY_PERSON)
		return;
	log_with_comment(run, EVENT_RUN_RESUMED, 0);
	run_move(store, run, RUN_RUNNING);
	go_on_counting(store, run);
	for (int i = 0; i < run->steps_count; i++)
		if (run->steps[i]->status == STEP_PENDING && run->steps[i]->ready)
			step_make_ready(store, run->steps[i]);
	runs_pause_waiting(store, run);
}

/* In a run that a person paused the decision waits until that goes on. */
void
store_decide(struct store *store, struct sim_run *run, struct sim_approval *approval,
	     bool approved)
{
	struct sim_step *step = run_step(run, approval->number);

	if (approval->status != APPROVAL_PENDING ||
	    (run->status != RUN_RUNNING && run->status != RUN_PAUSED))
		return;
	approval->status = approved ? APPROVAL_APPROVED : APPROVAL_DENIED;
	log_with_comment(run, EVENT_APPROVAL_DECIDED, approval->number);
	if (run->status == RUN_PAUSED && run->paused_by == PAUSED_BY_APPROVAL)
		go_on(store, run);
	if (run->status == RUN_RUNNING)
		go_on_counting(store, run);
	if (step == NULL || step->status != STEP_WAITING_APPROVAL)
		return;
	step->run_at = 0;
	step_make_ready(store, step);
}
