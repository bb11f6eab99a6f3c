/*
 * What a run of a workflow begins as, whoever starts it: a client, a schedule, an
 * event.
 */
#ifndef STORE_RUN_START_H
#define STORE_RUN_START_H

#include "store/runs.h"

/* Who starts runs of what, and how. Borrowed. */
struct starter {
	const struct workflow *workflow;
	struct uuid definition;
	const struct uuid *project;  /* whose run it is; NULL: everybody's */
	const char *triggered_by;    /* "manual" */
	const struct uuid *schedule; /* that fired, or NULL */
	struct json *trigger;     /* what started it, as expressions see it, or NULL */
	const char *requested_by; /* or NULL: nobody */
	const struct json *tools; /* that the run may use; NULL: all */
	const char *address, *trace_id, *key; /* or NULL */
	bool has_priority;                    /* else the workflow's */
	enum priority priority;
	usec_t run_at; /* 0: now */
};

/* What is stored as input; the caller's. NULL: so that has(input.x) can be asked, an
 * object there is. */
struct json *start_input(const struct json *input);
/* A new run, without its steps; borrows all it is given. */
struct new_run start_run(const struct starter *starter, struct json *input,
			 const char *concurrency_key, usec_t now);

#endif
