/*
 * Rows of worker processes and of hosts: registration, the one lease of each worker,
 * declaring dead, giving steps back. Declared dead first, requeued second, in one
 * transaction; see sql/workers_bury.sql.
 */
#ifndef STORE_WORKERS_H
#define STORE_WORKERS_H

#include "base/ending.h"
#include "store/pg.h"

struct worker_row {
	struct uuid id, node;
	int pid, slots;
	const char *version;
	const char *const *queues;
	size_t queues_count;
	usec_t lease;
};

void workers_register(struct pg *pg, const struct worker_row *row, pg_done_fn *done,
		      void *context);
/* Renews the lease and tells which of the held steps (run, number, fence) are held no
 * more (cancelled, timed out, taken away). */
struct held_ref {
	struct uuid run;
	int number, fence;
};
/* lost: indexes into refs. err ERR_DENIED: declared dead. */
typedef void renewed_fn(void *context, const int *lost, size_t count,
			const struct err *err);
void workers_renew(struct pg *pg, const struct uuid *worker, usec_t lease, int used,
		   const struct held_ref *refs, size_t count, renewed_fn *done,
		   void *context);
/* Orderly end: gives back what is still held without spending an attempt (drain), and
 * marks the row as ended. ids of the steps made ready come back for the queue. */
struct ready_ref {
	struct step_ref ref;
	const char *queue;
	enum priority priority;
};
typedef void ready_fn(void *context, const struct ready_ref *refs, size_t count,
		      const struct err *err);
void workers_leave(struct pg *pg, const struct uuid *worker, ready_fn *done,
		   void *context);
/* Gives back single steps that did not end in time (drain). */
void workers_hand_back(struct pg *pg, const struct uuid *worker,
		       const struct held_ref *refs, size_t count, ready_fn *done,
		       void *context);
/* Declares a worker dead and requeues its steps as the next attempt (losses + 1), with
 * event run.recovered (reason "worker lost") once per run. Harmless when done twice.
 * ending: what its parent saw of its end, or NULL when nobody saw it. */
void workers_bury(struct pg *pg, const struct uuid *worker, const struct ending *ending,
		  ready_fn *done, void *context);
/* Ids of workers whose lease ended, or that are dead and still hold steps. */
typedef void worker_ids_fn(void *context, const struct uuid *ids, size_t count,
			   const struct err *err);
void workers_expired(struct pg *pg, worker_ids_fn *done, void *context);

/* A node's row. followed: the wish of somebody elsewhere that was followed (-1: none).
 * The row of the answer: another wish (null: none), and the nodes as JSON. */
void nodes_beat(struct pg *pg, const struct uuid *node, const char *host, int pid,
		const char *version, int desired, int running, const char *status,
		int followed, pg_done_fn *done, void *context);

#endif
