/*
 * What people decide about a run from outside: pause, resume, approve, deny; and
 * running one again. Each is one statement under the run's lock, so a finish in flight
 * is either seen by it or sees it, whoever sends it from wherever.
 */
#ifndef STORE_TRANSITIONS_H
#define STORE_TRANSITIONS_H

#include "store/runs.h"

/* What became of a run. */
struct changed_run {
	struct uuid id;
	enum run_status before, after;
	bool changed; /* false: it was not in a status in which this can be done */
	int64_t seq;
	const struct ready_ref *ready; /* to be told to the queue */
	size_t ready_count;
};

/* run NULL: there is none (of an approval: none is pending). Valid during the callback.
 */
typedef void changed_fn(void *context, const struct changed_run *run,
			const struct err *err);

void run_pause(struct pg *pg, const struct uuid *run, const char *by, changed_fn *done,
	       void *context);
void run_resume(struct pg *pg, const struct uuid *run, const char *by, changed_fn *done,
		void *context);
void approval_decide(struct pg *pg, const struct uuid *run, int step, bool approved,
		     const char *by, const char *comment, changed_fn *done,
		     void *context);

/* ---- again ---- */

/* How a run was started, and its rows: [[number, key, status, parent, is item], ...].
 */
struct again_row {
	struct uuid definition, project;
	struct json *input, *trigger, *rows; /* borrowed */
	enum priority priority;
	enum run_status status;
	bool is_test; /* of one step: what came before it was given, not run */
	const char *source;
	size_t source_len;
};

typedef void again_fn(void *context, const struct again_row *row,
		      const struct err *err); /* row NULL: there is no such run */
void again_load(struct pg *pg, const struct uuid *run, again_fn *done, void *context);
/* Stores a run that takes over the rows `kept` of another; run->retry_of says which. */
void again_store(struct pg *pg, const struct new_run *run, const int *kept,
		 size_t kept_count, pg_end_fn *done, void *context);

#endif
