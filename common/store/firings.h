/*
 * Schedules whose time has come, as the scheduler reads them, and the entries of the
 * ledger that it stores.
 */
#ifndef STORE_FIRINGS_H
#define STORE_FIRINGS_H

#include "store/pg.h"

#define DUE_DAYS_MAX 7

/* Of schedules_due.sql; its texts and JSON live during the callback only. */
struct due_row {
	struct uuid id, project;
	int revision;
	usec_t expected;                       /* next_run_at */
	usec_t created_at, now;                /* by the database's clock */
	const char *cron, *zone, *start, *end; /* start and end: or NULL */
	int days[DUE_DAYS_MAX];
	size_t days_count;
	usec_t jitter;
	const char *catch_up;
	bool skip_overlap, last_alive, is_heartbeat;
	int runs_left; /* -1: no limit */
	const char *name, *created_by;
	struct json *tools, *input; /* or NULL */
	bool has_workflow, has_definition, is_active;
	struct uuid definition;
};

/* Those due within `ahead` from now, the earliest first. next: when the next one is due
 * if none is, or USEC_NEVER. */
typedef void due_fn(void *context, const struct due_row *rows, size_t count,
		    usec_t next, const struct err *err);
void firings_due(struct pg *pg, int most, usec_t ahead, due_fn *done, void *context);

/* How a schedule goes on. */
struct fired_row {
	struct uuid id;
	int revision;
	usec_t expected, next, due; /* next, due: 0, it fires no more */
	int counted;
	bool reached;
	const struct uuid *run; /* or NULL */
};

struct ledger_row {
	struct uuid schedule;
	usec_t fire_time;
	const char *outcome;
	const struct uuid *run; /* or NULL */
	const char *detail;     /* or NULL */
};

struct firings {
	const struct fired_row *schedules;
	size_t schedules_count;
	const struct ledger_row *entries;
	size_t entries_count;
};
/* Part of a transaction; ERR_RETRY when a guard does not hold. */
void firings_store_into(struct pg_batch *batch, int64_t epoch,
			const struct firings *firings);
/* Switches it off: what is stored cannot be read. */
void firings_stop(struct pg *pg, const struct uuid *id, int revision, const char *why,
		  pg_done_fn *done, void *context);

#endif
