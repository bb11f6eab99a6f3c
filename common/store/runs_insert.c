/* New runs, a group of them in one statement. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "store/answers.h"
#include "store/audit.h"
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
arg_limits(struct pg_args *args, const struct new_run *runs, size_t count)
{
	COLUMN(args, PG_TEXT, run, pg_arg_text(args, run->concurrency_key));
	COLUMN(args, PG_INT4, run, pg_arg_int4(args, run->concurrency_limit));
	COLUMN(args, PG_BOOL, run, pg_arg_bool(args, run->crash_on_interrupt));
	COLUMN(args, PG_UUID, run, pg_arg_uuid(args, run->retry_of));
}

/* One row per first step of each run. */
#define STEPS(args, type, run, step, one)                                              \
	COLUMN(                                                                        \
	    args, type, run, for (size_t i_ = 0; i_ < run->steps_count; i_++) {        \
		    const struct new_step *step = &run->steps[i_];                     \
                                                                                       \
		    (void)step;                                                        \
		    one;                                                               \
	    })

static void
arg_parent(struct pg_args *args, int parent)
{
	if (parent != 0)
		pg_arg_int4(args, parent);
	else
		pg_arg_null(args, PG_INT4);
}

static void
arg_steps(struct pg_args *args, const struct new_run *runs, size_t count)
{
	STEPS(args, PG_UUID, run, step, pg_arg_uuid(args, &run->id));
	STEPS(args, PG_INT4, run, step, pg_arg_int4(args, step->number));
	STEPS(args, PG_TEXT, run, step, pg_arg_text(args, step->key));
	STEPS(args, PG_TEXT, run, step, pg_arg_text(args, step->queue));
	STEPS(args, PG_INT2, run, step, pg_arg_int2(args, step->max_attempts));
	STEPS(args, PG_INT4, run, step, pg_arg_int4(args, step->needs));
	STEPS(args, PG_INT4, run, step, arg_parent(args, step->parent));
	STEPS(args, PG_INT2, run, step, pg_arg_int2(args, (int)run->priority));
	STEPS(args, PG_TIME, run, step, pg_arg_time(args, run->run_at));
	STEPS(args, PG_BOOL, run, step,
	      pg_arg_bool(args, run->concurrency_key != NULL));
}

/* After the parent, which has its number from before. */
static void
arg_rest(struct pg_args *args, const struct new_run *runs, size_t count)
{
	COLUMN(args, PG_JSONB, run, pg_arg_json(args, run->tools));
	COLUMN(args, PG_UUID, run, pg_arg_uuid(args, run->schedule));
}

static void
arg_all(struct pg_args *args, const struct new_run *runs, size_t count)
{
	arg_rows(args, runs, count);
	arg_times(args, runs, count);
	arg_limits(args, runs, count);
	arg_steps(args, runs, count);
}

static void
arg_no_parent(struct pg_args *args)
{
	pg_arg_null(args, PG_UUID);
	pg_arg_null(args, PG_INT4);
	pg_arg_null(args, PG_INT4);
}

/* A row for each that somebody asked for, under the id of the run. */
static void
add_audit(struct pg_batch *batch, const struct new_run *runs, size_t count)
{
	struct audit_row *rows = xcalloc(count, sizeof *rows);
	char(*ids)[UUID_TEXT] = xcalloc(count, sizeof *ids);
	size_t n = 0;

	for (const struct new_run *run = runs; run < runs + count; run++)
		if (run->audited) {
			rows[n] = (struct audit_row){
				.id = run->id,
				.who = run->requested_by != NULL ? run->requested_by
								 : run->triggered_by,
				.what = "workflow.execute",
				.target = uuid_format(&run->id, ids[n]),
				.address = run->address,
			};
			n++;
		}
	if (n > 0)
		audit_insert_into(batch, rows, n);
	free(rows);
	free(ids);
}

void
runs_insert_into(struct pg_batch *batch, const struct new_run *runs, size_t count)
{
	struct pg_args args;

	pg_args_init(&args);
	arg_all(&args, runs, count);
	arg_no_parent(&args);
	arg_rest(&args, runs, count);
	pg_batch_add(batch, "runs_insert", &args, NULL, NULL);
	pg_args_fini(&args);
}

void
runs_insert(struct pg *pg, const struct new_run *runs, size_t count, pg_end_fn *done,
	    void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);

	runs_insert_into(batch, runs, count);
	add_audit(batch, runs, count);
	pg_batch_send(&batch, done, context);
}

void
runs_insert_child(struct pg_batch *batch, const struct new_run *run,
		  const struct uuid *parent, int number, int fence)
{
	struct pg_args args;

	pg_args_init(&args);
	arg_all(&args, run, 1);
	pg_arg_uuid(&args, parent);
	pg_arg_int4(&args, number);
	pg_arg_int4(&args, fence);
	arg_rest(&args, run, 1);
	pg_batch_add(batch, "runs_insert", &args, NULL, NULL);
	pg_args_fini(&args);
}

void
runs_admit(struct pg *pg, const char *concurrency_key, ready_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_text(&args, concurrency_key);
	pg_batch_add(batch, "concurrency_lock", &args, NULL, NULL);
	pg_batch_add(batch, "runs_admit_lock", &args, NULL, NULL);
	ready_answer(batch, "runs_admit", &args, done, context);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}
