/*
 * What follows a finish in its transaction, in the order of store/finish_effects.c:
 * sql/steps_spawn.sql, steps_close.sql, steps_meet.sql, approvals_request.sql,
 * runs_insert.sql of a child, runs_close_open.sql, parents_wake.sql and
 * runs_pause_waiting.sql.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "model.h"
#include "model_child.h"

/* Whose effects count: what steps_finish took looks like this. NULL: not this one. */
static struct sim_step *
whose(const struct store *store, const struct finish_item *item)
{
	struct sim_run *run = store_run(store, run_of_uuid(&item->run));
	struct sim_step *step;

	if (run == NULL || (run->status != RUN_RUNNING && run->status != RUN_PAUSED))
		return NULL;
	step = run_step(run, item->number);
	if (step == NULL || step->fence != item->fence || step->status != item->status)
		return NULL;
	return step;
}

/* ---- steps_spawn ---- */

static void
make_row(struct store *store, struct sim_run *run, const struct fan_out *spawn,
	 int number, int place)
{
	struct sim_step *step = run_add_step(run, spawn->index, number);
	bool ready = place < spawn->parallel;

	step->parent = spawn->parent;
	step->iteration = spawn->iteration;
	step->ready = ready;
	step->is_item = spawn->items != NULL;
	if (step->is_item) {
		step->item_index = place;
		step->item = json_ref(json_at(spawn->items, (size_t)place));
	} else if (spawn->has_index) {
		step->item_index = spawn->item_index;
	}
	step_born(store, step,
		  ready && run->status == RUN_RUNNING ? STEP_QUEUED : STEP_PENDING);
}

static void
spawn(struct store *store, const struct finish_item *item)
{
	const struct fan_out *spawn;
	struct sim_step *step;
	int top;

	if (item->verdict == NULL || item->verdict->spawn.count == 0)
		return;
	step = whose(store, item);
	if (step == NULL)
		return;
	spawn = &item->verdict->spawn;
	top = run_top(step->run);
	for (int i = 0; i < spawn->count; i++)
		make_row(store, step->run, spawn, top + 1 + i, i);
	if (item->verdict->expects) {
		step->needs = spawn->count;
		step->iteration = item->verdict->own_iteration;
	}
}

/* ---- steps_close ---- */

/* What one run closes in one flush. */
struct closing_run {
	struct sim_run *run;
	const struct finish_item *items;
	int count;
	bool whole;
	enum closing closing;
	struct json *error;
};

static bool
is_cut_by_parent(const struct closing_run *closing, const struct store *store,
		 const struct sim_step *step)
{
	for (int i = 0; i < closing->count; i++) {
		const struct finish_item *item = &closing->items[i];
		const struct sim_step *by;

		if (item->verdict == NULL || !item->verdict->cancel_siblings)
			continue;
		by = whose(store, item);
		if (by != NULL && by->run == step->run &&
		    step->parent == item->verdict->joins)
			return true;
	}
	return false;
}

static bool
is_cut(const struct closing_run *closing, const struct store *store,
       const struct sim_step *step)
{
	bool open =
	    step->status == STEP_PENDING || step->status == STEP_QUEUED ||
	    step->status == STEP_RETRYING ||
	    ((step->status == STEP_WAITING || step->status == STEP_WAITING_APPROVAL) &&
	     step->phase != PHASE_CHILDREN);

	return step->number > 0 && open &&
	       (closing->whole || is_cut_by_parent(closing, store, step));
}

static void
void_approvals(struct sim_run *run, int number, bool approved_too)
{
	for (int i = 0; i < run->approvals_count; i++) {
		struct sim_approval *approval = &run->approvals[i];

		if (approval->number != number)
			continue;
		if (approval->status == APPROVAL_PENDING ||
		    (approved_too && approval->status == APPROVAL_APPROVED))
			approval->status = APPROVAL_VOID;
	}
}

