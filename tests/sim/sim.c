/*
 * sim: the cores of stepmill from one seeded loop, with a virtual clock, a database
 * that may answer "unknown" and a Redis that may forget. Invariants are checked after
 * each transaction; the same seed gives the same simulation.
 */
#include "sim.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/xalloc.h"
#include "check.h"
#include "model_scheduler.h"
#include "model_worker.h"
#include "people.h"

#define FLOWS     40
#define FLOW_LIFE 20000                     /* steps with the same workflows */
#define CALM_MOST (24 * 3600 * USEC_SECOND) /* until all must have ended */

struct happening {
	struct heap_link link;
	happening_fn *fn;
	void *context;
	bool expected;
};

struct options {
	uint64_t seed;
	long steps;
	bool verbose;
	const char **files;
	int files_count;
};

/* ---- the agenda ---- */

static void
plan(struct sim *sim, usec_t delay, happening_fn *fn, void *context, bool expected)
{
	struct happening *happening = xcalloc(1, sizeof *happening);

	happening->fn = fn;
	happening->context = context;
	happening->expected = expected;
	sim->pending += expected;
	heap_push(&sim->agenda, &happening->link, sim->store.now + delay);
}

void
sim_after(struct sim *sim, usec_t delay, happening_fn *fn, void *context)
{
	plan(sim, delay, fn, context, false);
}

void
sim_expect(struct sim *sim, usec_t delay, happening_fn *fn, void *context)
{
	plan(sim, delay, fn, context, true);
}

bool
sim_fault(struct sim *sim, int per_mille)
{
	return !sim->calm && random_is(&sim->random, per_mille);
}

usec_t
sim_delay(struct sim *sim, usec_t least, usec_t most)
{
	return least +
	       (usec_t)(random_bits(&sim->random) % (uint64_t)(most - least + 1));
}

void
sim_ring(struct sim *sim)
{
	worker_ring(sim->workers[random_below(&sim->random, SIM_WORKERS)]);
}

/* ---- after a transaction ---- */

/* What its parent reads is kept until that is over. */
static bool
is_kept(const struct sim *sim, const struct sim_run *run)
{
	const struct sim_run *parent = store_run(&sim->store, run->parent_run);

	return parent != NULL && !run_is_over(parent->status);
}

static void
forget_children(struct sim *sim, int64_t parent)
{
	list_each_safe (link, &sim->store.open) {
		struct sim_run *run = container_of(link, struct sim_run, link);

		if (run->parent_run == parent && run_is_over(run->status) &&
		    run->status != RUN_CRASHED)
			store_forget_run(&sim->store, run);
	}
}

static void
note_end(struct sim *sim, struct sim_run *run)
{
	int64_t id = run->id;

	check_ended(sim, run);
	sim->stats.runs++;
	sim->stats.ended[run->status]++;
	sim->store.open_count--;
	if (run->steps_count > sim->stats.longest)
		sim->stats.longest = run->steps_count;
	if (sim->verbose)
		check_show(run);
	if (!is_kept(sim, run))
		store_forget_run(&sim->store, run);
	forget_children(sim, id);
}

void
sim_committed(struct sim *sim)
{
	struct store *store = &sim->store;
	int count = store->touched_count;

	sim->stats.transactions++;
	store->touched_count = 0;
	for (int i = 0; i < count; i++) {
		store->touched[i]->touched = false;
		check_run(sim, store->touched[i]);
		check_concurrency(sim, store->touched[i]->flow);
	}
	/* Parents come after their children: their ids are lower. */
	for (int i = 0; i < count; i++)
		for (int k = i + 1; k < count; k++)
			if (store->touched[k]->id > store->touched[i]->id) {
				struct sim_run *other = store->touched[k];

				store->touched[k] = store->touched[i];
				store->touched[i] = other;
			}
	for (int i = 0; i < count; i++)
		if (run_is_over(store->touched[i]->status) &&
		    store->touched[i]->status != RUN_CRASHED)
			note_end(sim, store->touched[i]); /* a crashed one is resumed */
}

/* ---- the loop ---- */

static void
turn(struct sim *sim)
{
	struct heap_link *top = heap_top(&sim->agenda);
	struct happening *happening = container_of(top, struct happening, link);

	heap_remove(&sim->agenda, top);
	sim->stats.turns++;
	sim->store.now = top->at;
	sim->pending -= happening->expected;
	happening->fn(sim, happening->context);
	free(happening);
}

