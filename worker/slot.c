/* The shell of one step. See slot.h; the states are slot_core's. */
#include "slot.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actions/actions.h"
#include "base/duration.h"
#include "base/log.h"
#include "base/point.h"
#include "base/xalloc.h"
#include "bulk_core.h"
#include "child_run.h"
#include "engine/enter_core.h"
#include "engine/made_step.h"
#include "finish.h"
#include "poison_core.h"
#include "record/records.h"
#include "secrets.h"
#include "step_log.h"
#include "store/runs.h"
#include "store/workers.h"

#define OUTPUT_MAX  (16 * 1024 * 1024) /* of a step's output as JSON text */
#define OUTPUT_BULK (OUTPUT_MAX / BULK_ESCAPED_MAX) /* up to it, it surely fits */

static const struct attempt_maker maker;

static void
fill_attempt(struct slot *slot, int number, int attempt, int fence, bool woke)
{
	struct live_run *live = slot->live;
	char text[UUID_TEXT];

	snprintf(slot->idempotency_key, sizeof slot->idempotency_key, "%s:%d",
		 uuid_format(&live->run.id, text), number);
	slot->attempt = (struct attempt){
		.maker = &maker,
		.services = &slot->worker->services,
		.run = live->run.id,
		.run_id = live->run.run_id,
		.number = number,
		.attempt = attempt,
		.fence = fence,
		.run_values = &live->run,
		.idempotency_key = slot->idempotency_key,
		.project_path = live->project_path,
		.run_folder = live->folder,
		.project = live->project,
		.tools = live->tools,
		.trace_id = live->trace_id,
		.state_p = &live->run.state,
		.started_at = loop_now(slot->worker->loop),
		.woke = woke,
	};
}

static void on_timer(void *context);

/* What a step found when it came back. */
struct slot_back {
	struct back_row row; /* owned */
};

static void
back_free(struct slot_back **back_p)
{
	struct slot_back *back = *back_p;

	*back_p = NULL;
	if (back == NULL)
		return;
	json_unref(&back->row.outputs);
	json_unref(&back->row.error);
	json_unref(&back->row.args);
	json_unref(&back->row.by);
	json_unref(&back->row.comment);
	json_unref(&back->row.at);
	json_unref(&back->row.child_output);
	json_unref(&back->row.child_error);
	free(back);
}

/* What the claim says of its place among other rows; json is taken. */
static void
take_place(struct slot *slot, struct claimed *claimed)
{
	slot->phase = (enum phase)claimed->phase;
	slot->parent = claimed->parent;
	slot->item_index = claimed->item_index;
	slot->iteration = claimed->iteration;
	slot->is_item = claimed->is_item;
	slot->chosen = claimed->remaining_needs < 0;
	slot->item = claimed->item;
	slot->made_value = claimed->made;
	claimed->item = claimed->made = NULL;
}

struct held_step
slot_held(const struct slot *slot)
{
	return (struct held_step){
		.index = slot->def->index,
		.number = slot->attempt.number,
		.attempt = slot->attempt.attempt,
		.losses = slot->losses,
		.phase = slot->phase,
		.parent = slot->parent,
		.has_index = slot->item_index >= 0,
		.item_index = slot->item_index >= 0 ? slot->item_index : 0,
		.iteration = slot->iteration,
		.item = slot->item,
		.is_item = slot->is_item,
		.chosen = slot->chosen,
		.visits = slot->back != NULL ? slot->back->row.visits : 0,
		.made = slot->made_step != NULL ? &slot->made_step->def : NULL,
	};
}

struct slot *
slot_new(struct worker *worker, struct claimed *claimed)
{
	struct slot *slot = xcalloc(1, sizeof *slot);

	slot->worker = worker;
	slot->live = live_runs_hold(worker->runs, claimed);
	slot->step_key = xstrdup(claimed->step_key);
	slot->losses = claimed->losses;
	take_place(slot, claimed);
	slot->deaths = claimed->deaths;
	slot->last_death = claimed->last_death;
	claimed->last_death = NULL;
	worker->alone += slot->last_death != NULL;
	slot->say_started = claimed->number > 0 && !claimed->started_before;
	slot->streak_since = loop_mono(worker->loop);
	slot->timer = timer_new(worker->loop, on_timer, slot);
	fill_attempt(slot, claimed->number, claimed->attempt, claimed->fence,
		     claimed->woke);
	slot->attempt.began_at = claimed->started_at;
	list_push(&worker->slots, &slot->link);
	worker->used++;
	return slot;
}

