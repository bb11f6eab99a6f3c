/*
 * Pure: the database's clock, seen through our monotonic one. What is due is judged by
 * the database; this room only tells when it is worth asking. Our own wall clock, which
 * may jump or differ from host to host, plays no part.
 */
#ifndef SCHEDULER_CLOCK_CORE_H
#define SCHEDULER_CLOCK_CORE_H

#include <stdbool.h>

#include "base/usec.h"

struct clock_core {
	bool known;
	usec_t low, high;  /* database minus monotonic time lies between them */
	usec_t sampled_at; /* monotonic */
};

/* A statement sent and answered at these monotonic times brought this database time. */
void clock_core_sample(struct clock_core *clock, usec_t sent, usec_t answered,
		       usec_t database);
/* The database's clock shows at least this; valid when known. */
usec_t clock_core_surely(const struct clock_core *clock, usec_t mono);
/* The monotonic time from which on the database's clock surely shows at least that. */
usec_t clock_core_when(const struct clock_core *clock, usec_t database);

#endif
