/*
 * Migrations: sql/migrations/NNNN_name.sql in order, under an advisory lock, each with
 * a recorded checksum. Blocks: for start-up and the command line only.
 */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include <stdbool.h>

#include "base/err.h"

struct migration_state {
	int known;    /* the newest this binary has */
	int applied;  /* the newest in the database; 0: none */
	bool changed; /* a recorded checksum differs from this binary's text */
};

int migrate_status(const char *url, struct migration_state *state, struct err *err);
/* Applies what is missing; on_applied may be NULL. Also makes the partitions that are
 * needed now, analyzes what an earlier version left, and sets the path of the project
 * "default" when given. */
int migrate_apply(const char *url, const char *project_path,
		  void (*on_applied)(void *context, const char *name), void *context,
		  struct err *err);
/* 0 only if the database is exactly at what this binary knows (ERR_CONFLICT with what
 * to do otherwise, ERR_RETRY when it cannot be reached). */
int migrate_check(const char *url, struct err *err);

#endif
