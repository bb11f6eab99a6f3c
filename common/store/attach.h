/*
 * What people attach to a run, whatever its status: comments and files, each with its
 * event in the run's log. What steps attach: comments.h, artifacts.h.
 */
#ifndef STORE_ATTACH_H
#define STORE_ATTACH_H

#include "store/artifacts.h"

struct attached {
	struct uuid run;
	int64_t seq;     /* of the event */
	const char *doc; /* the row as the HTTP API shows it: JSON */
	size_t doc_len;
};

/* attached NULL with err ERR_NONE: there is no such run (any more). Both are valid
 * during the callback. */
typedef void attached_fn(void *context, const struct attached *attached,
			 const struct err *err);

/* step 0: to the run itself; on_step and of_step of what is attached do not count. */
void attach_comment(struct pg *pg, const struct uuid *run, int step,
		    const struct new_comment *comment, attached_fn *done,
		    void *context);
void attach_artifact(struct pg *pg, const struct uuid *run, int step,
		     const struct new_artifact *artifact, attached_fn *done,
		     void *context);

#endif