/* The step that was to run alone is over: others may come. */
static void
forget_deaths(struct slot *slot)
{
	slot->worker->alone -= slot->last_death != NULL;
	json_unref(&slot->last_death);
	slot->deaths = slot->losses = 0;
}

/* What belongs to the attempt, not to the slot. */
static void
forget_attempt(struct slot *slot)
{
	if (slot->action_state != NULL)
		slot->action->free(slot->action_state);
	slot->action_state = NULL;
	slot->action = NULL;
	step_log_free(&slot->attempt.log);
	json_unref(&slot->fields);
	json_unref(&slot->shown);
	json_unref(&slot->output);
	json_unref(&slot->error);
	json_unref(&slot->made);
	child_run_free(&slot->child);
	free(slot->wait_event);
	slot->wait_event = NULL;
	free(slot->awaited);
	slot->awaited = NULL;
	slot->awaited_count = 0;
	slot->children = (struct children){ 0 };
	slot->ask = (struct approval_ask){ 0 };
	slot->answered = slot->final = slot->effect_unknown = false;
	slot->run_at = 0;
	slot->reason = SLOT_REASON_NONE;
	timer_stop(slot->timer);
}

/* Something deferred may still look at it this turn. */
static void
dispose(void *context)
{
	free(context);
}

void
slot_free(struct slot **slot_p)
{
	struct slot *slot = *slot_p;
	struct definition *definition;
	struct worker *worker;

	if (slot == NULL)
		return;
	worker = slot->worker;
	finish_forget(worker->finish, slot);
	definitions_forget(worker->definitions, slot);
	pg_forget(worker->pg, slot);
	forget_attempt(slot);
	forget_deaths(slot);
	timer_free(&slot->timer);
	/* the run first: it reads its definition to the end */
	definition = slot->live->users == 1 ? slot->live->definition : NULL;
	live_runs_drop(worker->runs, &slot->live);
	definitions_drop(worker->definitions, &definition);
	list_remove(&slot->link);
	worker->used--;
	back_free(&slot->back);
	json_unref(&slot->item);
	json_unref(&slot->made_value);
	made_step_free(&slot->made_step);
	free(slot->step_key);
	free(slot->crash);
	slot->dead = true;
	loop_defer(worker->loop, dispose, slot);
	*slot_p = NULL;
	worker_turn(worker);
}

static void
on_free(void *context)
{
	struct slot *slot = context;

	if (!slot->dead)
		slot_free(&slot);
}

/* ---- loading ---- */

static void
publish_end(struct worker *worker, const struct ended_run *run)
{
	uint64_t seq = htobe64((uint64_t)run->seq);
	char entry[sizeof run->id.b + sizeof seq];

	memcpy(entry, run->id.b, sizeof run->id.b);
	memcpy(entry + sizeof run->id.b, &seq, sizeof seq);
	queue_publish(worker->queue, CHANNEL_EVENTS, entry, sizeof entry);
}

static void
on_crashed(void *context, const struct ended_run *runs, size_t count,
	   const struct err *err)
{
	struct slot *slot = context;

	slot->crashing = false;
	if (err->kind != ERR_NONE) {
		log_warn("run.not_crashed", F_STR("why", err->text));
		return; /* asked again, see slot_ask_again */
	}
	if (count > 0 && runs[0].before != runs[0].after) {
		publish_end(slot->worker, &runs[0]);
		records_add(slot->worker->records, &runs[0].id);
	}
	free(slot->crash);
	slot->crash = NULL;
	if (slot->state == SLOT_DONE)
		slot_free(&slot);
}

static void
store_crash(struct slot *slot)
{
	if (slot->crashing)
		return;
	slot->crashing = true;
	runs_end(slot->worker->pg, &slot->live->run.id, 1, RUN_END_CRASH, slot->crash,
		 "stepmill", on_crashed, slot);
}

