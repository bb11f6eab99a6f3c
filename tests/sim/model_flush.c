/* Outcomes are gathered and stored, one flush at a time, after worker/finish.c. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "model_worker_priv.h"

#define BATCH_MOST  64
#define COMMIT_MOST (4 * USEC_MS)
#define ANSWER_MOST (2 * USEC_MS)
#define AGAIN       (100 * USEC_MS)
#define LOST_MOST   (200 * USEC_MS)

/* What becomes of a transaction. */
enum fate {
	FATE_ANSWERED,
	FATE_FAILS,    /* and says so */
	FATE_LOST,     /* carried out, but nobody hears of it */
	FATE_VANISHED, /* not carried out, and nobody hears of it */
	FATE_LATE      /* carried out after its sender gave up waiting */
};

/* One transaction under way. It goes on when its worker is gone. */
struct flush {
	struct sim *sim;
	int holders; /* the worker, and what is to happen with it */
	struct sim_worker *worker;
	unsigned life;
	int worker_id, session, count;
	enum fate fate;
	enum answer answer;
	struct flush_entry *entries[BATCH_MOST];
	struct finish_item items[BATCH_MOST];
};

static void
entry_drop(struct flush_entry *entry)
{
	if (--entry->holders > 0)
		return;
	finish_plan_fini(&entry->plan);
	json_unref(&entry->output);
	json_unref(&entry->made);
	json_unref(&entry->asked_prompt);
	json_unref(&entry->asked_args);
	json_unref(&entry->child.input);
	free(entry);
}

static void
flush_drop(struct flush *flush)
{
	if (--flush->holders > 0)
		return;
	for (int i = 0; i < flush->count; i++)
		entry_drop(flush->entries[i]);
	free(flush);
}

/* ---- gathering ---- */

static struct flush_entry *
entry_of(struct sim_slot *slot)
{
	struct flush_entry *entry = slot->gathered;

	if (entry != NULL)
		return entry;
	entry = xcalloc(1, sizeof *entry);
	entry->holders = 1;
	entry->slot = slot;
	slot->gathered = entry;
	list_push(&slot->worker->gathered, &entry->link);
	return entry;
}

void
flush_started(struct sim_slot *slot)
{
	struct flush_entry *entry;

	if (!slot->say_started)
		return;
	entry = entry_of(slot);
	entry->plan.item = (struct finish_item){
		.run = slot->live->run.id,
		.number = slot->held.number,
		.fence = slot->fence,
		.say_started = true,
		.status = STEP_RUNNING,
		.run_status = RUN_RUNNING,
	};
	flush_soon(slot->worker);
}

static void
keep_effects(struct flush_entry *entry, struct sim_slot *slot)
{
	struct finish_item *item = &entry->plan.item;

	item->fence = slot->fence;
	item->say_started = slot->say_started;
	item->has_parent_run = slot->parent_run != 0;
	item->parent_run = uuid_of_run(slot->parent_run);
	json_unref(&entry->output);
	entry->output = json_ref(slot->output);
	json_unref(&entry->made);
	entry->made = json_ref(slot->made);
	if (slot->starts != NULL) {
		entry->child.flow = slot->starts;
		entry->child.input = json_ref(json_get(slot->fields, "input"));
		item->child = (const struct new_run *)&entry->child;
	}
	if (slot->outcome != OUTCOME_APPROVAL)
		return;
	entry->ask = slot->ask;
	entry->asked_prompt = json_ref(slot->ask.prompt);
	entry->asked_args = json_ref(slot->ask.args);
	item->ask = &entry->ask;
}

void
flush_ended(struct sim_slot *slot)
{
	struct sim *sim = slot->worker->sim;
	struct flush_entry *entry = entry_of(slot);
	struct held_step held = slot_held(slot);
	struct outcome outcome = { .kind = slot->outcome,
				   .output = slot->output,
				   .error = slot->error,
				   .final = slot->final,
				   .run_at = slot->run_at,
				   .children = slot->children,
				   .ask = slot->ask };

	finish_plan_fini(&entry->plan);
	finish_plan(&entry->plan, &slot->live->run, &held, &outcome, sim->store.now,
		    random_bits(&sim->random));
	entry->ended = true;
	keep_effects(entry, slot);
	flush_soon(slot->worker);
}

void
flush_forget(struct sim_slot *slot)
{
	struct flush *flush = slot->worker->flush;

	if (slot->gathered != NULL) {
		list_remove(&slot->gathered->link);
		entry_drop(slot->gathered);
		slot->gathered = NULL;
	}
	for (int i = 0; flush != NULL && i < flush->count; i++)
		if (flush->entries[i]->slot == slot)
			flush->entries[i]->slot = NULL;
	slot->in_flight = 0;
}

