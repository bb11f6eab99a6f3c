/* A worker's life and its claims. */
#include "model_worker.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "model_worker_priv.h"

#define DEATH_NOTICED_MOST (3 * USEC_SECOND)
#define RESTART_MOST       (1 * USEC_SECOND)
#define LOOK_LEAST         (300 * USEC_MS)
#define LOOK_MOST          (700 * USEC_MS)

static void on_look(struct sim *sim, void *context);

/* ---- runs in hand ---- */

struct live *
worker_hold(struct sim_worker *worker, const struct sim_run *run, bool is_item)
{
	struct live *live = NULL, **place = NULL;

	for (int i = 0; i < SLOTS; i++) {
		if (worker->lives[i] != NULL && worker->lives[i]->id == run->id)
			live = worker->lives[i];
		else if (worker->lives[i] == NULL && place == NULL)
			place = &worker->lives[i];
	}
	if (live == NULL) {
		live = *place = xcalloc(1, sizeof *live);
		live->id = run->id;
		run_init(&live->run, run->flow->workflow);
		live->run.id = uuid_of_run(run->id);
		live->run.input = json_ref(run->input);
	}
	if (!is_item || live->users == 0)
		live->visits_known = false;
	live->users++;
	return live;
}

void
worker_drop(struct sim_worker *worker, struct live **live_p)
{
	struct live *live = *live_p;

	*live_p = NULL;
	if (live == NULL || --live->users > 0)
		return;
	for (int i = 0; i < SLOTS; i++)
		if (worker->lives[i] == live)
			worker->lives[i] = NULL;
	run_fini(&live->run);
	free(live);
}

/* ---- claims ---- */

int
worker_free_slots(const struct sim_worker *worker)
{
	int count = 0;

	for (int i = 0; i < SLOTS; i++)
		count += worker->slots[i].id == 0;
	return count;
}

static void
begin(struct sim_worker *worker)
{
	worker->id = store_register(&worker->sim->store);
	worker->session = 1;
	worker->lost_claim = 0;
	worker->must_check = false;
}

/* Whatever it holds is forgotten; a flush that was sent goes its way without it. */
static void
end(struct sim_worker *worker)
{
	worker->life++;
	flush_forget_all(worker);
	for (int i = 0; i < SLOTS; i++)
		if (worker->slots[i].id != 0)
			slot_release(&worker->slots[i]);
	worker->id = 0;
}

static void
on_begin(struct sim *sim, void *context)
{
	(void)sim;
	begin(context);
	worker_ring(context);
}

/* It hears that it was declared dead: the process ends, the next one starts. */
static void
buried(struct sim_worker *worker)
{
	end(worker);
	sim_expect(worker->sim, sim_delay(worker->sim, 1, RESTART_MOST), on_begin,
		   worker);
}

static enum answer
claim_lost(struct sim_worker *worker, struct sim_step **list, int most, int *count)
{
	enum answer answer =
	    store_claim_lost(&worker->sim->store, worker->id, &worker->session,
			     worker->lost_claim, list, most, count);

	if (answer == ANSWER_OK)
		worker->lost_claim = 0;
	return answer;
}

static enum answer
claim(struct sim_worker *worker, struct sim_step **list, int most, int *count)
{
	struct sim *sim = worker->sim;
	struct step_ref named[SLOTS];
	enum priority order[PRIORITIES];
	int named_count =
	    model_queue_pop(&sim->queue, &sim->random, !sim->calm, named, most);

	slots_order(&worker->order, order);
	return store_claim(&sim->store, worker->id, worker->session,
			   ++worker->claim_number, named, named_count, order, list,
			   most, count);
}

/* The answer is lost: what was claimed is found by its number. */
static bool
is_lost(struct sim_worker *worker)
{
	if (worker->lost_claim != 0 || !sim_fault(worker->sim, 15))
		return false;
	worker->sim->stats.lost_answers++;
	worker->lost_claim = worker->claim_number;
	return true;
}

