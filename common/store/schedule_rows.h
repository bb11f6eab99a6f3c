/*
 * Schedules as people make, change and look at them: the rows themselves. (What the
 * scheduler does with them is another room's.) Each of these is one statement, for a
 * transaction of the caller's, and sends the scheduler to look again where it changed
 * something.
 */
#ifndef STORE_SCHEDULE_ROWS_H
#define STORE_SCHEDULE_ROWS_H

#include "store/pg.h"

#define SCHEDULE_SLUG "heartbeat-" /* what the ids of heartbeats begin with */
#define SCHEDULE_DAYS 7

/* All that can be set; borrowed. An update leaves alone what only a new one sets. */
struct schedule_row {
	struct uuid id;
	/* of a new one only */
	const char *slug;           /* NULL: a workflow's schedule; else a heartbeat */
	const struct uuid *project; /* NULL: the workflow's, else "default" */
	const char *created_by;     /* key and client */
	const struct json *tools;   /* that its runs may use; NULL: all */
	usec_t created_at;          /* what "@every" counts from */
	/* of both */
	const char *name;
	const struct uuid *workflow; /* or NULL */
	const char *cron, *zone;
	const char *start, *end;                      /* of active hours, or NULL */
	const int *days;                              /* on which they start */
	size_t days_count;                            /* 0: all */
	int max_runs;                                 /* 0: no limit */
	const char *heartbeat_path, *model, *webhook; /* or NULL */
	const struct json *input;                     /* or NULL */
	bool enabled;
	const char *catch_up, *overlap; /* "last", "skip" */
	int jitter_ms;
	usec_t next_run_at, due_at; /* 0: it does not fire */
};

/* Answer: the id. err ERR_CONFLICT begins with schedules_project_id_fkey,
 * schedules_workflow_id_fkey (there is none) or schedules_heartbeat (the path has one).
 */
void schedule_insert(struct pg *pg, const struct schedule_row *row, pg_done_fn *done,
		     void *context);
void schedule_update(struct pg *pg, const struct schedule_row *row, pg_done_fn *done,
		     void *context);
/* Of the row only id, enabled, and when it fires next. */
void schedule_enable(struct pg *pg, const struct schedule_row *row, pg_done_fn *done,
		     void *context);
void schedule_delete(struct pg *pg, const struct uuid *id, pg_done_fn *done,
		     void *context);

/* Fired by hand: an entry of the ledger, and the run counts; in the transaction of the
 * run. ERR_CONFLICT: it fired at this very time. */
void schedule_fired(struct pg *pg, const struct uuid *id, usec_t fire_time,
		    const struct uuid *run, pg_done_fn *done, void *context);

/* Adds $1 uuid, $2 slug, $3 project: a schedule by its id or slug (text), which the
 * project may not be left for (NULL: any). */
void schedule_arg_named(struct pg_args *args, const char *text,
			const struct uuid *project);
/* Whose row is locked then, until the transaction ends; columns of its answer. No row:
 * there is none. */
enum schedule_column {
	SCHEDULE_ID,
	SCHEDULE_DOC, /* as the API shows it */
	SCHEDULE_CREATED_AT,
	SCHEDULE_NEXT_RUN_AT,
	SCHEDULE_TOOLS,
	SCHEDULE_PROJECT,
	SCHEDULE_DECLARED_BY, /* the name of the workflow that declares it, or null */
	SCHEDULE_DECLARED_IN, /* its file, or "" */
	SCHEDULE_RUN_COUNT,
	SCHEDULE_LAST_ALIVE /* its last run is not over */
};
void schedule_find(struct pg *pg, const char *text, const struct uuid *project,
		   pg_done_fn *done, void *context);

#endif
