/* New runs, a group of them in one statement. */
#include "store/runs.h"

#define COLUMN(args, type, run, one)                                                   \
	do {                                                                           \
		pg_array_begin(args, type);                                            \
		for (const struct new_run *run = runs; run < runs + count; run++)      \
			one;                                                           \
		pg_array_end(args);                                                    \
	} while (0)

static void
arg_rows(struct pg_args *args, const struct new_run *runs, size_t count)
{
	COLUMN(args, PG_UUID, run, pg_arg_uuid(args, &run->id));
	COLUMN(args, PG_UUID, run, pg_arg_uuid(args, &run->definition));
	COLUMN(args, PG_UUID, run, pg_arg_uuid(args, run->project));
	COLUMN(args, PG_JSONB, run, pg_arg_json(args, run->input));
	COLUMN(args, PG_JSONB, run, pg_arg_json(args, run->trigger));
	COLUMN(args, PG_INT2, run, pg_arg_int2(args, (int)run->priority));
	COLUMN(args, PG_TEXT, run, pg_arg_text(args, run->triggered_by));
	COLUMN(args, PG_TEXT, run, pg_arg_text(args, run->requested_by));
	COLUMN(args, PG_TEXT, run, pg_arg_text(args, run->idempotency_key));
	COLUMN(args, PG_TEXT, run, pg_arg_text(args, run->trace_id));
}

static void
arg_times(struct pg_args *args, const struct new_run *runs, size_t count)
{
	COLUMN(args, PG_INT8, run,
	       run->timeout > 0 ? pg_arg_int8(args, run->timeout)
				: pg_arg_null(args, PG_INT8));
	COLUMN(args, PG_TIME, run, pg_arg_time(args, run->run_at));
}

static void
arg_steps(struct pg_args *args, const struct new_run *runs, size_t count)
{
	COLUMN(args, PG_TEXT, run, pg_arg_text(args, run->step_key));
	COLUMN(args, PG_TEXT, run, pg_arg_text(args, run->queue));
	COLUMN(args, PG_INT2, run, pg_arg_int2(args, run->max_attempts));
}

void
runs_insert(struct pg *pg, const struct new_run *runs, size_t count, pg_end_fn *done,
	    void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct pg_args args;

	pg_args_init(&args);
	arg_rows(&args, runs, count);
	arg_times(&args, runs, count);
	arg_steps(&args, runs, count);
	pg_batch_add(batch, "runs_insert", &args, NULL, NULL);
	pg_args_fini(&args);
	pg_batch_send(&batch, done, context);
}
