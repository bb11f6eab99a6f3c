/*
 * Retention: runs that ended longer ago than runs are kept go, with their files and
 * rows, and so do old entries of the ledger of firings. In small batches with pauses,
 * on a connection of its own, beside everything else. Who dies in between leaves runs
 * without files, which the next one finds again.
 */
#ifndef SCHEDULER_RETENTION_H
#define SCHEDULER_RETENTION_H

#include <stdbool.h>

#include "loop/loop.h"

struct retention;

struct retention_conf {
	const char *url;
	usec_t statement_timeout;
	usec_t kept;   /* 0: for ever, and there is no connection */
	loop_fn *wake; /* something came: tick again */
	bool (*may_act)(const void *context);
	void *context;
};

struct retention *retention_new(struct loop *loop, const struct retention_conf *conf,
				struct err *err);
void retention_free(struct retention **retention_p);
/* Takes effect with the next batch. */
int retention_set_kept(struct retention *retention, usec_t kept, struct err *err);
/* Only while leading. Does what is due; returns when to come again (monotonic). */
usec_t retention_tick(struct retention *retention, usec_t now);
void retention_stop(struct retention *retention);       /* begins nothing more */
bool retention_busy(const struct retention *retention); /* a statement is under way */

#endif
