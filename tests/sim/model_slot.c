/*
 * A step inside a worker, after worker/slot.c: it loads, enters, runs, and its outcome
 * is gathered. What an action answers is drawn.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "engine/field.h"
#include "model_worker_priv.h"

#define ACTION_MOST    (300 * USEC_MS)
#define LOAD_MOST      (5 * USEC_MS)
#define DEPTH_MOST     4
#define FAILS          180 /* in a thousand */
#define FAILS_FOR_GOOD 250 /* of those */

static void on_loaded(struct sim_slot *slot);
static void on_answered(struct sim_slot *slot);

/* ---- later ---- */

static void
on_slot_call(struct sim *sim, void *context)
{
	struct slot_call *call = context;
	struct sim_slot *slot = &call->worker->slots[call->place];

	(void)sim;
	if (call->worker->life == call->life && slot->id == call->id)
		call->fn(slot);
	free(call);
}

void
slot_later(struct sim_slot *slot, usec_t delay, void (*fn)(struct sim_slot *slot))
{
	struct slot_call *call = xcalloc(1, sizeof *call);

	*call = (struct slot_call){ slot->worker, slot->worker->life,
				    (int)(slot - slot->worker->slots), slot->id, fn };
	sim_expect(slot->worker->sim, delay, on_slot_call, call);
}

/* ---- life ---- */

static void
back_fini(struct sim_slot *slot)
{
	json_unref(&slot->back.outputs);
	json_unref(&slot->back.error);
	json_unref(&slot->back.approved_args);
	json_unref(&slot->child_output);
	slot->has_back = slot->has_child_run = false;
	slot->back = (struct back){ 0 };
	slot->back_visits = 0;
}

static void
forget_attempt(struct sim_slot *slot)
{
	json_unref(&slot->fields);
	json_unref(&slot->output);
	json_unref(&slot->error);
	json_unref(&slot->made);
	slot->children = (struct children){ 0 };
	slot->ask = (struct approval_ask){ 0 };
	slot->starts = NULL;
	slot->final = false;
	slot->run_at = 0;
	slot->reason = SLOT_REASON_NONE;
}

void
slot_release(struct sim_slot *slot)
{
	flush_forget(slot);
	forget_attempt(slot);
	back_fini(slot);
	json_unref(&slot->held.item);
	worker_drop(slot->worker, &slot->live);
	slot->id = 0;
	worker_ring(slot->worker);
}

struct held_step
slot_held(const struct sim_slot *slot)
{
	struct held_step held = slot->held;

	held.visits = slot->has_back ? slot->back_visits : 0;
	return held;
}

static void
begin_loading(struct sim_slot *slot)
{
	slot->id = ++slot->worker->next_slot_id;
	slot->state = SLOT_LOADING;
	slot->streak_since = slot->worker->sim->store.now;
	slot_later(slot, sim_delay(slot->worker->sim, 0, LOAD_MOST), on_loaded);
}

/* A step is held by one slot of one worker at most; what others still hold of it they
 * hold under another fence. */
static void
check_held_once(const struct sim *sim, const struct sim_step *step)
{
	for (int i = 0; i < SIM_WORKERS; i++) {
		for (int k = 0; k < SLOTS; k++) {
			const struct sim_slot *slot = &sim->workers[i]->slots[k];

			if (slot->id != 0 && slot->live->id == step->run->id &&
			    slot->held.number == step->number &&
			    slot->fence == step->fence)
				violated(step->run, "two slots hold step %d",
					 step->number);
		}
	}
}

void
slot_take(struct sim_worker *worker, const struct sim_step *step)
{
	struct sim_slot *slot = worker->slots;

	check_held_once(worker->sim, step);

	while (slot->id != 0)
		slot++;
	*slot = (struct sim_slot){ .worker = worker };
	slot->live = worker_hold(worker, step->run, step->is_item);
	slot->def = step_def_of(step);
	slot->held = (struct held_step){
		.index = step->index,
		.number = step->number,
		.attempt = step->attempt,
		.losses = step->losses,
		.phase = step->phase,
		.parent = step->parent,
		.has_index = step->item_index >= 0,
		.item_index = step->item_index >= 0 ? step->item_index : 0,
		.iteration = step->iteration,
		.item = json_ref(step->item),
		.is_item = step->is_item,
		.chosen = step->needs < 0,
	};
	slot->fence = step->fence;
	slot->parent_run = step->run->parent_run;
	slot->woke = step->phase == PHASE_ACTION;
	slot->say_started = !step->started_logged;
	begin_loading(slot);
}

