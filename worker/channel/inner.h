/*
 * An attempt inside an attempt: an action or tool that a running program asked for.
 * What it says comes on a turn of its own.
 */
#ifndef CHANNEL_INNER_H
#define CHANNEL_INNER_H

#include "actions/action.h"

struct inner;

enum inner_kind {
	INNER_ENDED,      /* failed, or an output */
	INNER_WAITS,      /* until run_at */
	INNER_WAITS_FOR,  /* an event, at most until run_at (0: for ever) */
	INNER_STARTS_RUN, /* child; waits: for its end, at most until run_at */
};

/* How it went; all borrowed, but for what is said to be taken. failed false: output, or
 * NULL. The other kinds only where it may wait. */
struct inner_end {
	enum inner_kind kind;
	usec_t run_at, checked_at;
	char *event;             /* the receiver's: take and set NULL */
	struct child_run *child; /* likewise */
	bool waits;
	bool failed, final;
	const char *code, *message;
	usec_t retry_at;
	struct json *details, *output;
};

/* Called once, never from inside a call to here. The inner may be freed in it. */
typedef void inner_done_fn(void *context, struct inner_end *end);

/* base is copied: its maker is set here. fields are taken; part (copied) tells this one
 * from others of the same step, or NULL: it is a step of its own, and keeps the key of
 * base. */
struct inner *inner_new(const struct attempt *base, const struct action *action,
			struct json *fields, const char *part, inner_done_fn *done,
			void *context);
/* The same of an action that may wait, or start a run. */
struct inner *inner_new_waiting(const struct attempt *base, const struct action *action,
				struct json *fields, inner_done_fn *done,
				void *context);
void inner_stop(struct inner *inner, enum stop how); /* done still comes */
void inner_free(struct inner **inner_p);             /* done does not come any more */
/* For who hands them on. */
struct json *inner_error(const struct inner_end *end);

#endif