void
slot_crash(struct slot *slot, const char *why)
{
	if (slot->crash != NULL)
		return;
	log_error("run.crashed", F_STR("run", slot->live->run.run_id),
		  F_STR("why", why));
	slot->crash = xstrdup(why);
	finish_forget(slot->worker->finish, slot);
	slot_event(slot, SLOT_EV_TAKEN_AWAY);
	store_crash(slot);
}

static void
on_definition(void *context, struct definition *definition, const struct err *err)
{
	struct slot *slot = context;

	if (definition == NULL) {
		/* A passing fault: the next connection asks again, see worker.c. */
		if (err->kind == ERR_INPUT || err->kind == ERR_NOT_FOUND)
			slot_crash(slot, err->text);
		return;
	}
	if (slot->live->definition == NULL)
		live_run_define(slot->live, &definition);
	else
		definitions_drop(slot->worker->definitions, &definition);
	slot_load(slot);
}

static bool
get_definition(struct slot *slot)
{
	struct definitions *definitions = slot->worker->definitions;
	struct definition *definition;

	if (slot->live->definition != NULL)
		return true;
	definition = definitions_get(definitions, &slot->live->definition_id);
	if (definition == NULL) {
		definitions_load(definitions, &slot->live->definition_id, on_definition,
				 slot);
		return false;
	}
	live_run_define(slot->live, &definition);
	return true;
}

static void
on_visits(void *context, struct visit_row *list, size_t count, const struct err *err)
{
	struct slot *slot = context;
	struct live_run *live = slot->live;

	slot->visits_asked = false;
	if (err->kind != ERR_NONE)
		return; /* asked again when the connection is back */
	for (size_t i = 0; i < count; i++) {
		int index = workflow_step_index(live->run.workflow, list[i].key);

		if (index < 0)
			continue;
		run_set_visit(&live->run, index, list[i].number,
			      (enum step_status)list[i].status, list[i].output,
			      list[i].error);
		list[i].output = list[i].error = NULL;
	}
	live->visits_known = true;
	slot_load(slot);
}

/* Nothing of a sequence has run before its first step, but for what that made itself.
 */
static bool
is_beginning(const struct slot *slot)
{
	return slot->attempt.number == 1 && slot->attempt.attempt == 1 &&
	       slot->phase != PHASE_CHILDREN &&
	       !slot->live->definition->workflow->graph;
}

bool
slot_wants_visits(const struct slot *slot)
{
	const struct definition *definition = slot->live->definition;

	return !is_beginning(slot) && !slot->live->visits_known &&
	       (definition->reads_all || definition->read_count > 0);
}

static bool
get_visits(struct slot *slot)
{
	const struct definition *definition = slot->live->definition;
	struct visits_request request = { .run = slot->live->run.id };

	if (!slot_wants_visits(slot)) {
		slot->live->visits_known = true;
		return true;
	}
	if (slot->visits_asked)
		return false;
	slot->visits_asked = true;
	if (!definition->reads_all) {
		request.keys = definition->read_keys;
		request.keys_count = definition->read_count;
	}
	visits_load(slot->worker->pg, &request, 1, on_visits, slot);
	return false;
}

static void
on_back(void *context, struct back_row *row, const struct err *err)
{
	struct slot *slot = context;

	slot->back_asked = false;
	if (err->kind == ERR_NOT_FOUND)
		slot_crash(slot, err->text);
	if (err->kind != ERR_NONE)
		return; /* asked again when the connection is back */
	slot->back = xcalloc(1, sizeof *slot->back);
	slot->back->row = *row;
	*row = (struct back_row){ .approval = -1, .child = -1 };
	slot->attempt.back = &slot->back->row;
	slot_load(slot);
}

static bool
get_back(struct slot *slot)
{
	struct held_step held = slot_held(slot);

	if (slot->back != NULL ||
	    !enter_wants_back(slot->live->run.workflow, slot->def, &held))
		return true;
	if (slot->back_asked)
		return false;
	slot->back_asked = true;
	back_load(slot->worker->pg, &slot->live->run.id, slot->attempt.number, on_back,
		  slot);
	return false;
}

