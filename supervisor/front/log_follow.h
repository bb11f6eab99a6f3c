/*
 * A log as it grows, to a client: its entries as lines of JSON until the run is over.
 * Bounded memory: what the client has not read is not read from the file either.
 */
#ifndef FRONT_LOG_FOLLOW_H
#define FRONT_LOG_FOLLOW_H

#include "front/route.h"

struct log_source {
	struct uuid run;
	const char *project, *path; /* the file, beneath the project; copied */
	int least;                  /* level */
};

/* Answers the exchange, whose state must be free. A file that is not there (yet) is
 * looked for again and again. */
void log_follow(struct exchange *exchange, const struct log_source *source);

#endif
