/*
 * Heartbeats as their runs see them: the row that a run belongs to, what its file
 * changes there, and what was found.
 */
#ifndef STORE_HEARTBEATS_H
#define STORE_HEARTBEATS_H

#include "store/workers.h"

#define HEARTBEAT_RESULTS_KEPT 10000 /* rows of one heartbeat, the newest */

/* When it fires, as it is stored. Texts are borrowed. */
struct heartbeat_times {
	const char *cron, *zone;
	const char *start, *end; /* NULL: always active */
	int days[7];
	size_t days_count; /* 0: all */
};

struct heartbeat_row {
	const char *slug, *path;
	struct heartbeat_times times;
	const char *model, *webhook; /* or NULL */
	usec_t created_at;
	usec_t jitter;
	bool enabled;
	int revision;
};

/* row: valid during the call, NULL with err ERR_NONE: the run's project has no such
 * heartbeat. */
typedef void heartbeat_fn(void *context, const struct heartbeat_row *row,
			  const struct err *err);
void heartbeat_of_run(struct pg *pg, const struct uuid *run,
		      const struct uuid *schedule, heartbeat_fn *done, void *context);

/* next_run_at, due_at: 0 when it is not enabled. err ERR_CONFLICT: the step is not held
 * any more. A row that a person changed meanwhile stays as it is, which is no error. */
typedef void heartbeat_end_fn(void *context, const struct err *err);
void heartbeat_follow(struct pg *pg, const struct held_ref *held,
		      const struct uuid *schedule, int revision,
		      const struct heartbeat_times *times, usec_t next_run_at,
		      usec_t due_at, heartbeat_end_fn *done, void *context);

struct heartbeat_result {
	struct uuid id;
	const char *description, *details;
	bool action_needed;
	int item; /* which of the list was asked about, or -1 */
};
/* at: when they were stored, as text; NULL with err ERR_NONE: the heartbeat is gone. */
typedef void heartbeat_stored_fn(void *context, const char *at, const struct err *err);
void heartbeat_report(struct pg *pg, const struct held_ref *held,
		      const struct uuid *schedule,
		      const struct heartbeat_result *results, size_t count,
		      heartbeat_stored_fn *done, void *context);

#endif