static void
begin(struct sim *sim)
{
	store_init(&sim->store, &sim->flows);
	scheduler_begin(sim);
	for (int i = 0; i < SIM_WORKERS; i++)
		sim->workers[i] = worker_new(sim, i);
	people_begin(sim);
}

/* Without faults, and without new runs, all that there is ends. */
static void
settle(struct sim *sim)
{
	usec_t until = sim->store.now + CALM_MOST;

	sim->calm = true;
	while ((sim->store.open_count > 0 || sim->pending > 0) &&
	       sim->store.now < until)
		turn(sim);
	check_all_ended(sim);
}

static void
end(struct sim *sim)
{
	struct heap_link *top;

	while ((top = heap_top(&sim->agenda)) != NULL) {
		heap_remove(&sim->agenda, top);
		free(container_of(top, struct happening, link));
	}
	heap_fini(&sim->agenda);
	for (int i = 0; i < SIM_WORKERS; i++)
		worker_free(&sim->workers[i]);
	scheduler_end(sim);
	store_fini(&sim->store);
	model_queue_forget(&sim->queue);
	sim->agenda = (struct heap){ 0 };
	sim->pending = 0;
	sim->calm = false;
}

static bool
load(struct sim *sim, const struct options *options)
{
	for (int i = 0; i < options->files_count; i++)
		if (!flows_load(&sim->flows, options->files[i]))
			return false;
	if (options->files_count == 0)
		flows_generate(&sim->flows, &sim->random, FLOWS);
	return true;
}

/* One world after the other, each with workflows of its own. */
static bool
simulate(struct sim *sim, const struct options *options)
{
	while (sim->stats.results < options->steps) {
		long until = sim->stats.results + FLOW_LIFE;

		if (!load(sim, options))
			return false;
		if (until > options->steps)
			until = options->steps;
		begin(sim);
		while (sim->stats.results < until)
			turn(sim);
		settle(sim);
		end(sim);
		flows_fini(&sim->flows);
		sim->flows = (struct flows){ 0 };
	}
	return true;
}

static void
summarize(const struct sim *sim, double seconds)
{
	const struct sim_stats *stats = &sim->stats;

	printf(
	    "%ld steps of %ld runs in %.1f s: %ld transactions, %ld completed, %ld "
	    "failed, %ld cancelled, %ld timed out; %ld deaths, %ld zombies, %ld lost "
	    "answers (%ld asked about), %ld failed flushes, %ld fenced results, %ld "
	    "handed back; at most %d rows\n",
	    stats->results, stats->runs, seconds, stats->transactions,
	    stats->ended[RUN_COMPLETED], stats->ended[RUN_FAILED],
	    stats->ended[RUN_CANCELLED], stats->ended[RUN_TIMED_OUT], stats->deaths,
	    stats->zombies, stats->lost_answers, stats->checked, stats->failed,
	    stats->fenced, stats->handed_back, stats->longest);
}

/* ---- the command line ---- */

static const char usage[] =
    "usage: sim [--seed S] [--steps N] [--flow FILE.yaml]... [--verbose]\n";

static bool
read_options(struct options *options, int argc, char **argv)
{
	static const struct option known[] = { { "seed", required_argument, NULL, 's' },
					       { "steps", required_argument, NULL,
						 'n' },
					       { "flow", required_argument, NULL, 'f' },
					       { "verbose", no_argument, NULL, 'v' },
					       { 0 } };
	int got;

	while ((got = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (got == 's')
			options->seed = strtoull(optarg, NULL, 10);
		else if (got == 'n')
			options->steps = strtol(optarg, NULL, 10);
		else if (got == 'f')
			options->files[options->files_count++] = optarg;
		else if (got == 'v')
			options->verbose = true;
		else
			return false;
	}
	return optind == argc && options->steps > 0;
}

static double
seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	struct options options = { .seed = (uint64_t)time(NULL), .steps = 100000 };
	struct sim *sim = xcalloc(1, sizeof *sim);
	double begun = seconds_now();
	int status = EXIT_FAILURE;

	options.files = xcalloc((size_t)argc, sizeof *options.files);
	if (!read_options(&options, argc, argv)) {
		fputs(usage, stderr);
		goto out;
	}
	printf("seed %llu\n", (unsigned long long)options.seed);
	fflush(stdout);
	sim->seed = sim->random.state = options.seed;
	sim->verbose = options.verbose;
	check_begin(sim);
	if (!simulate(sim, &options))
		goto out;
	summarize(sim, seconds_now() - begun);
	status = EXIT_SUCCESS;
out:
	free(options.files);
	free(sim);
	return status;
}