static struct back
back_of(const struct slot *slot)
{
	const struct back_row *row;

	if (slot->back == NULL)
		return (struct back){ 0 };
	row = &slot->back->row;
	return (struct back){
		.outputs = row->outputs,
		.error = row->error,
		.decided = row->approval >= 0,
		.approval = row->approval >= 0 ? (enum approval_status)row->approval
					       : APPROVAL_PENDING,
		.approved_args = row->args,
		.by = row->by,
		.comment = row->comment,
		.at = row->at,
	};
}

/* What PostgreSQL can hold, and without secrets. Takes the value. */
static struct json *
fit_to_keep(const struct slot *slot, struct json *value)
{
	return json_masked(json_storable(value, NULL), slot->worker->mask);
}

static bool
get_secrets(struct slot *slot)
{
	const struct workflow *workflow = slot->live->run.workflow;
	struct secrets *secrets = slot->worker->secrets;
	bool reads = workflow->reads_all_secrets || workflow->secrets_count > 0;

	if (reads &&
	    !secrets_are_known(secrets, workflow->secrets, workflow->secrets_count,
			       workflow->reads_all_secrets))
		return false; /* on_secrets of the worker asks again */
	live_run_tell_secrets(slot->live, secrets_values(secrets));
	return true;
}

static bool
resolve_fields(struct slot *slot)
{
	struct held_step held = slot_held(slot);
	struct run_scope scope;
	struct err err = { 0 };
	int resolved;

	if (slot->def->fields == NULL) {
		/* A program has none, and what it says is meant as it is. */
		if (slot->made_step != NULL)
			slot->fields = json_ref(slot->made_step->fields);
		slot->shown = fit_to_keep(slot, json_ref(slot->fields));
		return true;
	}
	held_scope(&scope, &slot->live->run, &held);
	slot->outcome = OUTCOME_FAILURE;
	slot->final = true;
	resolved =
	    template_resolve(slot->def->fields, &scope.scope, &slot->fields, &err);
	run_scope_fini(&scope);
	if (resolved < 0) {
		slot->final = !secrets_explain(slot->worker->secrets, &err);
		slot->error = fit_to_keep(slot, step_error("expression", err.text));
		return false;
	}
	if (bulk_of(slot->fields, BULK_MAX) > BULK_MAX) {
		json_unref(&slot->fields);
		slot->error = step_error("input_too_large",
					 "with its templates filled in, the step is "
					 "larger than 64 MiB");
		return false;
	}
	slot->final = false;
	slot->shown = fit_to_keep(slot, json_ref(slot->fields));
	return true;
}

/* It has killed so many workers that no other one is risked: it fails, and as only
 * workers advance a run it does so here, on the way that every failure takes. */
static bool
is_poison(struct slot *slot)
{
	struct live_run *live = slot->live;
	struct json *tail;

	if (slot->deaths < slot->worker->settings->worker_poison_limit)
		return false;
	log_error("step.poison", F_STR("run", live->run.run_id),
		  F_STR("step", slot->step_key), F_INT("deaths", slot->deaths));
	tail = step_log_tail(live->project_path, live->folder, slot->attempt.number,
			     slot->def->name);
	slot->outcome = OUTCOME_FAILURE;
	slot->final = true;
	slot->error =
	    json_storable(poison_error(slot->deaths, slot->last_death, tail), NULL);
	return true;
}

void
slot_hand_back(struct slot *slot)
{
	if (slot->crash == NULL)
		slot_event(slot, SLOT_EV_HAND_BACK);
	else
		loop_defer(slot->worker->loop, on_free, slot);
}

void
slot_ask_again(struct slot *slot)
{
	if (slot->crash != NULL)
		store_crash(slot);
	else
		slot_load(slot);
}

static void keep_output(struct slot *slot, struct json *output);

/* Rows are made of these: what they hold is stored. */
static void
hide_items(struct slot *slot)
{
	struct json *items = slot->children.items;

	if (items == NULL)
		return;
	items = json_masked(json_ref(items), slot->worker->mask);
	json_unref(&slot->made);
	slot->made = slot->children.items = items;
}

