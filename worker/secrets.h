/*
 * The secrets of a worker, by name. Those in files and in the environment are read at
 * its start, so that they are masked from the beginning; what a command prints when
 * something first needs it. A file that changed is read again, the rest after `refresh`
 * and when told to. Every value that was ever given out stays masked, up to a limit.
 */
#ifndef WORKER_SECRETS_H
#define WORKER_SECRETS_H

#include <stdbool.h>

#include "actions/action.h"
#include "conf/secrets.h"

struct secrets;

struct secrets_conf {
	const struct services *services;      /* borrowed; for commands */
	const struct secret_sources *sources; /* copied */
	struct mask *mask;                    /* borrowed; filled here */
	/* Adds to the mask what is secret besides: called whenever it is made anew. */
	void (*add_others)(void *context, struct mask *mask);
	/* Something that secrets_are_known had to wait for is there, or is not. */
	void (*changed)(void *context);
	void *context;
};

struct secrets *secrets_new(const struct secrets_conf *conf);
void secrets_free(struct secrets **secrets_p);
/* Where they are now: all are read again. */
void secrets_reload(struct secrets *secrets, const struct secret_sources *sources);

/* Is it known of each of these what it is, or why it cannot be had? Names that nobody
 * configured are known not to be there. false: it is being read, `changed` comes. all:
 * of every secret. */
bool secrets_are_known(struct secrets *secrets, char *const *names, size_t count,
		       bool all);
/* {name: text} of those that are there; borrowed until something changes. */
struct json *secrets_values(const struct secrets *secrets);
/* An expression failed. If that is because a secret could not be read, err says why:
 * true, a later try may do better. */
bool secrets_explain(const struct secrets *secrets, struct err *err);

#endif
