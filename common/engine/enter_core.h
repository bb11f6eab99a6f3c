/*
 * Pure: what a claimed step does first. It may be skipped, ask for approval, fan out,
 * or be the engine's own action, and then no action of the worker runs. A step that
 * waited comes back here with what it waited for.
 */
#ifndef ENGINE_ENTER_CORE_H
#define ENGINE_ENTER_CORE_H

#include "engine/advance_core.h"

enum approval_status {
	APPROVAL_PENDING,
	APPROVAL_APPROVED,
	APPROVAL_DENIED,
	APPROVAL_EXPIRED,
	APPROVAL_VOID,
	APPROVAL_STATUSES
};

const char *approval_status_name(enum approval_status status);

/* What a step finds that comes back; all borrowed. */
struct back {
	struct json *outputs; /* of the items of a foreach, in order */
	struct json *error;   /* of the first child that failed; of the end row: why the
				 run fails */
	bool decided;         /* there is an approval: */
	enum approval_status approval;
	struct json *approved_args;
	struct json *by, *comment, *at; /* texts or NULL */
};

/* Does the worker have to know what the step finds before it enters? */
bool enter_wants_back(const struct workflow *workflow, const struct step_def *step,
		      const struct held_step *held);

/* Before the fields are resolved. True: *outcome says what becomes of it, and *made is
 * what it borrows and nobody else owns (the caller's, or NULL). False: its action is to
 * run, once enter_with_fields agrees. */
bool enter_step(struct run *run, const struct held_step *held, const struct back *back,
		struct outcome *outcome, struct json **made);
/* The same with the fields resolved. now: for the time by which to decide. */
bool enter_with_fields(const struct run *run, const struct held_step *held,
		       const struct back *back, struct json *fields, usec_t now,
		       struct outcome *outcome, struct json **made);

#endif
