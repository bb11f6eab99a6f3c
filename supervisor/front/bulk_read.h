/*
 * The body of POST /executions/bulk, {action, ids} or {action, filter}: read, checked,
 * and made the arguments of the statement that finds the runs.
 */
#ifndef FRONT_BULK_READ_H
#define FRONT_BULK_READ_H

#include "front/api.h"

#define BULK_CANCELS_MAX 1000 /* runs in one call */
#define BULK_RETRIES_MAX 200

enum bulk_action { BULK_CANCEL, BULK_RETRY, BULK_ACTIONS };

struct bulk_request {
	enum bulk_action action;
	size_t most;
	size_t ids;            /* how many were named; 0: by filter */
	const char *statement; /* runs_named or runs_matching: id, run number */
	struct pg_args args;   /* its arguments; pg_args_fini */
};

/* -1: it was refused, and that was said; nothing is to be freed. */
int bulk_read(struct exchange *exchange, struct bulk_request *request);

#endif