/* The engine knows already what becomes of it. */
static void
take_outcome(struct slot *slot, const struct outcome *outcome)
{
	slot->outcome = outcome->kind;
	slot->final = outcome->final;
	slot->run_at = outcome->run_at;
	slot->children = outcome->children;
	slot->ask = outcome->ask;
	json_unref(&slot->error);
	slot->error = json_masked(json_ref(outcome->error), slot->worker->mask);
	if (outcome->kind == OUTCOME_SKIP || slot->ask.phase == PHASE_GATE ||
	    slot->def->index == END_INDEX)
		slot->say_started = false;
	keep_output(slot, json_ref(outcome->output));
	hide_items(slot);
}

/* True: its action is to run. */
static bool
enters(struct slot *slot)
{
	struct held_step held = slot_held(slot);
	struct back back = back_of(slot);
	struct outcome outcome = { 0 };
	struct run *run = &slot->live->run;

	json_unref(&slot->made);
	if (enter_step(run, &held, &back, &outcome, &slot->made)) {
		take_outcome(slot, &outcome);
		return false;
	}
	if (!resolve_fields(slot))
		return false;
	if (!enter_with_fields(run, &held, &back, slot->shown,
			       loop_now(slot->worker->loop), &outcome, &slot->made))
		return true;
	take_outcome(slot, &outcome);
	return false;
}

/* False: the run has crashed. */
static bool
find_def(struct slot *slot)
{
	const struct workflow *workflow = slot->live->run.workflow;
	struct err err = { 0 };

	if (slot->made_value != NULL) {
		slot->made_step = made_step_read(slot->step_key, slot->made_value,
						 workflow->queue, &err);
		slot->def = slot->made_step != NULL ? &slot->made_step->def : NULL;
	} else {
		slot->def = workflow_step(workflow, slot->step_key);
		err_set(&err, ERR_INPUT, "a step is not in the run's definition");
	}
	if (slot->def == NULL)
		slot_crash(slot, err.text);
	return slot->def != NULL;
}

void
slot_load(struct slot *slot)
{
	if (slot->state == SLOT_LOADING && slot->worker->hurrying) {
		slot_hand_back(slot);
		return;
	}
	if (slot->state != SLOT_LOADING || !get_definition(slot) || !get_visits(slot) ||
	    !get_secrets(slot) || !worker_may_start(slot->worker))
		return;
	if (slot->def == NULL && !find_def(slot))
		return;
	slot->attempt.def = slot->def;
	if (get_back(slot))
		slot_event(slot, !is_poison(slot) && enters(slot) ? SLOT_EV_LOADED
								  : SLOT_EV_UNUSABLE);
}

void
slot_go_on(struct slot *slot, const struct step_def *def, int number)
{
	forget_attempt(slot);
	forget_deaths(slot);
	slot->def = def;
	slot->phase = PHASE_FRESH;
	slot->parent = slot->iteration = 0;
	slot->item_index = -1;
	slot->is_item = slot->chosen = false;
	json_unref(&slot->item);
	back_free(&slot->back);
	slot->say_started = false;
	slot->streak++;
	slot->state = SLOT_LOADING;
	fill_attempt(slot, number, 1, 1, false);
	slot_load(slot);
}

/* ---- answers ---- */

static void
on_answered(void *context)
{
	struct slot *slot = context;

	if (slot->dead)
		return;
	if (slot->action_state != NULL)
		slot->action->free(slot->action_state);
	slot->action_state = NULL;
	timer_stop(slot->timer);
	POINT("effect.ended");
	slot_event(slot, SLOT_EV_ANSWERED);
}

static struct slot *
answer(struct attempt *attempt, enum outcome_kind outcome)
{
	struct slot *slot = container_of(attempt, struct slot, attempt);

	if (slot->answered)
		bug("an action answered twice: %s", slot->action->name);
	slot->answered = true;
	slot->outcome = outcome;
	loop_defer(slot->worker->loop, on_answered, slot);
	return slot;
}

