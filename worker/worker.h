/*
 * A worker process: what its rooms share, and the ring pop -> claim -> slots -> finish.
 * worker.c turns it; slot.c runs one step; finish.c stores results; live_run.c keeps
 * what is known of the runs in hand; definitions.c the workflows they follow.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <stdbool.h>

#include "actions/action.h"
#include "base/ending.h"
#include "base/list.h"
#include "loop/parent.h"
#include "slots_core.h"
#include "store/claims.h"

struct definitions;
struct finish;
struct recorder;
struct live_runs;
struct records;
struct secrets;

struct worker {
	struct loop *loop;
	const struct settings *settings;
	struct uuid id;
	struct pg *pg;       /* claims, finishes, leases */
	struct pg *steps_pg; /* what steps write through: state, comments, artifacts */
	struct queue *queue;
	struct popper *popper;
	struct subscriber *control;
	struct claimer *claimer;
	struct httpc *httpc;
	struct programs *programs;
	struct mcp *mcp;
	struct mask *mask;
	struct secrets *secrets;
	struct parent *parent;
	struct services services;
	struct definitions *definitions;
	struct live_runs *runs;
	struct finish *finish;
	struct recorder *recorder;
	struct records *records; /* of runs that ended here */

	struct list slots; /* struct slot.link, all that are in use */
	int used;          /* their number */
	int alone;         /* of them: steps that are to run alone; 0 or 1 */
	struct slots_core order;
	struct step_ref popped[QUEUE_POP_MAX]; /* named to us, not claimed yet */
	size_t popped_count;
	usec_t looked_at; /* monotonic; of the last claim that named nothing */
	bool registered;  /* our row is in the database */
	bool claiming;    /* a claim is under way */
	bool turning;     /* worker_turn is deferred */
	bool draining;    /* takes nothing new */
	bool hurrying;    /* what is held goes back instead of starting */
	bool leaving;     /* the last transaction is under way */
	bool gone;        /* declared dead, or left: store nothing more */
	bool others_wait; /* something ready waits for a slot; asked at most each 100 ms
			   */
	usec_t others_asked; /* monotonic */
	usec_t aside_asked;  /* monotonic; whether we still have to stand aside */
	usec_t lease_until;  /* monotonic; past it no effect may start */
	usec_t renew_sent;   /* monotonic; of the renewal under way */
	bool renewing;
	struct timer *renew_timer;
	struct signal_watch *term, *hup;
	int exit_status;
};

/* NULL and err, or a worker that registers itself as soon as PostgreSQL is there. id as
 * the parent gave it, or NULL. */
struct worker *worker_new(struct loop *loop, const struct settings *settings,
			  const struct uuid *id, struct err *err);
void worker_free(struct worker **worker_p);

void worker_turn(struct worker *worker);      /* soon: look for work, or leave */
void worker_drain(struct worker *worker);     /* take nothing new, finish, leave */
void worker_drain_now(struct worker *worker); /* hand back what does not end at once */
/* Declared dead: stop everything, store nothing, exit so that another starts. */
void worker_buried(struct worker *worker);
/* Another worker died: its steps go back to the queue (asked by the parent). */
void worker_bury_other(struct worker *worker, const struct uuid *id,
		       const struct ending *ending);
bool worker_may_start(const struct worker *worker); /* is the lease ours for sure */
void worker_renew(struct worker *worker);           /* now */
void worker_say_slots(struct worker *worker);
/* May the next step of a run go on here, in the slot it is in? */
bool worker_keeps(struct worker *worker, const char *queue, int streak, usec_t since);

#endif
