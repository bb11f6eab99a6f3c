/* See retention.h. */
#include "store/retention.h"

#include <stdlib.h>

#include "base/xalloc.h"

/* Of runs_expired.sql. */
enum old_column { OLD_ID, OLD_COMPLETED, OLD_PROJECT, OLD_PATH, OLD_MAY_GO };

struct old_call {
	old_runs_fn *done;
	void *context;
};

struct expire_call {
	expired_fn *done;
	void *context;
};

struct firings_call {
	expired_firings_fn *done;
	void *context;
};

static struct old_run
read_old(const struct pg_rows *rows, int row)
{
	return (struct old_run){
		.id = pg_uuid(rows, row, OLD_ID),
		.project = pg_uuid(rows, row, OLD_PROJECT),
		.completed_at = pg_time(rows, row, OLD_COMPLETED),
		.project_path = pg_text(rows, row, OLD_PATH, NULL),
		.may_go = pg_bool(rows, row, OLD_MAY_GO),
	};
}

static void
on_old(void *context, const struct pg_rows *rows, const struct err *err)
{
	const struct old_call *call = context;
	size_t count = rows != NULL ? (size_t)pg_count(rows) : 0;
	struct old_run *runs = xcalloc(count + 1, sizeof *runs);

	for (size_t i = 0; i < count; i++)
		runs[i] = read_old(rows, (int)i);
	call->done(call->context, runs, count, err);
	free(runs);
}

void
runs_expired(struct pg *pg, usec_t kept, const struct old_place *behind, int most,
	     old_runs_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct old_call *call = xcalloc(1, sizeof *call);
	struct pg_args args;

	*call = (struct old_call){ done, context };
	pg_batch_attach(batch, context, call);
	pg_args_init(&args);
	pg_arg_int8(&args, kept);
	pg_arg_int4(&args, most);
	pg_arg_time(&args, behind != NULL ? behind->completed_at : 0);
	pg_arg_uuid(&args, behind != NULL ? &behind->id : &(const struct uuid){ 0 });
	pg_batch_add(batch, "runs_expired", &args, on_old, call);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}

/* ---- runs that go ---- */

static void
on_gone(void *context, const struct pg_rows *rows, const struct err *err)
{
	const struct expire_call *call = context;

	call->done(call->context, rows != NULL ? (size_t)pg_int(rows, 0, 0) : 0, err);
}

static void
arg_ids(struct pg_args *args, const struct uuid *ids, size_t count)
{
	pg_args_init(args);
	pg_array_begin(args, PG_UUID);
	for (size_t i = 0; i < count; i++)
		pg_arg_uuid(args, &ids[i]);
	pg_array_end(args);
}

void
runs_expire(struct pg *pg, usec_t kept, const struct uuid *ids, size_t count,
	    expired_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct expire_call *call = xcalloc(1, sizeof *call);
	struct pg_args args;

	*call = (struct expire_call){ done, context };
	pg_batch_attach(batch, context, call);
	arg_ids(&args, ids, count);
	pg_batch_add(batch, "runs_lock", &args, NULL, NULL);
	pg_args_fini(&args);
	arg_ids(&args, ids, count);
	pg_arg_int8(&args, kept);
	pg_batch_add(batch, "runs_expire", &args, on_gone, call);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}

/* ---- the ledger ---- */

static void
on_firings(void *context, const struct pg_rows *rows, const struct err *err)
{
	const struct firings_call *call = context;

	if (rows == NULL)
		call->done(call->context, 0, 0, 0, err);
	else
		call->done(call->context, (size_t)pg_int(rows, 0, 0),
			   (size_t)pg_int(rows, 0, 2), pg_time(rows, 0, 1), err);
}

void
schedule_firings_expire(struct pg *pg, usec_t kept, usec_t from, int most,
			expired_firings_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct firings_call *call = xcalloc(1, sizeof *call);
	struct pg_args args;

	*call = (struct firings_call){ done, context };
	pg_batch_attach(batch, context, call);
	pg_args_init(&args);
	pg_arg_int8(&args, kept);
	pg_arg_time(&args, from);
	pg_arg_int4(&args, most);
	pg_batch_add(batch, "schedule_firings_expire", &args, on_firings, call);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}