void
slot_go_on(struct sim_slot *slot, const struct step_def *def, int number)
{
	forget_attempt(slot);
	back_fini(slot);
	json_unref(&slot->held.item);
	slot->def = def;
	slot->held = (struct held_step){ .index = def->index,
					 .number = number,
					 .attempt = 1,
					 .phase = PHASE_FRESH };
	slot->fence = 1;
	slot->say_started = slot->woke = false;
	slot->streak++;
	begin_loading(slot);
}

/* ---- loading ---- */

static const struct sim_step *
newest_visit(const struct sim_run *run, int index)
{
	for (int i = run->steps_count - 1; i >= 0; i--)
		if (run->steps[i]->index == index && !run->steps[i]->is_item)
			return run->steps[i];
	return NULL;
}

/* steps_visits */
static void
load_visits(struct sim_slot *slot, const struct sim_run *run)
{
	struct live *live = slot->live;
	int count = (int)run->flow->workflow->steps_count;

	if (live->visits_known)
		return;
	live->visits_known = true;
	for (int i = 0; i < count; i++) {
		const struct sim_step *step =
		    run->flow->reads[i] ? newest_visit(run, i) : NULL;

		if (step != NULL)
			run_set_visit(&live->run, i, step->number, step->status,
				      json_ref(step->output), json_ref(step->error));
	}
}

static void
load_children(struct sim_slot *slot, const struct sim_run *run)
{
	for (int i = 0; i < run->steps_count; i++) {
		const struct sim_step *step = run->steps[i];

		slot->back_visits += step->number > 0 && !step->is_item;
		if (!step->is_item || step->parent != slot->held.number)
			continue;
		if (slot->back.outputs == NULL)
			slot->back.outputs = json_new_array();
		json_append(slot->back.outputs, json_ref(step->output));
	}
}

static void
load_approval(struct sim_slot *slot, const struct sim_run *run)
{
	for (int i = 0; i < run->approvals_count; i++) {
		const struct sim_approval *approval = &run->approvals[i];

		if (approval->number != slot->held.number)
			continue;
		slot->back.decided = true;
		slot->back.approval = approval->status;
		json_unref(&slot->back.approved_args);
		slot->back.approved_args = json_ref(approval->args);
	}
}

static void
load_child_run(struct sim_slot *slot, const struct sim_run *parent)
{
	const struct store *store = &slot->worker->sim->store;

	list_each (link, &store->open) {
		const struct sim_run *run = container_of(link, struct sim_run, link);

		if (run->parent_run != parent->id ||
		    run->parent_step != slot->held.number)
			continue;
		slot->has_child_run = true;
		slot->child_status = run->status;
		json_unref(&slot->child_output);
		slot->child_output = json_ref(run->output);
	}
}

/* steps_back */
static void
load_back(struct sim_slot *slot, const struct sim_run *run)
{
	const struct sim_step *step = run_step(run, slot->held.number);
	struct held_step held = slot_held(slot);

	if (slot->has_back ||
	    !enter_wants_back(slot->live->run.workflow, slot->def, &held))
		return;
	slot->has_back = true;
	slot->back.error = json_ref(step->error);
	load_children(slot, run);
	load_approval(slot, run);
	load_child_run(slot, run);
}

static bool
resolve_fields(struct sim_slot *slot)
{
	struct held_step held = slot_held(slot);
	struct run_scope scope;
	struct err err = { 0 };
	int resolved;

	held_scope(&scope, &slot->live->run, &held);
	resolved =
	    template_resolve(slot->def->fields, &scope.scope, &slot->fields, &err);
	run_scope_fini(&scope);
	slot->outcome = OUTCOME_FAILURE;
	slot->final = resolved < 0;
	if (resolved < 0)
		slot->error = step_error("expression", err.text);
	return resolved == 0;
}

