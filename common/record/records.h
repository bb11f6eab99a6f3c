/*
 * metadata.json of runs that ended: the run as the API shows it, written into its
 * folder by whoever ended it, after the commit. One at a time, beside everything else,
 * and without a promise: who dies in between, is too busy, or cannot reach the project
 * leaves it out. The truth is in the database.
 */
#ifndef RECORD_RECORDS_H
#define RECORD_RECORDS_H

#include <stdbool.h>

#include "base/uuid7.h"
#include "store/pg.h"

#define RECORDS_MOST 1000 /* runs that may wait */

struct records;

/* pg is borrowed, and outlives it. */
struct records *records_new(struct pg *pg);
void records_free(struct records **records_p);
/* One that is not over after all is left alone. */
void records_add(struct records *records, const struct uuid *run);
bool records_are_idle(const struct records *records);
/* on_idle is called whenever nothing waits any more. */
void records_on_idle(struct records *records, loop_fn *on_idle, void *context);

#endif
