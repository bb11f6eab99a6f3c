/*
 * What `stepmill bench` is made of: a workload, its runs triggered over HTTP, figures
 * read from PostgreSQL afterwards, the CPU time of the processes that took part.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "base/uuid7.h"
#include "database.h"
#include "server.h"

struct workload {
	const char *name;     /* "seq10" */
	const char *workflow; /* of the workflow that is registered */
	int steps;            /* rows of a run */
	long runs;            /* preset */
	bool one_by_one;      /* the next run is triggered when one is over */
	int items;            /* of a foreach, which is then the only step; or 0 */
};

struct plan {
	const struct workload *workload;
	long runs, in_flight; /* requests at once, at most */
	usec_t timeout;
};

/* ---- triggering ---- */

struct triggered {
	long accepted, refused;  /* refused for a while, and asked again */
	struct uuid first, last; /* the lowest and highest id */
	usec_t time;             /* until the last answer */
};

/* Triggers the runs (one by one: waits for the end of each). An error ends it; what was
 * accepted stands in *triggered all the same. */
int bench_trigger(struct server *server, const struct plan *plan,
		  struct triggered *triggered, struct err *err);

/* ---- figures ---- */

struct counters {
	int64_t wal_bytes, commits;
};

struct figures {
	int64_t runs, completed, steps, events, gaps;
	double seconds;             /* first created to last completed */
	double p50, p99, low, high; /* of a run, milliseconds */
};

int bench_counters(struct database *database, struct counters *counters,
		   struct err *err);
int bench_has_definition(struct database *database, const struct uuid *definition,
			 bool *has, struct err *err);
/* Waits until none of the runs is open; *over says whether that came in time. */
int bench_wait(struct database *database, const struct triggered *triggered,
	       usec_t timeout, bool *over, struct err *err);
int bench_figures(struct database *database, const struct uuid *definition,
		  const struct triggered *triggered, struct figures *figures,
		  struct err *err);

/* ---- CPU time ---- */

enum consumer {
	CONSUMER_CLIENT,
	CONSUMER_SUPERVISOR,
	CONSUMER_FRONT,
	CONSUMER_WORKERS,
	CONSUMER_SCHEDULER,
	CONSUMER_POSTGRES,
	CONSUMER_REDIS,
	CONSUMERS
};

/* Microseconds used so far; -1: not on this machine, or not known. */
struct cpu {
	int64_t used[CONSUMERS];
};

const char *bench_consumer_name(enum consumer consumer);
/* dev is what dev.json says, or NULL: then only the client is known. */
void bench_cpu(const struct json *dev, struct cpu *cpu);

#endif