static void
take_outcome(struct sim_slot *slot, const struct outcome *outcome)
{
	slot->outcome = outcome->kind;
	slot->final = outcome->final;
	slot->run_at = outcome->run_at;
	slot->children = outcome->children;
	slot->ask = outcome->ask;
	json_unref(&slot->error);
	slot->error = json_ref(outcome->error);
	if (outcome->kind == OUTCOME_SKIP || slot->ask.phase == PHASE_GATE ||
	    slot->def->index == END_INDEX)
		slot->say_started = false;
	json_unref(&slot->output);
	slot->output = json_ref(outcome->output);
}

static bool
enters(struct sim_slot *slot)
{
	struct held_step held = slot_held(slot);
	struct outcome outcome = { 0 };
	struct run *run = &slot->live->run;

	if (enter_step(run, &held, &slot->back, &outcome, &slot->made)) {
		take_outcome(slot, &outcome);
		return false;
	}
	if (!resolve_fields(slot))
		return false;
	if (!enter_with_fields(run, &held, &slot->back, slot->fields,
			       slot->worker->sim->store.now, &outcome, &slot->made))
		return true;
	take_outcome(slot, &outcome);
	return false;
}

/* A graph step starts when all that it needs is over; a row that comes back does when
 * what it waited for is. */
static void
check_start(const struct sim_slot *slot, const struct sim_run *run)
{
	for (size_t i = 0; i < slot->def->needs_count && !slot->held.chosen; i++) {
		const struct sim_step *need = newest_visit(run, slot->def->needs[i]);

		if (need == NULL || !step_is_over(need->status))
			violated(run, "step %d starts before its need \"%s\" is over",
				 slot->held.number,
				 run->flow->workflow->steps[slot->def->needs[i]].id);
	}
	if (slot->held.phase != PHASE_CHILDREN && slot->held.index != END_INDEX)
		return;
	for (int i = 0; i < run->steps_count; i++)
		if (run->steps[i]->parent == slot->held.number &&
		    !step_is_over(run->steps[i]->status))
			violated(run, "step %d comes back before its child %d is over",
				 slot->held.number, run->steps[i]->number);
}

static void
on_loaded(struct sim_slot *slot)
{
	const struct store *store = &slot->worker->sim->store;
	const struct sim_run *run = store_run(store, slot->live->id);

	if (slot->state != SLOT_LOADING)
		return;
	if (run == NULL || !store_holds(store, slot->worker->id, run->id,
					slot->held.number, slot->fence)) {
		slot_event(slot, SLOT_EV_TAKEN_AWAY);
		return;
	}
	check_start(slot, run);
	load_visits(slot, run);
	load_back(slot, run);
	slot_event(slot, enters(slot) ? SLOT_EV_LOADED : SLOT_EV_UNUSABLE);
}

/* ---- actions ---- */

static struct json *
some_output(struct random *random)
{
	struct json *output = json_new_object(), *list = json_new_array();

	for (int i = random_below(random, 6); i > 0; i--)
		json_append(list, json_new_int(i));
	json_set(output, "ok", json_new_bool(random_is(random, 600)));
	json_set(output, "n", json_new_int(random_below(random, 10)));
	json_set(output, "list", list);
	return output;
}

static void
succeed(struct sim_slot *slot, struct json *output)
{
	json_unref(&slot->output);
	slot->output = output;
	slot->outcome = OUTCOME_SUCCESS;
}

static void
fail(struct sim_slot *slot, const char *code, bool final)
{
	json_unref(&slot->error);
	slot->error = step_error(code, "so it was drawn");
	slot->outcome = OUTCOME_FAILURE;
	slot->final = final;
}

static void
do_work(struct sim_slot *slot)
{
	struct random *random = &slot->worker->sim->random;

	if (random_is(random, FAILS))
		fail(slot, "failed", random_is(random, FAILS_FOR_GOOD));
	else
		succeed(slot, some_output(random));
}

static void
do_noop(struct sim_slot *slot)
{
	succeed(slot, NULL);
}

static void
do_wait(struct sim_slot *slot)
{
	usec_t duration = 0;
	struct err err = { 0 };

	if (slot->woke) {
		succeed(slot, NULL);
		return;
	}
	if (field_duration(json_get(slot->fields, "for"), &duration, &err) < 0)
		violated(NULL, "a wait that cannot be read: %s", err.text);
	slot->outcome = OUTCOME_WAIT;
	slot->run_at = slot->worker->sim->store.now + duration;
}

