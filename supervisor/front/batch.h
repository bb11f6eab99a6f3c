/*
 * Many runs of one workflow, in one transaction: each input is checked first, over
 * several turns, then all are stored, in a statement per BATCH_CHUNK of them. Nobody
 * holds more than one chunk of them parsed.
 */
#ifndef FRONT_BATCH_H
#define FRONT_BATCH_H

#include "front/change.h"
#include "front/inputs_core.h"
#include "front/start.h"

#define BATCH_MAX         10000               /* runs */
#define BATCH_BYTES_MAX   (64L * 1024 * 1024) /* of a body */
#define BATCH_ROWS_MAX    500000              /* first steps of all of them */
#define BATCH_ERRORS_MAX  100
#define BATCHES_BYTES_MAX (256UL * 1024 * 1024) /* of all bodies that are held */

struct batch;

/* Borrowed until the answer, but for what starter lacks: workflow and definition. */
struct batch_call {
	const char *workflow; /* name or id */
	const char *body;
	const struct input_place *inputs; /* in it */
	size_t count;
	struct starter starter;
	const struct uuid *confined; /* the project that the key may not leave; NULL */
	uint64_t read_after;
};

struct batch_result {
	/* 202, or why not: 400, 404, 409, 413, 422 (text, and problems or NULL), or 0:
	 * see err. */
	int status;
	const char *text;
	const struct problems *problems;
	const struct err *err;
	const char *workflow_name;
	const struct uuid *ids; /* of the runs, in the order of the inputs */
	size_t count;
};
typedef void batch_fn(void *context, const struct batch_result *result);

/* Within the change, whose bells it hangs up. done comes once, during which the batch
 * may be freed. */
struct batch *batch_begin(struct front *front, struct change *change,
			  const struct batch_call *call, batch_fn *done, void *context);
/* What was sent is for the change to undo; done will not come. */
void batch_free(struct batch **batch_p);

#endif
