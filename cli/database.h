/*
 * The database, for commands that do not go through a server: one statement at a time,
 * waited for.
 */
#ifndef CLI_DATABASE_H
#define CLI_DATABASE_H

#include "command.h"
#include "store/pg.h"

struct database;

/* Connects to a database of exactly our version. ERR_RETRY: it cannot be reached;
 * ERR_CONFLICT: it is to be migrated, or newer. */
struct database *database_open(const char *url, struct err *err);
/* The same whatever its version. */
struct database *database_connect(const char *url, struct err *err);
void database_close(struct database **database_p);
/* Runs sql/NAME.sql; rows are given to on_rows (may be NULL), valid during the call. */
int database_run(struct database *database, const char *name,
		 const struct pg_args *args,
		 void (*on_rows)(void *context, const struct pg_rows *rows),
		 void *context, struct err *err);

/* The same of one that changes something, in one transaction with its entry in the
 * audit log: what ("key.create") was done to target, by who runs this command. on_rows
 * (may be NULL) has happened as its context, and may set it to false: then nothing is
 * logged. */
int database_change(struct database *database, const char *name,
		    const struct pg_args *args,
		    void (*on_rows)(void *context, const struct pg_rows *rows),
		    bool *happened, const char *what, const char *target,
		    struct err *err);

/* install_find and database_open, with what is wrong said; NULL and *status. */
struct database *database_of(const struct command *command, const struct args *args,
			     int *status);

#endif
