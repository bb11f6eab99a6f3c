/* What tools find out about a run (its branch, commit, pull request), and what they
 * have to know of its project. */
#ifndef STORE_RUN_FACTS_H
#define STORE_RUN_FACTS_H

#include "store/workers.h"

struct run_facts { /* NULL: stays as it is */
	const char *branch, *commit, *pull_request;
};

/* err: ERR_CONFLICT (the step is not held any more), or as pg_done_fn. */
typedef void facts_fn(void *context, const struct err *err);
void run_facts_set(struct pg *pg, const struct held_ref *held,
		   const struct run_facts *facts, facts_fn *done, void *context);

/* branch: valid during the callback; NULL with err. */
typedef void branch_fn(void *context, const char *branch, const struct err *err);
void run_facts_default_branch(struct pg *pg, const struct uuid *project,
			      branch_fn *done, void *context);

#endif
