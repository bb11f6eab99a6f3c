/*
 * Runs as others than workers change them. Each change locks the state rows first, in
 * order of id, by a statement of its own.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "store/answers.h"
#include "store/runs.h"

/* ---- ending from outside ---- */

static const struct {
	enum run_status status;
	const char *code, *message;
} ends[] = {
	[RUN_END_CANCEL] = { RUN_CANCELLED, "cancelled", "the run was cancelled" },
	[RUN_END_TIME_OUT] = { RUN_TIMED_OUT, "timeout", "the run took too long" },
	[RUN_END_CRASH] = { RUN_CRASHED, "crashed", "nothing can move the run" },
};

struct end_call {
	ended_fn *done;
	void *context;
};

static void
on_ended(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct end_call *call = context;
	size_t count = err->kind == ERR_NONE ? (size_t)pg_count(rows) : 0;
	struct ended_run *runs = xcalloc(count + 1, sizeof *runs);

	for (size_t i = 0; i < count; i++) {
		int row = (int)i;

		runs[i] = (struct ended_run){
			.id = pg_uuid(rows, row, 0),
			.before = (enum run_status)pg_int(rows, row, 1),
			.after = (enum run_status)pg_int(rows, row, 2),
			.seq = pg_int(rows, row, 3),
		};
	}
	if (call->done != NULL)
		call->done(call->context, runs, count, err);
	free(runs);
}

static void
arg_ids(struct pg_args *args, const struct uuid *ids, size_t count)
{
	pg_array_begin(args, PG_UUID);
	for (size_t i = 0; i < count; i++)
		pg_arg_uuid(args, &ids[i]);
	pg_array_end(args);
}

static void
arg_error(struct pg_args *args, enum run_end how, const char *reason)
{
	struct json *error = json_new_object();

	json_set(error, "code", json_new_str(ends[how].code));
	json_set(error, "message",
		 json_new_str(reason != NULL ? reason : ends[how].message));
	error = json_storable(error, NULL);
	pg_arg_json(args, error);
	json_unref(&error);
}

/* What a reader of the run must know and the error does not say: who. */
static void
arg_comment(struct pg_args *args, enum run_end how, const char *reason, const char *by)
{
	char *text;

	if (how != RUN_END_CANCEL) {
		pg_arg_text(args, NULL);
		return;
	}
	text =
	    xprintf("Cancelled%s%s%s%s", by != NULL ? " by " : "", by != NULL ? by : "",
		    reason != NULL ? ": " : "", reason != NULL ? reason : "");
	pg_arg_text(args, text);
	free(text);
}

void
runs_end(struct pg *pg, const struct uuid *ids, size_t count, enum run_end how,
	 const char *reason, const char *by, ended_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct end_call *call = xcalloc(1, sizeof *call);
	struct pg_args args;

	call->done = done;
	call->context = context;
	pg_batch_attach(batch, context, call);
	pg_args_init(&args);
	arg_ids(&args, ids, count);
	pg_batch_add(batch, "runs_lock", &args, NULL, NULL);
	pg_arg_int2(&args, (int)ends[how].status);
	arg_error(&args, how, reason);
	arg_comment(&args, how, reason, by);
	pg_batch_add(batch, "runs_end", &args, on_ended, call);
	pg_args_fini(&args);
	pg_args_init(&args);
	arg_ids(&args, ids, count);
	pg_batch_add(batch, "parents_wake", &args, NULL, NULL);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}

/* ---- the clock's part ---- */

struct timers_call {
	timers_fn *done;
	void *context;
};

static void
on_timers(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct timers_call *call = context;
	size_t count = err->kind == ERR_NONE ? (size_t)pg_count(rows) : 0;
	struct timer_row *list = xcalloc(count + 1, sizeof *list);

	for (size_t i = 0; i < count; i++) {
		int row = (int)i;

		list[i] = (struct timer_row){
			.ref = { pg_uuid(rows, row, 0), (int32_t)pg_int(rows, row, 1) },
			.run_at = pg_time(rows, row, 2),
		};
	}
	call->done(call->context, list, count, err);
	free(list);
}

void
timers_load(struct pg *pg, usec_t until, int most, timers_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct timers_call *call = xcalloc(1, sizeof *call);
	struct pg_args args;

	call->done = done;
	call->context = context;
	pg_batch_attach(batch, context, call);
	pg_args_init(&args);
	pg_arg_time(&args, until);
	pg_arg_int4(&args, most);
	pg_batch_add(batch, "timers_load", &args, on_timers, call);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}

void
timers_fire(struct pg *pg, const struct step_ref *refs, size_t count, ready_fn *done,
	    void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct pg_args args;

	pg_args_init(&args);
	pg_array_begin(&args, PG_UUID);
	for (size_t i = 0; i < count; i++)
		pg_arg_uuid(&args, &refs[i].run);
	pg_array_end(&args);
	pg_batch_add(batch, "runs_lock", &args, NULL, NULL);
	pg_array_begin(&args, PG_INT4);
	for (size_t i = 0; i < count; i++)
		pg_arg_int4(&args, refs[i].number);
	pg_array_end(&args);
	ready_answer(batch, "timers_fire", &args, done, context);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}

void
runs_overdue(struct pg *pg, run_ids_fn *done, void *context)
{
	ids_answer(pg, "runs_overdue", done, context);
}

void
runs_stuck(struct pg *pg, run_ids_fn *done, void *context)
{
	ids_answer(pg, "runs_stuck", done, context);
}

void
runs_orphaned(struct pg *pg, run_ids_fn *done, void *context)
{
	ids_answer(pg, "runs_orphaned", done, context);
}
