/*
 * The workflow definitions this worker follows: read from the store once, kept by id. A
 * definition never changes, so nothing is ever looked up twice while it is in use.
 */
#ifndef WORKER_DEFINITIONS_H
#define WORKER_DEFINITIONS_H

#include "engine/workflow.h"
#include "store/pg.h"

struct definition {
	struct uuid id;
	struct workflow *workflow;
	/* The steps whose outputs anything in it reads: what a claimed run must know.
	 */
	const char **read_keys;
	size_t read_count;
	bool reads_all;
	int users;
	uint64_t used_at; /* for what to forget first */
};

struct definitions;

/* definition: with a user counted for the receiver, or NULL with err (ERR_NOT_FOUND or
 * ERR_INPUT: it will never load; ERR_RETRY, ERR_LOST: later). Comes on a later turn. */
typedef void definition_fn(void *context, struct definition *definition,
			   const struct err *err);

struct definitions *definitions_new(struct pg *pg, struct loop *loop);
void definitions_free(struct definitions **definitions_p);
/* At once if it is known (and counts a user), else NULL: then ask definitions_load. */
struct definition *definitions_get(struct definitions *definitions,
				   const struct uuid *id);
void definitions_load(struct definitions *definitions, const struct uuid *id,
		      definition_fn *done, void *context);
void definitions_drop(struct definitions *definitions,
		      struct definition **definition_p);
void definitions_forget(struct definitions *definitions, const void *context);

#endif
