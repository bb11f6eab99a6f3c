/*
 * What a step writes while it runs: state, comments, artifacts, facts of the run. Each
 * is one transaction: the run's state row is locked, then the statement runs, which
 * does nothing unless the attempt still holds its step. Only for this folder.
 */
#ifndef STORE_HELD_H
#define STORE_HELD_H

#include "store/workers.h"

/* The answer, once all of it is committed. rows: those of the statement, of which the
 * first column says whether the step is still held; err is ERR_CONFLICT when not. */
typedef void held_row_fn(void *answer,
			 const struct pg_rows *rows); /* keep what counts */
typedef void held_end_fn(void *answer, const struct err *err);

/* Begins args with run, number, fence: $1, $2, $3. */
void held_args(struct pg_args *args, const struct held_ref *held);
/* owner: for pg_forget. answer (taken, from malloc) lives until end was called. */
void held_send(struct pg *pg, const struct held_ref *held, const char *statement,
	       const struct pg_args *args, held_row_fn *row, held_end_fn *end,
	       void *answer, const void *owner);

#endif
