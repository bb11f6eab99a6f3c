/*
 * Stores the steps of all programs of this worker: one flush at a time, the next batch
 * gathers. What a step has been and what it is now go together when the first has not
 * been sent yet. What PostgreSQL did not take for a passing reason is sent again.
 */
#ifndef RECORDED_RECORDER_H
#define RECORDED_RECORDER_H

#include "child_run.h"
#include "store/recorded_rows.h"

struct recorder;
struct worker;

enum record_fate {
	RECORD_STORED,
	RECORD_LOST,    /* the program is not ours any more */
	RECORD_REFUSED, /* it cannot be stored at all */
};

/* Comes once, on a later turn. paused: the run is. */
typedef void record_done_fn(void *context, enum record_fate fate, bool paused);

/* What an item borrows beside its values. Taken, all of it. */
struct record_extra {
	struct child_run *child;
	char *wait_event;
	usec_t checked_at;  /* of it: what came before was looked at */
	struct json *asked; /* what ask borrows from */
	struct approval_ask ask;
	bool asks;
};

struct recorder *recorder_new(struct worker *worker);
void recorder_free(struct recorder **recorder_p);
/* item is copied, its JSON held, its key copied. extra may be NULL. *slot_p: where it
 * is kept while it gathers, so that the next one of the same step joins it; NULL there
 * when it is on its way. done may be NULL. */
struct record;
void recorder_put(struct recorder *recorder, const struct record_item *item,
		  struct record_extra *extra, struct record **slot_p,
		  record_done_fn *done, void *context);
/* done will not come with this context any more; what it put is stored all the same. */
void recorder_forget(struct recorder *recorder, const void *context);
bool recorder_is_idle(const struct recorder *recorder);
void recorder_wake(struct recorder *recorder); /* the connection is back */

#endif
