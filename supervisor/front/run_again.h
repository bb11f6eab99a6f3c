/*
 * Running a run again, within a change: from where it failed, or from its beginning,
 * with the same input and version. The new run is stored and told to the queue with the
 * change.
 */
#ifndef FRONT_RUN_AGAIN_H
#define FRONT_RUN_AGAIN_H

#include "front/change.h"
#include "store/transitions.h"

enum again_outcome {
	AGAIN_STORED,
	AGAIN_NO_RUN,
	AGAIN_NO_DEFINITION, /* it no longer loads */
	AGAIN_NOT_NOW, /* by its status: not over; or completed, so nothing failed */
	AGAIN_FAILED   /* see err: the transaction is lost */
};

struct again_result {
	enum again_outcome outcome;
	struct uuid run;        /* of STORED: the new one */
	enum run_status status; /* of NOT_NOW: the old one's */
	const struct err *err;
};

typedef void again_done_fn(void *context, const struct again_result *result);

/* One call; the caller's memory, which must last until done, or until the change is
 * gone. */
struct run_again {
	struct change *change;
	usec_t now;
	struct uuid run; /* the old one; then the new one */
	bool from_failure;
	const char *by;           /* borrowed as long */
	const struct json *tools; /* that the new one may use, too; NULL: all */
	again_done_fn *done;
	void *context;
};

/* All of *again is filled in by the caller. done comes once, on a later turn. */
void run_again_begin(struct run_again *again);

#endif
