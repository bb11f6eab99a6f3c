/*
 * Starting a run of a workflow for a client, over HTTP or WebSocket: finds the
 * workflow, checks the input, stores the run together with all others that wait
 * (inserts.h) and its row of the audit log with it.
 *
 * An idempotency key belongs to the run (unique per project): the same call gets the
 * same run again, another call with it is refused.
 */
#ifndef FRONT_TRIGGER_H
#define FRONT_TRIGGER_H

#include "base/step_ref.h"
#include "engine/status.h"
#include "front/front.h"

struct problems;

/* Borrowed during the call. */
struct trigger_call {
	const char *workflow;        /* name or id */
	const struct json *input;    /* NULL: {} */
	const struct uuid *project;  /* whose run it is; NULL: the workflow's */
	const struct uuid *confined; /* the project that the key may not leave; NULL */
	const char *triggered_by;    /* NULL: "manual" */
	struct json *payload;        /* `trigger` of the run, storable; NULL: none */
	const char *requested_by;    /* NULL: nobody with a key */
	const struct json *tools;    /* that the run may use; NULL: all */
	const char *address;         /* of the client, or NULL */
	const char *key;             /* 1 to 255 bytes, or NULL */
	bool key_is_enough;   /* whatever else a repetition has, it gets the same run */
	const char *trace_id; /* or NULL */
	bool has_priority;    /* else the workflow's */
	enum priority priority;
	usec_t run_at;       /* 0: now */
	uint64_t read_after; /* position that the workflow must be read after, or 0 */
};

struct triggered {
	/* 202, or why not: 404, 409, 422 (text; problems of the input when it does not
	 * fit the schema), or 0: see err. */
	int status;
	const char *text;
	const struct problems *problems; /* or NULL */
	const struct err *err;
	struct uuid run;
	enum run_status run_status; /* pending or running */
	const char *read_after;     /* position that readers must have seen, or NULL */
};

typedef void triggered_fn(void *context, const struct triggered *triggered);

struct trigger;
/* Never calls back at once. Who asked may forget it before: what is accepted already is
 * stored all the same. */
struct trigger *trigger_begin(struct front *front, const struct trigger_call *call,
			      triggered_fn *done, void *context);
void trigger_forget(struct trigger **trigger_p);

#endif
