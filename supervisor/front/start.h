/*
 * What starting a run means, whether one is started or ten thousand: what of the call
 * is read, which workflow may be run, what the new run is.
 */
#ifndef FRONT_START_H
#define FRONT_START_H

#include "front/catalog.h"
#include "store/runs.h"

/* Who starts runs of what, and how. Borrowed. */
struct starter {
	const struct workflow *workflow;
	struct uuid definition;
	const struct uuid *project; /* whose run it is; NULL: everybody's */
	const char *requested_by;
	const struct json *tools;             /* that the run may use; NULL: all */
	const char *address, *trace_id, *key; /* or NULL */
	bool has_priority;                    /* else the workflow's */
	enum priority priority;
	usec_t run_at; /* 0: now */
};

/* `priority` of a body; *has false when there is none. */
int start_read_priority(const struct json *body, bool *has, enum priority *priority,
			struct err *err);
/* `projectId` of a body into *room, if it stands there. A key that is bound to a
 * project (confined, or NULL) starts runs in that one only. *project: room, confined or
 * NULL. */
int start_read_project(const struct json *body, const struct uuid *confined,
		       struct uuid *room, const struct uuid **project, struct err *err);

/* 0, or the status of a refusal and why, the caller's: this workflow cannot be run. */
int start_refuses(const struct catalog_entry *entry, const struct uuid *confined,
		  char **why);
/* What is stored as input; the caller's. NULL: so that has(input.x) can be asked, an
 * object there is. */
struct json *start_input(const struct json *input);
/* A new run, without its steps; borrows all it is given. */
struct new_run start_run(const struct starter *starter, struct json *input,
			 const char *concurrency_key, usec_t now);

#endif