static void
cut_step(struct store *store, struct sim_step *step)
{
	struct sim_run *run = step->run;

	if (!step->is_item || step->started_logged || step->attempt > 1)
		run_log(run, ++run->last_seq, EVENT_STEP_CANCELLED, step->number);
	step->fence++;
	step_move(store, step, STEP_CANCELLED);
	void_approvals(run, step->number, false);
}

/* So much less to wait for. */
static void
count_down(struct store *store, const struct closing_run *closing,
	   struct sim_step *parent, int met)
{
	bool of_graph = parent->number == END_NUMBER;
	bool cut_short = met > 0 && closing->whole && !of_graph;
	bool ready = parent->needs == met &&
		     (parent->status == STEP_PENDING || parent->status == STEP_WAITING);

	if (of_graph
		? parent->status != STEP_PENDING && parent->status != STEP_QUEUED
		: parent->status != STEP_WAITING || parent->phase != PHASE_CHILDREN)
		return;
	parent->needs -= met;
	if (parent->error == NULL && of_graph)
		parent->error = json_ref(closing->error);
	if (parent->error == NULL && cut_short)
		parent->error =
		    step_error("cancelled", "a step was cancelled before it started");
	if (of_graph && (int)closing->closing > (int)parent->phase)
		parent->phase = (enum phase)closing->closing;
	if (ready)
		step_make_ready(store, parent);
	run_touch(store, parent->run);
}

static void
close_run(struct store *store, const struct closing_run *closing)
{
	struct sim_run *run = closing->run;
	int count = run->steps_count;
	int *met = xcalloc((size_t)count, sizeof *met);
	bool *cut = xcalloc((size_t)count, sizeof *cut);

	for (int i = 0; i < count; i++)
		cut[i] = is_cut(closing, store, run->steps[i]);
	for (int i = 0; i < count; i++) {
		if (!cut[i])
			continue;
		cut_step(store, run->steps[i]);
		for (int k = 0; k < count && run->steps[i]->parent != 0; k++)
			met[k] += run->steps[k]->number == run->steps[i]->parent;
	}
	for (int i = 0; i < count; i++)
		if (met[i] > 0 || (closing->closing != CLOSING_NONE &&
				   run->steps[i]->number == END_NUMBER))
			count_down(store, closing, run->steps[i], met[i]);
	free(met);
	free(cut);
}

static bool
closes(const struct finish_item *item)
{
	return item->verdict != NULL && (item->verdict->closing != CLOSING_NONE ||
					 item->verdict->cancel_siblings);
}

static void
add_to_closing(struct closing_run *closing, const struct finish_item *item)
{
	const struct verdict *verdict = item->verdict;

	if (verdict->closing == CLOSING_NONE)
		return;
	closing->whole = true;
	closing->run->led_to_end |= verdict->closing == CLOSING_END;
	if (verdict->closing > closing->closing)
		closing->closing = verdict->closing;
	if (verdict->closing == CLOSING_FAILED && closing->error == NULL)
		closing->error = verdict->run_error;
}

/* Only the first item of a run closes, for all of them. */
static void
close_first(struct store *store, struct finish_item *items, int count, int first)
{
	struct sim_step *step =
	    closes(&items[first]) ? whose(store, &items[first]) : NULL;
	struct closing_run closing = { .items = items, .count = count };

	if (step == NULL)
		return;
	closing.run = step->run;
	for (int i = 0; i < count; i++) {
		if (!closes(&items[i]) ||
		    !uuid_equal(&items[i].run, &items[first].run) ||
		    whose(store, &items[i]) == NULL)
			continue;
		if (i < first)
			return;
		add_to_closing(&closing, &items[i]);
	}
	close_run(store, &closing);
}

/* ---- steps_meet ---- */

struct hit {
	struct sim_run *run;
	int target, met, joined, release, number;
	bool chosen;
	struct json *error;
	int error_of;
};

struct hits {
	struct hit *list;
	int count, room;
};