void
flush_forget_all(struct sim_worker *worker)
{
	for (int i = 0; i < SLOTS; i++)
		if (worker->slots[i].id != 0)
			flush_forget(&worker->slots[i]);
	while (!list_empty(&worker->gathered))
		entry_drop(container_of(list_shift(&worker->gathered),
					struct flush_entry, link));
	if (worker->flush != NULL)
		flush_drop(worker->flush);
	worker->flush = NULL;
}

/* ---- the answer ---- */

/* To the front, to be sent again. */
static void
put_back(struct sim_worker *worker, struct flush_entry *entry)
{
	struct sim_slot *slot = entry->slot;

	if (slot != NULL) {
		slot->in_flight--;
		if (slot->gathered != NULL) {
			slot->gathered->plan.item.say_started |=
			    entry->plan.item.say_started;
			return;
		}
		slot->gathered = entry;
	}
	entry->holders++;
	list_unshift(&worker->gathered, &entry->link);
}

static void
push(struct sim *sim, const struct uuid *run, int number)
{
	struct step_ref ref = { *run, number };

	model_queue_push(&sim->queue, &ref);
	sim_ring(sim);
}

static void
go_on_or_release(struct sim_worker *worker, const struct finish_item *item,
		 const struct step_def *next, struct sim_slot *slot)
{
	if (item->next.key != NULL && item->holds_next && slot != NULL) {
		slot_go_on(slot, next, item->next.number);
		return;
	}
	if (item->next.key != NULL)
		push(worker->sim, &item->run, item->next.number);
	else if (item->verdict != NULL)
		sim_ring(worker->sim);
	if (slot != NULL)
		slot_release(slot);
}

static void
entry_stored(struct sim_worker *worker, struct flush_entry *entry,
	     const struct finish_item *item)
{
	struct sim_slot *slot = entry->slot;

	entry->slot = NULL;
	if (slot != NULL)
		slot->in_flight--;
	if (item->accepted) {
		worker->sim->stats.results += entry->ended;
		if (slot != NULL && item->say_started)
			slot->say_started = false;
		if (slot != NULL && slot->gathered != NULL)
			slot->gathered->plan.item.say_started = false;
		if (entry->ended)
			go_on_or_release(worker, item, entry->plan.next, slot);
		return;
	}
	worker->sim->stats.fenced++;
	if (slot != NULL && entry->ended)
		slot_release(slot);
	else if (slot != NULL)
		slot_event(slot, SLOT_EV_TAKEN_AWAY);
}

static void
admit_next(struct sim *sim, const struct finish_item *item)
{
	struct sim_run *run = store_run(&sim->store, run_of_uuid(&item->run));

	if (item->accepted && run != NULL && run_is_over(run->status) && run->limited)
		runs_admit(&sim->store, run->flow);
	if (item->accepted && item->child != NULL)
		runs_admit(&sim->store, ((const struct sim_child *)item->child)->flow);
	sim_committed(sim);
}

static void
stored(struct flush *flush)
{
	struct sim_worker *worker = flush->worker;

	worker->flush = NULL;
	for (int i = 0; i < flush->count; i++)
		admit_next(flush->sim, &flush->items[i]);
	for (int i = 0; i < flush->count; i++)
		entry_stored(worker, flush->entries[i], &flush->items[i]);
	flush_drop(flush);
}

static void
put_all_back(struct flush *flush)
{
	struct sim_worker *worker = flush->worker;

	worker->flush = NULL;
	for (int i = flush->count - 1; i >= 0; i--)
		put_back(worker, flush->entries[i]);
	flush_drop(flush);
}

/* ---- after a lost answer ---- */

/* What is still ours is sent again, the rest has its answer. */
static void
checked(struct flush *flush)
{
	struct sim_worker *worker = flush->worker;
	int kept = 0;

	for (int i = 0; i < flush->count; i++) {
		struct flush_entry *entry = flush->entries[i];

		if (!flush->items[i].accepted && flush->items[i].fence >= 0) {
			put_back(worker, entry);
			entry_drop(entry);
			continue;
		}
		flush->items[kept] = flush->items[i];
		flush->entries[kept++] = entry;
	}
	flush->count = kept;
	stored(flush);
	flush_soon(worker);
}

/* The flush may be carried out still, late: it keeps what was sent. */
static struct flush *
copy_of(const struct flush *flush)
{
	struct flush *copy = xmemdup(flush, sizeof *flush);

	copy->holders = 1;
	for (int i = 0; i < copy->count; i++)
		copy->entries[i]->holders++;
	return copy;
}

