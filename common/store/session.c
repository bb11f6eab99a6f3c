/*
 * One flag per connection and two statements in front of its first transaction. Not for
 * connections that speak for no worker.
 */
#include "store/session.h"
#include "store/pg_priv.h"

void
pg_arg_session(struct pg *pg, struct pg_args *args)
{
	pg_arg_int8(args, pg->session);
}

static void
on_taken(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct pg *pg = context;

	(void)rows;
	if (err->kind == ERR_NONE)
		pg->session_taken = true;
}

void
session_speak(struct pg *pg, struct pg_batch *batch, const struct uuid *worker)
{
	struct pg_args args;

	if (pg->session_taken)
		return;
	pg_args_init(&args);
	pg_arg_uuid(&args, worker);
	pg_batch_add(batch, "workers_lock", &args, NULL, NULL);
	pg_arg_session(pg, &args);
	pg_batch_add(batch, "workers_take_session", &args, on_taken, pg);
	pg_args_fini(&args);
}

int
session_is_not_ours(struct pg *pg, struct err *err)
{
	pg->session_taken = false;
	return err_set(err, ERR_RETRY, "another connection spoke for this worker");
}
