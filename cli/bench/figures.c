/* What PostgreSQL says afterwards; nothing here believes the client. */
#include "bench/bench.h"
#include "clock.h"

#define LOOK_EVERY (100 * USEC_MS)

static void
on_counters(void *context, const struct pg_rows *rows)
{
	struct counters *counters = context;

	counters->wal_bytes = pg_int(rows, 0, 0);
	counters->commits = pg_int(rows, 0, 1);
}

int
bench_counters(struct database *database, struct counters *counters, struct err *err)
{
	return database_run(database, "server_counters", NULL, on_counters, counters,
			    err);
}

static void
on_source(void *context, const struct pg_rows *rows)
{
	*(bool *)context = !pg_is_null(rows, 0, 1);
}

int
bench_has_definition(struct database *database, const struct uuid *definition,
		     bool *has, struct err *err)
{
	struct pg_args args;
	int result;

	pg_args_init(&args);
	pg_arg_uuid(&args, definition);
	result =
	    database_run(database, "definitions_source", &args, on_source, has, err);
	pg_args_fini(&args);
	return result;
}

static void
on_open(void *context, const struct pg_rows *rows)
{
	*(bool *)context = !pg_bool(rows, 0, 0);
}

int
bench_wait(struct database *database, const struct triggered *triggered, usec_t timeout,
	   bool *over, struct err *err)
{
	usec_t until = clock_mono() + timeout;
	struct pg_args args;
	int result = 0;

	pg_args_init(&args);
	pg_arg_uuid(&args, &triggered->first);
	pg_arg_uuid(&args, &triggered->last);
	*over = false;
	while (result == 0 && !*over && clock_mono() < until) {
		result = database_run(database, "runs_open_exist", &args, on_open, over,
				      err);
		if (!*over)
			clock_pause(LOOK_EVERY);
	}
	pg_args_fini(&args);
	return result;
}

static void
on_measured(void *context, const struct pg_rows *rows)
{
	struct figures *figures = context;

	figures->runs = pg_int(rows, 0, 0);
	figures->completed = pg_int(rows, 0, 1);
	figures->seconds = pg_double(rows, 0, 2);
	figures->p50 = pg_double(rows, 0, 3);
	figures->p99 = pg_double(rows, 0, 4);
	figures->low = pg_double(rows, 0, 5);
	figures->high = pg_double(rows, 0, 6);
}

static void
on_verified(void *context, const struct pg_rows *rows)
{
	struct figures *figures = context;

	figures->steps = pg_int(rows, 0, 0);
	figures->events = pg_int(rows, 0, 1);
	figures->gaps = pg_int(rows, 0, 2);
}

int
bench_figures(struct database *database, const struct uuid *definition,
	      const struct triggered *triggered, struct figures *figures,
	      struct err *err)
{
	struct pg_args args;
	int result;

	*figures = (struct figures){ 0 };
	pg_args_init(&args);
	pg_arg_uuid(&args, definition);
	pg_arg_uuid(&args, &triggered->first);
	pg_arg_uuid(&args, &triggered->last);
	result =
	    database_run(database, "runs_measure", &args, on_measured, figures, err);
	if (result == 0)
		result = database_run(database, "runs_verify", &args, on_verified,
				      figures, err);
	pg_args_fini(&args);
	return result;
}
