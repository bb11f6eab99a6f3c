/* Runs that are changed by people. See transitions.h. */
#include "store/transitions.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "store/answers.h"

struct change_call {
	changed_fn *done;
	void *context;
};

static struct change_call *
call_new(struct pg_batch *batch, changed_fn *done, void *context)
{
	struct change_call *call = xcalloc(1, sizeof *call);

	*call = (struct change_call){ done, context };
	pg_batch_attach(batch, context, call);
	return call;
}

/* The lock, as a statement of its own. */
static struct pg_batch *
begin(struct pg *pg, const struct uuid *run)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct pg_args args;

	pg_args_init(&args);
	pg_array_begin(&args, PG_UUID);
	pg_arg_uuid(&args, run);
	pg_array_end(&args);
	pg_batch_add(batch, "runs_lock", &args, NULL, NULL);
	pg_args_fini(&args);
	return batch;
}

static void
answer(const struct change_call *call, const struct changed_run *run,
       struct ready_list *ready, const struct err *err)
{
	struct changed_run own;
	struct ready_ref *refs;

	if (run == NULL) {
		call->done(call->context, NULL, err);
		return;
	}
	refs = ready_list_refs(ready);
	own = *run;
	own.ready = refs;
	own.ready_count = ready->count;
	call->done(call->context, &own, err);
	free(refs);
}

/* ---- pause and resume ---- */

static struct changed_run
read_run(const struct pg_rows *rows)
{
	return (struct changed_run){
		.id = pg_uuid(rows, 0, 0),
		.before = (enum run_status)pg_int(rows, 0, 1),
		.after = (enum run_status)pg_int(rows, 0, 2),
		.seq = pg_int(rows, 0, 3),
		.changed = pg_bool(rows, 0, 4),
	};
}

static void
on_paused(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct ready_list none = { 0 };
	struct changed_run run;

	if (rows == NULL || pg_count(rows) == 0) {
		answer(context, NULL, &none, err);
		return;
	}
	run = read_run(rows);
	answer(context, &run, &none, err);
}

static void
on_resumed(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct ready_list ready = { 0 };
	struct changed_run run;

	if (rows == NULL || pg_count(rows) == 0) {
		answer(context, NULL, &ready, err);
		return;
	}
	run = read_run(rows);
	for (int row = 0; row < pg_count(rows); row++)
		if (!pg_is_null(rows, row, 5))
			ready_list_add(&ready, &run.id, (int)pg_int(rows, row, 5),
				       pg_text(rows, row, 6, NULL),
				       (enum priority)pg_int(rows, row, 7));
	answer(context, &run, &ready, err);
	ready_list_fini(&ready);
}

static void
add_change(struct pg_batch *batch, const struct uuid *run, const char *statement,
	   const char *by, pg_done_fn *on_rows, struct change_call *call)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, run);
	pg_arg_text(&args, by);
	pg_batch_add(batch, statement, &args, on_rows, call);
	pg_args_fini(&args);
}

void
run_pause(struct pg *pg, const struct uuid *run, const char *by, changed_fn *done,
	  void *context)
{
	struct pg_batch *batch = begin(pg, run);

	add_change(batch, run, "runs_pause", by, on_paused,
		   call_new(batch, done, context));
	pg_batch_send(&batch, NULL, NULL);
}

/* Of one that still waits for an approval nothing may be left to run: then its time
 * stands still again. */
static void
add_pause_waiting(struct pg_batch *batch, const struct uuid *run)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_array_begin(&args, PG_UUID);
	pg_arg_uuid(&args, run);
	pg_array_end(&args);
	pg_batch_add(batch, "runs_pause_waiting", &args, NULL, NULL);
	pg_args_fini(&args);
}

void
run_resume(struct pg *pg, const struct uuid *run, const char *by, changed_fn *done,
	   void *context)
{
	struct pg_batch *batch = begin(pg, run);

	add_change(batch, run, "runs_resume", by, on_resumed,
		   call_new(batch, done, context));
	add_pause_waiting(batch, run);
	pg_batch_send(&batch, NULL, NULL);
}

