/* Writing on behalf of an attempt. See held.h; the lock order is that of finishes.h. */
#include "store/held.h"

#include <stdlib.h>

#include "base/xalloc.h"

struct held_call {
	held_row_fn *row;
	held_end_fn *end;
	void *answer;
	bool held;
};

void
held_args(struct pg_args *args, const struct held_ref *held)
{
	pg_args_init(args);
	pg_arg_uuid(args, &held->run);
	pg_arg_int4(args, held->number);
	pg_arg_int4(args, held->fence);
}

static void
on_row(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct held_call *call = context;

	if (err->kind != ERR_NONE || pg_count(rows) == 0)
		return;
	call->held = pg_bool(rows, 0, 0);
	if (call->held && call->row != NULL)
		call->row(call->answer, rows);
}

static void
on_end(void *context, const struct err *err)
{
	struct held_call *call = context;
	struct err refused = { 0 };

	if (err->kind == ERR_NONE && !call->held) {
		err_set(&refused, ERR_CONFLICT,
			"the step is no longer held by this attempt");
		err = &refused;
	}
	call->end(call->answer, err);
}

void
held_send(struct pg *pg, const struct held_ref *held, const char *statement,
	  const struct pg_args *args, held_row_fn *row, held_end_fn *end, void *answer,
	  const void *owner)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct held_call *call = xcalloc(1, sizeof *call);
	struct pg_args lock;

	*call = (struct held_call){ row, end, answer, false };
	pg_batch_attach(batch, owner, call);
	pg_batch_attach(batch, owner, answer);
	pg_args_init(&lock);
	pg_array_begin(&lock, PG_UUID);
	pg_arg_uuid(&lock, &held->run);
	pg_array_end(&lock);
	pg_batch_add(batch, "runs_lock", &lock, NULL, NULL);
	pg_batch_add(batch, statement, args, on_row, call);
	pg_args_fini(&lock);
	pg_batch_send(&batch, on_end, call);
}