static int
depth_of(const struct sim_slot *slot)
{
	const struct sim_run *run =
	    store_run(&slot->worker->sim->store, slot->live->id);

	return run != NULL ? run->depth : 0;
}

static void
do_start_run(struct sim_slot *slot)
{
	const struct sim *sim = slot->worker->sim;
	struct json *wait = json_get(slot->fields, "wait");
	bool waits = wait == NULL || json_bool(wait);

	if (slot->woke && slot->has_child_run) {
		if (slot->child_status == RUN_COMPLETED)
			succeed(slot, json_ref(slot->child_output));
		else
			fail(slot,
			     run_is_over(slot->child_status) ? "run_failed" : "timeout",
			     false);
		return;
	}
	slot->starts =
	    flows_find(&sim->flows, json_str(json_get(slot->fields, "workflow")));
	if (slot->starts == NULL || depth_of(slot) >= DEPTH_MOST) {
		slot->starts = NULL;
		fail(slot, "too_deep", true);
		return;
	}
	slot->outcome = waits ? OUTCOME_WAIT : OUTCOME_SUCCESS;
	slot->run_at = slot->def->timeout > 0 ? sim->store.now + slot->def->timeout : 0;
}

static void
act(struct sim_slot *slot)
{
	static void (*const acts[ACTION_KINDS])(struct sim_slot *) = {
		[ACTION_NOOP] = do_noop, [ACTION_TOOL] = do_work,
		[ACTION_HTTP] = do_work, [ACTION_WAIT] = do_wait,
		[ACTION_CODE] = do_work, [ACTION_WORKFLOW] = do_start_run,
	};

	if (acts[slot->def->action] == NULL)
		violated(NULL, "an action of the engine was run by a worker");
	acts[slot->def->action](slot);
}

/* ---- what the table orders ---- */

static void
on_timed_out(struct sim_slot *slot)
{
	if (slot->state == SLOT_RUNNING)
		slot_event(slot, SLOT_EV_TIMED_OUT);
}

static void
on_answered(struct sim_slot *slot)
{
	slot_event(slot, SLOT_EV_ANSWERED);
}

static void
do_start(struct sim_slot *slot)
{
	struct sim *sim = slot->worker->sim;
	usec_t duration = sim_delay(sim, 0, ACTION_MOST);

	act(slot);
	if (slot->def->action == ACTION_NOOP) {
		slot_event(slot, SLOT_EV_ANSWERED);
		return;
	}
	flush_started(slot);
	if (slot->def->action != ACTION_CODE)
		duration /= 50;
	if (slot->def->action == ACTION_CODE && slot->def->timeout > 0 &&
	    slot->def->timeout < duration)
		slot_later(slot, slot->def->timeout, on_timed_out);
	slot_later(slot, duration, on_answered);
}

static void
do_finish(struct sim_slot *slot)
{
	if (slot->reason == SLOT_REASON_TIMEOUT)
		fail(slot, "timeout", false);
	flush_ended(slot);
}

static void
do_give_back(struct sim_slot *slot)
{
	struct sim_worker *worker = slot->worker;

	store_hand_back(&worker->sim->store, worker->id, worker->session,
			slot->live->id, slot->held.number, slot->fence);
	worker->sim->stats.handed_back++;
	sim_committed(worker->sim);
	slot_release(slot);
}

static void
do_nothing(struct sim_slot *slot)
{
	(void)slot;
}

void
slot_event(struct sim_slot *slot, enum slot_event event)
{
	static void (*const orders[SLOT_ORDERS])(struct sim_slot *) = {
		[SLOT_DO_NOTHING] = do_nothing,     [SLOT_DO_START] = do_start,
		[SLOT_DO_ASK] = do_nothing,         [SLOT_DO_FORCE] = do_nothing,
		[SLOT_DO_FINISH] = do_finish,       [SLOT_DO_DROP] = slot_release,
		[SLOT_DO_GIVE_BACK] = do_give_back,
	};
	struct slot_step step = slot_on(slot->state, slot->reason, event);

	slot->state = step.state;
	slot->reason = step.reason;
	orders[step.order](slot);
}
