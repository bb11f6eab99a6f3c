/* Every few milliseconds somebody does something. In the calm they only let things go
 * on. */
#include "people.h"

#include "model_worker.h"

#define ACT_LEAST (1 * USEC_MS)
#define ACT_MOST  (10 * USEC_MS)

static struct json *
some_input(struct random *random)
{
	struct json *input = json_new_object(), *list = json_new_array();

	for (int i = random_below(random, 7); i > 0; i--)
		json_append(list, json_new_int(i));
	json_set(input, "flag", json_new_bool(random_is(random, 500)));
	json_set(input, "n", json_new_int(random_below(random, 10)));
	json_set(input, "list", list);
	return input;
}

static void
start_runs(struct sim *sim)
{
	const struct flows *flows = &sim->flows;
	const struct flow *flow;
	struct json *input;

	while (!sim->calm && sim->store.open_count < SIM_RUNS) {
		flow = &flows->list[flows->children +
				    random_below(&sim->random,
						 flows->count - flows->children)];
		input = some_input(&sim->random);
		store_start(&sim->store, flow, input, 0, 0);
		json_unref(&input);
		runs_admit(&sim->store, flow);
		sim_committed(sim);
		sim_ring(sim);
	}
}

/* One that is not over; NULL when there is none. */
static struct sim_run *
some_run(struct sim *sim)
{
	int left = random_below(&sim->random, sim->store.open_count + 1);
	struct sim_run *found = NULL;

	list_each (link, &sim->store.open) {
		struct sim_run *run = container_of(link, struct sim_run, link);

		if (run_is_over(run->status) && run->status != RUN_CRASHED)
			continue;
		found = run;
		if (left-- == 0)
			break;
	}
	return found;
}

static void
decide(struct sim *sim, struct sim_run *run)
{
	for (int i = 0; i < run->approvals_count; i++)
		store_decide(&sim->store, run, &run->approvals[i],
			     random_is(&sim->random, 700));
}

static void
interfere(struct sim *sim, struct sim_run *run)
{
	int kind = random_below(&sim->random, 100);

	if (kind < 1)
		store_end(&sim->store, run, RUN_CANCELLED);
	else if (kind < 4)
		store_pause(&sim->store, run);
	else if (kind < 20)
		store_resume(&sim->store, run);
	else if (kind < 40)
		decide(sim, run);
}

static void
on_act(struct sim *sim, void *context)
{
	struct sim_run *run = some_run(sim);
	const struct flow *flow = run != NULL ? run->flow : NULL;

	if (run != NULL && sim->calm) {
		store_resume(&sim->store, run);
		decide(sim, run);
	} else if (run != NULL) {
		interfere(sim, run);
	}
	if (flow != NULL && flow->workflow->concurrency > 0)
		runs_admit(&sim->store, flow);
	sim_committed(sim);
	start_runs(sim);
	sim_after(sim, sim_delay(sim, ACT_LEAST, ACT_MOST), on_act, context);
}

/* ---- what befalls them ---- */

static void
on_mishap(struct sim *sim, void *context)
{
	struct sim_worker *worker =
	    sim->workers[random_below(&sim->random, SIM_WORKERS)];
	int kind = random_below(&sim->random, 4);

	if (sim->calm)
		return;
	if (kind == 0)
		worker_kill(worker);
	else if (kind == 1)
		worker_declare_dead(worker);
	else if (kind == 2)
		worker_hand_back(worker);
	else
		model_queue_forget(&sim->queue);
	sim_after(sim, sim_delay(sim, 20 * USEC_MS, 800 * USEC_MS), on_mishap, context);
}

void
people_begin(struct sim *sim)
{
	sim_after(sim, 0, on_act, NULL);
	sim_after(sim, 200 * USEC_MS, on_mishap, NULL);
}
