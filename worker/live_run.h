/*
 * What this worker knows of the runs it has in hand: shared by the slots of one run,
 * kept as long as one of them is. Nothing in it may not be lost.
 */
#ifndef WORKER_LIVE_RUN_H
#define WORKER_LIVE_RUN_H

#include "definitions.h"
#include "engine/run.h"
#include "store/claims.h"

struct live_run {
	struct run run; /* run.workflow is set when the definition is there */
	struct definition *definition;
	struct uuid definition_id, project;
	char *project_path, *folder, *triggered_by;
	struct json *tools;     /* that it may use; NULL: all */
	char *trace_id;         /* or NULL */
	char *concurrency_key;  /* or NULL */
	struct uuid parent_run; /* that waits for its end */
	bool has_parent_run;
	enum priority priority;
	int users; /* slots */
	/* What is known of `steps`: everything since a load, as long as no other worker
	 * moves the run. */
	bool visits_known;
	int items_of; /* whose items were seen last: the number of the foreach */
};

struct live_runs;

/* environment: `env` in expressions; taken. */
struct live_runs *live_runs_new(struct json *environment);
void live_runs_free(struct live_runs **runs_p);
/* The one there is, or a new one made from the claim (which is taken from). */
struct live_run *live_runs_hold(struct live_runs *runs, struct claimed *claimed);
/* What `secrets` is from here on. */
void live_run_tell_secrets(struct live_run *live, struct json *secrets);
/* The definition is there: takes its user. */
void live_run_define(struct live_run *live, struct definition **definition_p);
struct live_run *live_runs_find(struct live_runs *runs, const struct uuid *id);
void live_runs_drop(struct live_runs *runs, struct live_run **live_p);

#endif
