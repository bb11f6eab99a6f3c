/* What is kept for a time only: runs that are over, and the ledger of firings. */
#ifndef STORE_RETENTION_H
#define STORE_RETENTION_H

#include "store/pg.h"

/* A run that is older than runs are kept; its path lives during the callback only. */
struct old_run {
	struct uuid id, project;
	usec_t completed_at;
	const char *project_path; /* "": it has no folder */
	bool may_go;              /* no parent, and nothing younger below it */
};

/* The oldest `most` of them behind that one (NULL: of all). */
struct old_place {
	usec_t completed_at;
	struct uuid id;
};
typedef void old_runs_fn(void *context, const struct old_run *runs, size_t count,
			 const struct err *err);
void runs_expired(struct pg *pg, usec_t kept, const struct old_place *behind, int most,
		  old_runs_fn *done, void *context);

/* They go with their rows, but for those that were resumed meanwhile. */
typedef void expired_fn(void *context, size_t gone, const struct err *err);
void runs_expire(struct pg *pg, usec_t kept, const struct uuid *ids, size_t count,
		 expired_fn *done, void *context);

/* Entries of the ledger, `most` of them looked at from a moment on (0: all). last: when
 * the last of these was written. */
typedef void expired_firings_fn(void *context, size_t seen, size_t gone, usec_t last,
				const struct err *err);
void schedule_firings_expire(struct pg *pg, usec_t kept, usec_t from, int most,
			     expired_firings_fn *done, void *context);

#endif