static void
look(struct sim_worker *worker)
{
	struct sim_step *list[SLOTS];
	int most = worker_free_slots(worker), count = 0;
	enum answer answer;

	if (most == 0 || sim_fault(worker->sim, 10))
		return;
	if (worker->lost_claim != 0 && worker->flush == NULL)
		answer = claim_lost(worker, list, SLOTS, &count);
	else if (worker->lost_claim == 0)
		answer = claim(worker, list, most, &count);
	else
		return;
	sim_committed(worker->sim);
	if (answer == ANSWER_DEAD) {
		buried(worker);
		return;
	}
	if (count > 0 && worker->lost_claim == 0 && is_lost(worker))
		return;
	for (int i = 0; i < count; i++)
		slot_take(worker, list[i]);
}

/* What was cancelled, or is somebody else's by now. */
static void
drop_what_is_gone(struct sim_worker *worker)
{
	for (int i = 0; i < SLOTS; i++) {
		struct sim_slot *slot = &worker->slots[i];

		if (slot->id != 0 && slot->in_flight == 0 && slot->gathered == NULL &&
		    !store_holds(&worker->sim->store, worker->id, slot->live->id,
				 slot->held.number, slot->fence))
			slot_event(slot, SLOT_EV_TAKEN_AWAY);
	}
}

static void
on_ring(struct sim *sim, void *context)
{
	struct sim_worker *worker = context;

	(void)sim;
	worker->ringing = false;
	if (worker->id != 0)
		look(worker);
}

void
worker_ring(struct sim_worker *worker)
{
	if (worker->ringing)
		return;
	worker->ringing = true;
	sim_after(worker->sim, sim_delay(worker->sim, 100, 3 * USEC_MS), on_ring,
		  worker);
}

/* Unasked, every half second or so. */
static void
on_look(struct sim *sim, void *context)
{
	struct sim_worker *worker = context;

	sim_after(sim, sim_delay(sim, LOOK_LEAST, LOOK_MOST), on_look, worker);
	if (worker->id == 0)
		return;
	if (random_is(&sim->random, 300))
		drop_what_is_gone(worker);
	look(worker);
}

/* ---- life and death ---- */

struct burial {
	int worker;
};

static void
on_burial(struct sim *sim, void *context)
{
	struct burial *burial = context;

	store_bury(&sim->store, burial->worker);
	sim_committed(sim);
	sim_ring(sim);
	free(burial);
}

static void
bury_later(struct sim_worker *worker)
{
	struct burial *burial = xcalloc(1, sizeof *burial);

	burial->worker = worker->id;
	sim_expect(worker->sim, sim_delay(worker->sim, 100, DEATH_NOTICED_MOST),
		   on_burial, burial);
}

void
worker_kill(struct sim_worker *worker)
{
	if (worker->id == 0)
		return;
	worker->sim->stats.deaths++;
	bury_later(worker);
	end(worker);
	sim_expect(worker->sim, sim_delay(worker->sim, 1, RESTART_MOST), on_begin,
		   worker);
}

void
worker_declare_dead(struct sim_worker *worker)
{
	if (worker->id == 0)
		return;
	worker->sim->stats.zombies++;
	store_bury(&worker->sim->store, worker->id);
	sim_committed(worker->sim);
}

void
worker_hand_back(struct sim_worker *worker)
{
	for (int i = 0; i < SLOTS; i++)
		if (worker->slots[i].id != 0)
			slot_event(&worker->slots[i], SLOT_EV_HAND_BACK);
}

struct sim_worker *
worker_new(struct sim *sim, int place)
{
	struct sim_worker *worker = xcalloc(1, sizeof *worker);

	worker->sim = sim;
	list_init(&worker->gathered);
	for (int i = 0; i < SLOTS; i++)
		worker->slots[i].worker = worker;
	begin(worker);
	sim_after(sim, 1 + place, on_look, worker);
	return worker;
}

void
worker_free(struct sim_worker **worker_p)
{
	if (*worker_p == NULL)
		return;
	end(*worker_p);
	free(*worker_p);
	*worker_p = NULL;
}