static struct hit *
hit_of(struct hits *hits, struct sim_run *run, int target)
{
	for (int i = 0; i < hits->count; i++)
		if (hits->list[i].run == run && hits->list[i].target == target)
			return &hits->list[i];
	if (hits->count == hits->room) {
		hits->room = hits->room * 2 + 16;
		hits->list =
		    xrealloc(hits->list, (size_t)hits->room, sizeof *hits->list);
	}
	hits->list[hits->count] = (struct hit){ .run = run, .target = target };
	return &hits->list[hits->count++];
}

static void
hits_of(struct hits *hits, const struct finish_item *item, const struct sim_step *step)
{
	const struct verdict *verdict = item->verdict;
	struct hit *hit;

	for (size_t i = 0; i < verdict->met_count; i++)
		hit_of(hits, step->run, verdict->met[i])->met++;
	if (verdict->chosen != 0) {
		hit = hit_of(hits, step->run, verdict->chosen);
		hit->met++;
		hit->chosen = true;
	}
	if (verdict->joins == 0)
		return;
	hit = hit_of(hits, step->run, verdict->joins);
	hit->met++;
	hit->joined++;
	hit->release += verdict->release;
	if (item->number > hit->number)
		hit->number = item->number;
	if (verdict->join_error != NULL &&
	    (hit->error == NULL || item->number < hit->error_of)) {
		hit->error = verdict->join_error;
		hit->error_of = item->number;
	}
}

/* Not yet started: needs, and who might choose it; or the rows of the graph's end. */
static bool
waits_to_start(const struct sim_step *step)
{
	return step->status == STEP_PENDING && !step->ready;
}

/* These it counts alone. */
static bool
waits_for_children(const struct sim_step *step)
{
	return step->status == STEP_WAITING && step->phase == PHASE_CHILDREN;
}

static void
apply_hit(struct store *store, const struct hit *hit)
{
	struct sim_step *step = run_step(hit->run, hit->target);
	bool chosen, ready;
	int met;

	if (step == NULL ||
	    !(waits_to_start(step) || (waits_for_children(step) && hit->joined > 0)))
		return;
	chosen = hit->chosen && waits_to_start(step);
	met = waits_to_start(step) ? hit->met : hit->joined;
	ready = chosen || step->needs == met;
	step->needs = chosen ? -1 : step->needs - met;
	if (step->error == NULL)
		step->error = json_ref(hit->error);
	if (ready)
		step_make_ready(store, step);
	run_touch(store, hit->run);
}

static void
release(struct store *store, const struct hit *hit)
{
	int left = hit->release;

	for (int i = 0; i < hit->run->steps_count && left > 0; i++) {
		struct sim_step *step = hit->run->steps[i];

		if (step->number <= hit->number || step->parent != hit->target ||
		    step->status != STEP_PENDING || step->ready)
			continue;
		step_make_ready(store, step);
		left--;
	}
}

static void
meet(struct store *store, struct finish_item *items, int count)
{
	struct hits hits = { 0 };

	for (int i = 0; i < count; i++) {
		struct sim_step *step =
		    items[i].verdict != NULL ? whose(store, &items[i]) : NULL;

		if (step != NULL)
			hits_of(&hits, &items[i], step);
	}
	for (int i = 0; i < hits.count; i++) {
		apply_hit(store, &hits.list[i]);
		release(store, &hits.list[i]);
	}
	free(hits.list);
}

/* ---- approvals ---- */

static void
request(struct store *store, const struct finish_item *item)
{
	struct sim_step *step = item->ask != NULL ? whose(store, item) : NULL;
	struct sim_run *run;

	if (step == NULL)
		return;
	run = step->run;
	void_approvals(run, step->number, true);
	run->approvals = xrealloc(run->approvals, (size_t)run->approvals_count + 1,
				  sizeof *run->approvals);
	run->approvals[run->approvals_count++] =
	    (struct sim_approval){ .id = ++store->approvals_made,
				   .number = step->number,
				   .on_timeout = item->ask->on_timeout,
				   .args = json_ref(item->ask->args) };
}

