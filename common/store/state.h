/*
 * The state of a run, key by key, for the steps of that run: written through at once,
 * under the fence of the attempt that writes.
 */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include "store/workers.h"

#define STATE_BYTES_MAX (1024 * 1024) /* of the whole state as JSON text */

/* err: ERR_CONFLICT (the step is not held any more), ERR_LIMIT (the state would be too
 * large), or as pg_done_fn. found: of get and delete, whether there was one. value: of
 * get, the receiver's. */
typedef void state_fn(void *context, bool found, struct json *value,
		      const struct err *err);

void state_set(struct pg *pg, const struct held_ref *held, const char *key,
	       const struct json *value, state_fn *done, void *context);
void state_get(struct pg *pg, const struct uuid *run, const char *key, state_fn *done,
	       void *context);
void state_delete(struct pg *pg, const struct held_ref *held, const char *key,
		  state_fn *done, void *context);

#endif
