/* Reads ahead, fires what is due, and sweeps. Its transactions fail as others do. */
#include "model_scheduler.h"

#define LOOK_EVERY  (20 * USEC_MS)
#define SWEEP_EVERY (2 * USEC_SECOND)
#define FIRE_MOST   64

/* timers_load */
static void
read_ahead(struct sim *sim)
{
	list_each (link, &sim->store.timed) {
		const struct sim_step *step = container_of(link, struct sim_step, link);
		struct step_ref ref = { uuid_of_run(step->run->id), step->number };

		if (step->run_at <= sim->store.now + TIMERS_WINDOW)
			timers_core_add(&sim->timers, &ref, step->run_at);
	}
}

static void
fire(struct sim *sim, const struct step_ref *refs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (store_fire(&sim->store, run_of_uuid(&refs[i].run), refs[i].number))
			timers_core_fired(&sim->timers, &refs[i]);
	timers_core_landed(&sim->timers, refs, count, sim->store.now);
	sim_committed(sim);
	sim_ring(sim);
}

static void
on_look(struct sim *sim, void *context)
{
	struct step_ref refs[FIRE_MOST];
	size_t count;

	read_ahead(sim);
	count = timers_core_take(&sim->timers, sim->store.now, refs, FIRE_MOST);
	if (count > 0 && sim_fault(sim, 50))
		timers_core_dropped(&sim->timers, refs, count);
	else if (count > 0)
		fire(sim, refs, count);
	if (sim_fault(sim, 2)) /* another one leads */
		timers_core_clear(&sim->timers);
	sim_after(sim, LOOK_EVERY, on_look, context);
}

static void
on_sweep(struct sim *sim, void *context)
{
	list_each_safe (link, &sim->store.open) {
		struct sim_run *run = container_of(link, struct sim_run, link);

		if (!run_is_over(run->status))
			store_end(&sim->store, run, RUN_TIMED_OUT);
	}
	for (int i = 0; i < sim->flows.count; i++)
		if (sim->flows.list[i].workflow->concurrency > 0)
			runs_admit(&sim->store, &sim->flows.list[i]);
	sim_committed(sim);
	sim_after(sim, SWEEP_EVERY, on_sweep, context);
}

void
scheduler_begin(struct sim *sim)
{
	timers_core_init(&sim->timers);
	sim_after(sim, LOOK_EVERY, on_look, NULL);
	sim_after(sim, SWEEP_EVERY, on_sweep, NULL);
}

void
scheduler_end(struct sim *sim)
{
	timers_core_fini(&sim->timers);
}