/* ---- approvals ---- */

static void
on_decided(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct ready_list ready = { 0 };
	struct changed_run run;

	if (rows == NULL || pg_count(rows) == 0) {
		answer(context, NULL, &ready, err);
		return;
	}
	run = (struct changed_run){ .id = pg_uuid(rows, 0, 0),
				    .before = (enum run_status)pg_int(rows, 0, 1),
				    .after = (enum run_status)pg_int(rows, 0, 1),
				    .seq = pg_int(rows, 0, 2),
				    .changed = true };
	if (pg_bool(rows, 0, 6))
		ready_list_add(&ready, &run.id, (int)pg_int(rows, 0, 3),
			       pg_text(rows, 0, 4, NULL),
			       (enum priority)pg_int(rows, 0, 5));
	answer(context, &run, &ready, err);
	ready_list_fini(&ready);
}

void
approval_decide(struct pg *pg, const struct uuid *run, int step, bool approved,
		const char *by, const char *comment, changed_fn *done, void *context)
{
	struct pg_batch *batch = begin(pg, run);
	struct change_call *call = call_new(batch, done, context);
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, run);
	pg_arg_int4(&args, step);
	pg_arg_int2(&args, approved ? 1 : 2);
	pg_arg_text(&args, by);
	pg_arg_text(&args, comment);
	pg_batch_add(batch, "approvals_decide", &args, on_decided, call);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}

/* ---- again ---- */

struct again_call {
	again_fn *done;
	void *context;
};

static struct json *
json_column(const struct pg_rows *rows, int column)
{
	struct json *json = NULL;
	struct err err = { 0 };
	const char *text;
	size_t len;

	if (pg_is_null(rows, 0, column))
		return NULL;
	text = pg_text(rows, 0, column, &len);
	return json_parse(text, len, &json, &err) < 0 ? NULL : json;
}

static void
on_again(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct again_call *call = context;
	struct again_row row;

	if (rows == NULL || pg_count(rows) == 0) {
		call->done(call->context, NULL, err);
		return;
	}
	row = (struct again_row){ .definition = pg_uuid(rows, 0, 0),
				  .project = pg_uuid(rows, 0, 1),
				  .input = json_column(rows, 2),
				  .trigger = json_column(rows, 3),
				  .priority = (enum priority)pg_int(rows, 0, 4),
				  .status = (enum run_status)pg_int(rows, 0, 5),
				  .rows = json_column(rows, 7),
				  .is_test = pg_bool(rows, 0, 8) };
	row.source = pg_text(rows, 0, 6, &row.source_len);
	call->done(call->context, &row, err);
	json_unref(&row.input);
	json_unref(&row.trigger);
	json_unref(&row.rows);
}

void
again_load(struct pg *pg, const struct uuid *run, again_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct again_call *call = xcalloc(1, sizeof *call);
	struct pg_args args;

	*call = (struct again_call){ done, context };
	pg_batch_attach(batch, context, call);
	pg_args_init(&args);
	pg_arg_uuid(&args, run);
	pg_batch_add(batch, "runs_again", &args, on_again, call);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}

void
again_store(struct pg *pg, const struct new_run *run, const int *kept,
	    size_t kept_count, pg_end_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct pg_args args;

	runs_insert_into(batch, run, 1);
	pg_args_init(&args);
	pg_arg_uuid(&args, &run->id);
	pg_arg_uuid(&args, run->retry_of);
	pg_array_begin(&args, PG_INT4);
	for (size_t i = 0; i < kept_count; i++)
		pg_arg_int4(&args, kept[i]);
	pg_array_end(&args);
	pg_batch_add(batch, "steps_copy", &args, NULL, NULL);
	pg_args_fini(&args);
	pg_batch_send(&batch, done, context);
}
