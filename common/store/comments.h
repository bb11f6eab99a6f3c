/* Comments that steps make, each with its event in the run's log. */
#ifndef STORE_COMMENTS_H
#define STORE_COMMENTS_H

#include "store/workers.h"

struct new_comment {
	struct uuid id;
	bool on_step; /* rather than on the run */
	const char *author, *message;
	const struct json *metadata; /* or NULL */
};

/* seq: the number of the event; 0 when the comment was there already. err: ERR_CONFLICT
 * (the step is not held any more), or as pg_done_fn. */
typedef void added_fn(void *context, int64_t seq, const struct err *err);

void comments_insert(struct pg *pg, const struct held_ref *held,
		     const struct new_comment *comment, added_fn *done, void *context);

#endif