static bool
is_over(const struct flush *flush)
{
	return flush->life != flush->worker->life;
}

static void
on_check(struct sim *sim, void *context)
{
	struct flush *flush = context;
	struct sim_worker *worker = flush->worker;
	enum answer answer;

	if (is_over(flush)) {
		flush_drop(flush);
		return;
	}
	if (sim_fault(sim, 100)) {
		sim_expect(sim, AGAIN, on_check, flush);
		return;
	}
	sim->stats.checked++;
	answer = store_check(&sim->store, flush->worker_id, &worker->session,
			     flush->items, flush->count);
	if (answer == ANSWER_DEAD)
		worker_kill(worker);
	else
		checked(flush);
	flush_drop(flush);
}

static void
ask_what_became(struct flush *flush)
{
	struct sim *sim = flush->sim;
	struct flush *copy = copy_of(flush);

	sim->stats.lost_answers++;
	flush->worker->flush = copy;
	copy->holders++;
	sim_expect(sim, sim_delay(sim, 1, LOST_MOST), on_check, copy);
	flush_drop(flush); /* the worker's */
}

/* ---- a transaction ---- */

static void
answered(struct flush *flush)
{
	struct sim_worker *worker = flush->worker;

	if (flush->fate == FATE_FAILS) {
		flush->sim->stats.failed++;
		put_all_back(flush);
	} else if (flush->fate != FATE_ANSWERED) {
		ask_what_became(flush);
	} else if (flush->answer == ANSWER_DEAD) {
		worker_kill(worker);
	} else if (flush->answer == ANSWER_NOT_MINE) {
		put_all_back(flush);
	} else {
		stored(flush);
	}
	flush_soon(worker);
}

static void
on_answer(struct sim *sim, void *context)
{
	struct flush *flush = context;

	(void)sim;
	if (!is_over(flush))
		answered(flush);
	flush_drop(flush);
}

static void
on_commit(struct sim *sim, void *context)
{
	struct flush *flush = context;

	if (flush->fate != FATE_FAILS && flush->fate != FATE_VANISHED) {
		flush->answer =
		    store_finish(&sim->store, flush->worker_id, flush->session,
				 flush->items, flush->count);
		sim_committed(sim);
	}
	flush_drop(flush);
}

static enum fate
draw_fate(struct sim *sim)
{
	static const enum fate fates[] = { FATE_FAILS, FATE_LOST, FATE_VANISHED,
					   FATE_LATE };

	return sim_fault(sim, 60) ? fates[random_below(&sim->random, 4)]
				  : FATE_ANSWERED;
}

static void
send(struct flush *flush)
{
	struct sim *sim = flush->sim;
	usec_t commit = sim_delay(sim, 0, COMMIT_MOST);
	usec_t answer = commit + sim_delay(sim, 1, ANSWER_MOST);

	flush->fate = draw_fate(sim);
	flush->holders = 3;
	if (flush->fate == FATE_LATE)
		commit += sim_delay(sim, 0, LOST_MOST);
	sim_expect(sim, commit, on_commit, flush);
	sim_expect(sim, answer, on_answer, flush);
}

/* May the next step start here and now? */
static void
decide_where_next(struct sim_worker *worker, struct flush_entry *entry)
{
	struct sim_slot *slot = entry->slot;
	usec_t now = worker->sim->store.now;

	if (entry->plan.item.next.key != NULL)
		entry->plan.item.next.held =
		    slot != NULL &&
		    !slots_streak_over(slot->streak, now - slot->streak_since);
}

static void
on_flush(struct sim *sim, void *context)
{
	struct sim_worker *worker = context;
	struct flush *flush;

	if (worker->id == 0 || worker->flush != NULL || list_empty(&worker->gathered))
		return;
	flush = xcalloc(1, sizeof *flush);
	*flush = (struct flush){ .sim = sim,
				 .worker = worker,
				 .life = worker->life,
				 .worker_id = worker->id,
				 .session = worker->session };
	while (flush->count < BATCH_MOST && !list_empty(&worker->gathered)) {
		struct flush_entry *entry = container_of(list_shift(&worker->gathered),
							 struct flush_entry, link);

		decide_where_next(worker, entry);
		if (entry->slot != NULL) {
			entry->slot->gathered = NULL;
			entry->slot->in_flight++;
		}
		flush->items[flush->count] = entry->plan.item;
		flush->entries[flush->count++] = entry;
	}
	worker->flush = flush;
	send(flush);
}

void
flush_soon(struct sim_worker *worker)
{
	sim_expect(worker->sim, sim_delay(worker->sim, 0, USEC_MS), on_flush, worker);
}
