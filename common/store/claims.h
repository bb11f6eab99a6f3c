/*
 * Claiming: how a worker gets steps. One statement with two sources: the steps named by
 * popped queue entries, then, with the slots left, whatever is ready and locked by
 * nobody, oldest first from a low-water mark; every 2 s once without the mark. A claim
 * gives each step a new fence. It touches steps only and never waits. A step that is to
 * run alone comes alone, and only to a worker that holds nothing.
 */
#ifndef STORE_CLAIMS_H
#define STORE_CLAIMS_H

#include "store/pg.h"

struct claimer;

struct claimed {
	struct uuid run;
	int number, fence, attempt, losses, deaths;
	const char *step_key;
	bool woke;           /* it waited, and its time has come */
	bool started_before; /* started event is already in the log */
	usec_t started_at;   /* of this attempt, the database's clock */
	struct uuid definition, project;
	const char *run_id, *project_path, *triggered_by;
	struct json *tools;   /* that the run may use; NULL: all */
	const char *trace_id; /* or NULL */
	struct json *input, *trigger,
	    *state; /* the receiver's: take and set NULL, or left */
	enum priority priority;
	const char *queue;
	/* as in engine/advance_core.h */
	int phase, parent, item_index, iteration; /* item_index -1: none */
	int remaining_needs;
	bool is_item;
	struct json *item; /* the receiver's */
	struct uuid parent_run;
	bool has_parent_run;
	const char *concurrency_key; /* or NULL */
	struct json *last_death; /* the receiver's too; not NULL: it is to run alone */
	struct json *made; /* likewise; of a row that a program asked for, or NULL */
};

/* list is valid during the callback only, but for what is taken. err: as pg_done_fn. */
typedef void claimed_fn(void *context, struct claimed *list, size_t count,
			const struct err *err);

struct claimer *claimer_new(struct pg *pg, struct loop *loop, const struct uuid *worker,
			    const char *const *queues, size_t queues_count);
void claimer_free(struct claimer **claimer_p);
/* One claim at a time. refs may be none; most: free slots (at most 256); own_search
 * false: named ones only; empty: the worker holds nothing. err ERR_DENIED: this worker
 * was declared dead. After ERR_LOST the next claim answers what the lost one took, and
 * looks at no queue. */
void claimer_claim(struct claimer *claimer, const struct step_ref *refs, size_t count,
		   int most, const enum priority order[static PRIORITIES],
		   bool own_search, bool empty, claimed_fn *done, void *context);

/* The last claim came back full: there is more. */
bool claimer_has_more(const struct claimer *claimer);
/* A step waits that is to run alone, and this worker is the one to make room for it:
 * claims bring nothing until it holds nothing, or the step was taken. */
bool claimer_stands_aside(const struct claimer *claimer);
/* Is anything ready in these queues (limit 1 per queue and priority)? */
typedef void ready_exists_fn(void *context, bool ready, const struct err *err);
void claimer_ready_exists(struct claimer *claimer, ready_exists_fn *done,
			  void *context);

/* Outputs, errors and statuses of the newest visits of named steps of runs: what the
 * claimed steps refer to. keys NULL: all steps of that run. */
struct visits_request {
	struct uuid run;
	const char *const *keys;
	size_t keys_count;
};
struct visit_row {
	struct uuid run;
	const char *key;
	int number;
	int status;                  /* enum step_status */
	struct json *output, *error; /* the receiver's */
};
typedef void visits_fn(void *context, struct visit_row *list, size_t count,
		       const struct err *err);
void visits_load(struct pg *pg, const struct visits_request *requests, size_t count,
		 visits_fn *done, void *context);

/* What a step finds that comes back after it waited, sql/steps_back.sql. */
struct back_row {
	struct json *outputs, *error; /* the receiver's, as all JSON here */
	int visits;
	int approval; /* its status, or -1: there is none */
	struct json *args, *by, *comment, *at;
	int child; /* status of the run that it started, or -1: there is none */
	struct json *child_output, *child_error;
	struct uuid child_id;
};
typedef void back_fn(void *context, struct back_row *row, const struct err *err);
void back_load(struct pg *pg, const struct uuid *run, int number, back_fn *done,
	       void *context);

/* The workflow that a step of this run starts, by name. */
typedef void to_start_fn(void *context, const struct uuid *definition, int depth,
			 const struct err *err); /* definition NULL: there is none */
void to_start_find(struct pg *pg, const struct uuid *run, const char *name,
		   to_start_fn *done, void *context);

#endif