/* What PostgreSQL can hold, and no more than a limit. */
static void
keep_output(struct slot *slot, struct json *output)
{
	struct buf text = { 0 };

	slot->output = fit_to_keep(slot, output);
	if (bulk_of(slot->output, OUTPUT_BULK) <= OUTPUT_BULK)
		return;
	json_write(slot->output, &text);
	if (text.len > OUTPUT_MAX) {
		json_unref(&slot->output);
		slot->outcome = OUTCOME_FAILURE;
		slot->final = true;
		slot->error = step_error("output_too_large",
					 "the output is larger than 16 MiB; write it "
					 "to a file or attach it as an artifact");
	}
	buf_fini(&text);
}

static void
on_success(struct attempt *attempt, struct json *output)
{
	keep_output(answer(attempt, OUTCOME_SUCCESS), output);
}

static void
set_failure(struct slot *slot, const char *code, const char *text, struct json *details)
{
	struct json *error = step_error(code, text);

	for (struct json_iter it = json_iter(details); json_next(&it);)
		if (!json_has(error, it.key))
			json_set(error, it.key, json_ref(it.value));
	json_unref(&slot->error);
	slot->error = fit_to_keep(slot, error);
}

static void
on_failure(struct attempt *attempt, const struct attempt_failure *failure)
{
	struct slot *slot = answer(attempt, OUTCOME_FAILURE);

	if (failure->output != NULL)
		keep_output(slot, failure->output);
	if (slot->error != NULL)
		return; /* the output is too large: that is worse */
	set_failure(slot, failure->code, failure->message, failure->details);
	slot->final = failure->final;
	slot->effect_unknown =
	    failure->final && strcmp(failure->code, "effect_unknown") == 0;
	slot->run_at = failure->retry_at;
}

static void
on_wait(struct attempt *attempt, usec_t run_at)
{
	answer(attempt, OUTCOME_WAIT)->run_at = run_at;
}

static void
on_start_run(struct attempt *attempt, struct child_run *child, bool wait, usec_t run_at,
	     struct json *output)
{
	struct slot *slot = answer(attempt, wait ? OUTCOME_WAIT : OUTCOME_SUCCESS);

	slot->child = child;
	slot->run_at = run_at;
	keep_output(slot, output);
}

static void
on_wait_event(struct attempt *attempt, const char *type, usec_t checked_at,
	      usec_t run_at)
{
	struct slot *slot = answer(attempt, OUTCOME_WAIT);

	slot->run_at = run_at;
	slot->wait_event = xstrdup(type);
	slot->checked_at = checked_at;
}

static void
on_rest(struct attempt *attempt, const int *numbers, size_t count)
{
	struct slot *slot = answer(attempt, OUTCOME_REST);

	slot->awaited = xmemdup(numbers, count * sizeof *numbers);
	slot->awaited_count = count;
}

static void
on_give_back(struct attempt *attempt)
{
	struct slot *slot = answer(attempt, OUTCOME_REST);

	if (slot->reason == SLOT_REASON_NONE)
		slot->reason = SLOT_REASON_HAND_BACK;
}

static const struct attempt_maker maker = {
	.succeeded = on_success,
	.failed = on_failure,
	.waits = on_wait,
	.waits_for_event = on_wait_event,
	.starts_run = on_start_run,
	.rests = on_rest,
	.gives_back = on_give_back,
};

/* ---- what the table orders ---- */

static void
do_now(struct slot *slot)
{
	struct err err = { 0 };
	struct json *output = slot->action->now(&slot->attempt, &err);

	slot->outcome = err.kind == ERR_NONE ? OUTCOME_SUCCESS : OUTCOME_FAILURE;
	if (err.kind == ERR_NONE)
		keep_output(slot, output);
	else
		set_failure(slot, err_kind_name(err.kind), err.text, NULL);
	slot->final = err.kind == ERR_INPUT;
	slot_event(slot, SLOT_EV_ANSWERED);
}

/* An action whose fields become rows for others gets what may be stored. */
static bool
only_stores(enum action_kind action)
{
	return action == ACTION_WORKFLOW || action == ACTION_MESSAGE ||
	       action == ACTION_WAIT;
}