void
runs_pause_waiting(struct store *store, struct sim_run *run)
{
	bool asked = false;

	if (run->status != RUN_RUNNING)
		return;
	for (int i = 0; i < run->approvals_count; i++)
		asked |= run->approvals[i].status == APPROVAL_PENDING;
	if (!asked)
		return;
	for (int i = 0; i < run->steps_count; i++) {
		const struct sim_step *step = run->steps[i];

		if (step->status == STEP_QUEUED || step->status == STEP_RUNNING ||
		    step->status == STEP_RETRYING ||
		    (step->status == STEP_WAITING && step->phase != PHASE_CHILDREN))
			return;
	}
	run_log(run, ++run->last_seq, EVENT_RUN_PAUSED, 0);
	if (run->deadline_at != 0)
		run->budget_left = run->deadline_at - store->now;
	run->deadline_at = 0;
	run_move(store, run, RUN_PAUSED);
	run->paused_by = PAUSED_BY_APPROVAL;
}

/* ---- other runs ---- */

static void
start_child(struct store *store, const struct finish_item *item)
{
	struct sim_run *run = store_run(store, run_of_uuid(&item->run));
	const struct sim_child *child = (const struct sim_child *)item->child;
	const struct sim_step *step;

	if (child == NULL || run == NULL)
		return;
	step = run_step(run, item->number);
	if (step == NULL || step->fence != item->fence ||
	    (step->status != STEP_WAITING && step->status != STEP_COMPLETED))
		return;
	store_start(store, child->flow, child->input, run->id, step->number);
}

void
runs_close_open(struct store *store, struct sim_run *run)
{
	if (run == NULL || !run_is_over(run->status))
		return;
	for (int i = 0; i < run->steps_count; i++) {
		struct sim_step *step = run->steps[i];

		if (step_is_over(step->status))
			continue;
		step->fence++;
		step_move(store, step, STEP_CANCELLED);
		void_approvals(run, step->number, false);
	}
}

void
parents_wake(struct store *store, struct sim_run *child)
{
	struct sim_run *run;
	struct sim_step *step;

	if (child == NULL || !run_is_over(child->status))
		return;
	run = store_run(store, child->parent_run);
	if (run == NULL || (run->status != RUN_RUNNING && run->status != RUN_PAUSED))
		return;
	step = run_step(run, child->parent_step);
	if (step == NULL || step->status != STEP_WAITING || step->phase != PHASE_ACTION)
		return;
	step->run_at = 0;
	step_make_ready(store, step);
	if (run->status == RUN_RUNNING && run->deadline_at == 0)
		run->deadline_at = store->now + run->budget_left;
	run->budget_left = run->status == RUN_RUNNING ? 0 : run->budget_left;
}

static bool
may_leave_only_approvals(const struct finish_item *item)
{
	return item->run_status == RUN_RUNNING &&
	       (item->ask != NULL ||
		(item->verdict != NULL && item->verdict->joins != 0));
}

static void
other_runs(struct store *store, struct finish_item *items, int count)
{
	for (int i = 0; i < count; i++)
		start_child(store, &items[i]);
	for (int i = 0; i < count; i++)
		if (items[i].verdict != NULL && items[i].verdict->close_open)
			runs_close_open(store,
					store_run(store, run_of_uuid(&items[i].run)));
	for (int i = 0; i < count; i++)
		if (items[i].has_parent_run && items[i].run_status != RUN_RUNNING)
			parents_wake(store,
				     store_run(store, run_of_uuid(&items[i].run)));
}

void
effects_apply(struct store *store, struct finish_item *items, int count)
{
	for (int i = 0; i < count; i++)
		spawn(store, &items[i]);
	for (int i = 0; i < count; i++)
		close_first(store, items, count, i);
	meet(store, items, count);
	for (int i = 0; i < count; i++)
		request(store, &items[i]);
	other_runs(store, items, count);
	for (int i = 0; i < count; i++) {
		struct sim_run *run = store_run(store, run_of_uuid(&items[i].run));

		if (run != NULL && may_leave_only_approvals(&items[i]))
			runs_pause_waiting(store, run);
	}
}
