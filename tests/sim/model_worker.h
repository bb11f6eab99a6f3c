/*
 * The model of a worker: the shells of worker/slot.c and worker/finish.c around the
 * real cores, without a loop, actions or connections. It may die, and it may go on
 * although it was declared dead.
 */
#ifndef SIM_MODEL_WORKER_H
#define SIM_MODEL_WORKER_H

#include "sim.h"

struct sim_worker *worker_new(struct sim *sim, int place);
void worker_free(struct sim_worker **worker_p);
/* Looks for work, soon. */
void worker_ring(struct sim_worker *worker);
/* The process ends without a word; another one follows it. */
void worker_kill(struct sim_worker *worker);
/* It is declared dead although it lives. */
void worker_declare_dead(struct sim_worker *worker);
/* Gives back what it holds, and goes on. */
void worker_hand_back(struct sim_worker *worker);

#endif