static void
do_start(struct slot *slot)
{
	slot->action = slot->def->index == END_INDEX ? &action_program
						     : action_find(slot->def->action);
	slot->attempt.fields =
	    only_stores(slot->def->action) ? slot->shown : slot->fields;
	slot->held = slot_held(slot);
	slot->attempt.held = &slot->held;
	POINT("effect.before");
	if (slot->action->now != NULL) {
		do_now(slot);
		return;
	}
	slot->attempt.log =
	    step_log_new(slot->live->project_path, slot->live->folder,
			 slot->attempt.number, slot->def->name, slot->worker->mask);
	if (slot->def->index == END_INDEX)
		slot->say_started = false; /* of it nobody knows */
	finish_started(slot->worker->finish, slot);
	if (slot->def->timeout > 0)
		timer_set(slot->timer, slot->def->timeout);
	slot->action_state = slot->action->start(&slot->attempt);
	POINT("effect.started");
	if (slot->action_state == NULL && !slot->answered)
		bug("action %s neither started nor failed", slot->action->name);
}

static void
do_ask(struct slot *slot)
{
	timer_set(slot->timer, SLOT_PATIENCE);
	slot->attempt.leaving = slot->reason == SLOT_REASON_HAND_BACK;
	if (!slot->answered && slot->action_state != NULL)
		slot->action->stop(slot->action_state, STOP_ASK);
}

static void
do_force(struct slot *slot)
{
	if (!slot->answered && slot->action_state != NULL)
		slot->action->stop(slot->action_state, STOP_FORCE);
}

static void
do_finish(struct slot *slot)
{
	char limit[32], text[160];

	if (slot->reason == SLOT_REASON_TIMEOUT) {
		snprintf(text, sizeof text,
			 "the attempt took longer than its timeout of %s%s",
			 duration_format(slot->def->timeout, limit, sizeof limit),
			 slot->effect_unknown ? "; whether it took effect is unknown"
					      : "");
		set_failure(slot, "timeout", text, NULL);
		slot->run_at = 0;
		slot->outcome = OUTCOME_FAILURE;
		slot->final = slot->effect_unknown;
	}
	finish_ended(slot->worker->finish, slot);
}

static void
do_drop(struct slot *slot)
{
	log_info("step.dropped", F_STR("run", slot->live->run.run_id),
		 F_INT("number", slot->attempt.number),
		 F_STR("why", "cancelled, or no longer ours"));
	if (slot->crash == NULL)
		loop_defer(slot->worker->loop, on_free, slot);
}

static void
on_handed_back(void *context, const struct ready_ref *refs, size_t count,
	       const struct err *err)
{
	struct slot *slot = context;

	if (err->kind != ERR_NONE)
		log_warn("step.not_handed_back", F_STR("run", slot->live->run.run_id),
			 F_STR("why", err->text));
	for (size_t i = 0; i < count; i++)
		queue_push(slot->worker->queue, refs[i].queue, refs[i].priority,
			   &refs[i].ref, 1);
	slot_free(&slot);
}

static void
do_give_back(struct slot *slot)
{
	struct held_ref ref = { slot->live->run.id, slot->attempt.number,
				slot->attempt.fence };

	log_info("step.handed_back", F_STR("run", slot->live->run.run_id),
		 F_INT("number", slot->attempt.number));
	workers_hand_back(slot->worker->pg, &slot->worker->id, &ref, 1, on_handed_back,
			  slot);
}

static void
do_nothing(struct slot *slot)
{
	(void)slot;
}

void
slot_event(struct slot *slot, enum slot_event event)
{
	static void (*const orders[SLOT_ORDERS])(struct slot *) = {
		[SLOT_DO_NOTHING] = do_nothing,
		[SLOT_DO_START] = do_start,
		[SLOT_DO_ASK] = do_ask,
		[SLOT_DO_FORCE] = do_force,
		[SLOT_DO_FINISH] = do_finish,
		[SLOT_DO_DROP] = do_drop,
		[SLOT_DO_GIVE_BACK] = do_give_back,
	};
	struct slot_step step = slot_on(slot->state, slot->reason, event);

	slot->state = step.state;
	slot->reason = step.reason;
	orders[step.order](slot);
}

static void
on_timer(void *context)
{
	struct slot *slot = context;

	slot_event(slot, slot->state == SLOT_RUNNING ? SLOT_EV_TIMED_OUT
						     : SLOT_EV_PATIENCE_OVER);
}
