/*
 * Calls that try a workflow out: {input, steps, ...} for the workflow of the path.
 * `steps` gives outputs of its steps by their ids.
 */
#ifndef FRONT_TRIAL_H
#define FRONT_TRIAL_H

#include "front/catalog.h"
#include "front/route.h"

struct trial {
	struct exchange *exchange;
	struct front *front;
	struct json *body;          /* borrowed; an object, or NULL: there was none */
	struct json *input, *steps; /* owned; objects where nothing was sent */
	void (*go)(struct trial *trial, const struct catalog_entry *entry);
};

/* Reads the body, whose keys are input, steps and those of `more` (ended by NULL),
 * finds the workflow, and calls go with it at once or on a later turn; entry is valid
 * during the call. What is wrong is answered here. go ends the trial with trial_end
 * before it answers. Within a change it is done although the client is gone. */
void trial_begin(struct exchange *exchange, const char *const *more,
		 void (*go)(struct trial *trial, const struct catalog_entry *entry));
/* Frees it; the exchange can be answered, or get another state. */
struct exchange *trial_end(struct trial *trial);

#endif
