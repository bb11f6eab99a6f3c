/*
 * Runs as others than workers change them: inserted in groups by a supervisor, ended
 * from outside (cancel, time out, crash), moved by the clock.
 */
#ifndef STORE_RUNS_H
#define STORE_RUNS_H

#include "engine/advance_core.h"
#include "engine/status.h"
#include "store/pg.h"
#include "store/workers.h"

/* One of its first steps; see engine/advance_core.h. */
struct new_step {
	const char *key, *queue;
	int number, max_attempts, needs, parent;
};

struct new_run {
	struct uuid id;
	struct uuid definition;
	const char *workflow_name;    /* run_id is NAME-NUMBER */
	const struct uuid *project;   /* NULL: the workflow's, else "default" */
	struct json *input, *trigger; /* borrowed; storable */
	enum priority priority;
	const char *triggered_by;    /* "manual" */
	const struct uuid *schedule; /* that fired, or NULL */
	const char *requested_by;    /* or NULL */
	const char *idempotency_key; /* or NULL */
	bool audited;                /* somebody asked for it, from there: */
	const char *address;         /* or NULL */
	const char *trace_id;        /* or NULL */
	usec_t timeout;              /* of the whole run; 0: none */
	usec_t run_at;               /* 0: now; else the run is pending until then */
	const char
	    *concurrency_key; /* or NULL: it begins at once; else runs_admit lets it */
	int concurrency_limit;
	bool crash_on_interrupt;
	const struct json *tools;     /* that it may use, borrowed; NULL: all */
	const struct uuid *retry_of;  /* the run that this one is a retry of, or NULL */
	const struct new_step *steps; /* the first ones */
	size_t steps_count;
};

/* What a run of it begins with; the caller's, its texts are the workflow's. */
struct new_step *new_steps_of(const struct workflow *workflow, size_t *count);

struct new_step *new_steps_from(const struct workflow *workflow,
				const struct first_step *first, size_t count);

/* One transaction for all. err ERR_CONFLICT "workflow_runs_idempotency...": one of them
 * is a repetition; the caller then sends them one by one. */
void runs_insert(struct pg *pg, const struct new_run *runs, size_t count,
		 pg_end_fn *done, void *context);

/* The same as part of a transaction. */
void runs_insert_into(struct pg_batch *batch, const struct new_run *runs, size_t count);
/* A run that a step starts: with its finish, in the same transaction, and only if that
 * is taken. */
void runs_insert_child(struct pg_batch *batch, const struct new_run *run,
		       const struct uuid *parent, int number, int fence);
/* Lets pending runs of a key begin, as many as its limit allows, RUNS_ADMIT_MOST at a
 * time. done may be NULL. */
#define RUNS_ADMIT_MOST 100
void runs_admit(struct pg *pg, const char *concurrency_key, ready_fn *done,
		void *context);

/* Ends a run from outside: status and event by how, open steps become cancelled. The
 * answer: the run's status before and after; count 0 rows: no such run. Nothing changes
 * when it is over already (before == after). */
enum run_end { RUN_END_CANCEL, RUN_END_TIME_OUT, RUN_END_CRASH };
struct ended_run {
	struct uuid id;
	enum run_status before, after;
	int64_t seq;
};
typedef void ended_fn(void *context, const struct ended_run *runs, size_t count,
		      const struct err *err);
void runs_end(struct pg *pg, const struct uuid *ids, size_t count, enum run_end how,
	      const char *reason, const char *by, ended_fn *done, void *context);

/* ---- the clock's part (scheduler) ---- */

/* Steps and runs with a time (retrying, waiting, pending runs with runAt) up to
 * `until`, earliest first, at most `most`; the time of each comes back. */
struct timer_row {
	struct step_ref ref;
	usec_t run_at;
};
typedef void timers_fn(void *context, const struct timer_row *rows, size_t count,
		       const struct err *err);
void timers_load(struct pg *pg, usec_t until, int most, timers_fn *done, void *context);
/* Makes those of the named steps ready whose time has come by the database's clock. */
void timers_fire(struct pg *pg, const struct step_ref *refs, size_t count,
		 ready_fn *done, void *context);
/* Runs past their deadline / runs that nothing can move (running, yet no open step). */
typedef void run_ids_fn(void *context, const struct uuid *ids, size_t count,
			const struct err *err);
void runs_overdue(struct pg *pg, run_ids_fn *done, void *context);
void runs_stuck(struct pg *pg, run_ids_fn *done, void *context);
/* Child runs whose parent no longer waits for them. */
void runs_orphaned(struct pg *pg, run_ids_fn *done, void *context);

#endif
