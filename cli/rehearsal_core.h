/*
 * The engine's side of a workflow program that is tested against recorded results: what
 * is answered to each of its messages, and what of it is worth telling. Pure; who
 * starts the program and moves the lines is workflow_test.c.
 */
#ifndef CLI_REHEARSAL_CORE_H
#define CLI_REHEARSAL_CORE_H

#include "base/err.h"
#include "json/json.h"

enum rehearsal_end {
	REHEARSAL_GOES_ON,
	REHEARSAL_DONE,     /* the program ended well */
	REHEARSAL_FAILED,   /* it said that it failed */
	REHEARSAL_DIVERGED, /* it asked for something else than what is recorded */
	REHEARSAL_BEYOND,   /* the record ends here: a run would go on from here */
	REHEARSAL_ENDS
};

/* What became of a step that was asked for. */
enum rehearsed {
	REHEARSED_RECORDED, /* answered from the record */
	REHEARSED_RUN,      /* not there: its function is run */
	REHEARSED_MISSING,  /* not there, and only an engine could do it */
	REHEARSED_DIVERGED,
	REHEARSEDS
};

struct rehearsal;

/* record: a run as the API shows it ({status, steps: [...]}), or an object from names
 * of steps to their outputs ({"$error": {code, message}}: it failed); NULL: nothing is
 * recorded. input: what the run is given; NULL: the record's, or {}. Both borrowed. */
struct rehearsal *rehearsal_new(const struct json *record, const struct json *input,
				const char *folder, struct err *err);
void rehearsal_free(struct rehearsal **rehearsal_p);

/* One message of the program. *answer: what is written back, NULL: nothing; the
 * caller's. -1: it is no message of the protocol. */
int rehearsal_take(struct rehearsal *rehearsal, const struct json *message,
		   struct json **answer, struct err *err);
enum rehearsal_end rehearsal_end(const struct rehearsal *rehearsal);
/* {workflow, end, steps: [{name, action, was}], unasked: [names], output, error, state,
 * comments, artifacts}; unasked: what is recorded and was not asked for. Borrowed. */
const struct json *rehearsal_report(struct rehearsal *rehearsal);
const char *rehearsed_name(enum rehearsed rehearsed); /* "recorded", ... */

#endif
