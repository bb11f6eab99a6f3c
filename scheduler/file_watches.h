/*
 * All triggers that watch files: opened while this scheduler leads, closed when they or
 * the leadership are gone; and the runs that changes start, stored together with the
 * files as they then were, so that each change is news once.
 */
#ifndef SCHEDULER_FILE_WATCHES_H
#define SCHEDULER_FILE_WATCHES_H

#include "loop/loop.h"
#include "queue/queue.h"

struct file_watches;

struct file_watches_conf {
	const char *url;
	usec_t statement_timeout;
	struct queue *queue; /* or NULL */
	loop_fn *wake;       /* something came: tick again */
	bool (*may_act)(const void *context);
	int64_t (*epoch)(const void *context); /* of the leadership */
	void *context;
};

struct file_watches *file_watches_new(struct loop *loop,
				      const struct file_watches_conf *conf,
				      struct err *err);
void file_watches_free(struct file_watches **watches_p);
/* Only while leading. Does what is due; returns when to come again (monotonic). */
usec_t file_watches_tick(struct file_watches *watches, usec_t now);
void file_watches_forget(struct file_watches *watches); /* we lead no more */
bool file_watches_busy(const struct file_watches *watches);

#endif
