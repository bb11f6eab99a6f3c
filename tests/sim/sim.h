/* What all rooms of the simulation share: the clock, the dice, and what is to happen.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "base/heap.h"
#include "flows.h"
#include "model.h"
#include "model_queue.h"
#include "random.h"
#include "scheduler/timers_core.h"

#define SIM_WORKERS 4
#define SIM_RUNS    24 /* at once, about */

struct sim;
struct sim_worker;

typedef void happening_fn(struct sim *sim, void *context);

struct sim_stats {
	long turns, transactions, results, fenced, runs, deaths, zombies, lost_answers,
	    failed, checked, handed_back, ended[RUN_STATUSES];
	int longest; /* rows of a run */
};

struct sim {
	uint64_t seed;
	struct random random;
	struct heap agenda;
	struct store store;
	struct model_queue queue;
	struct flows flows;
	struct sim_worker *workers[SIM_WORKERS];
	struct timers_core timers;
	bool calm; /* no more faults, no new runs: everything must come to its end */
	bool verbose;
	int pending; /* happenings that somebody waits for: answers, deaths, actions */
	struct sim_stats stats;
};

/* Calls fn once, so much later. */
void sim_after(struct sim *sim, usec_t delay, happening_fn *fn, void *context);
/* The same, and the simulation does not end before. */
void sim_expect(struct sim *sim, usec_t delay, happening_fn *fn, void *context);
/* A fault? So many times in a thousand, never when it is calm. */
bool sim_fault(struct sim *sim, int per_mille);
usec_t sim_delay(struct sim *sim, usec_t least, usec_t most);
/* After each transaction. */
void sim_committed(struct sim *sim);
/* Somebody may have work: the workers that wait look at once. */
void sim_ring(struct sim *sim);

#endif
