/*
 * One id per connection and two statements in front of its first transaction. Not for
 * connections that speak for no worker.
 */
#include "store/session.h"
#include "base/xalloc.h"
#include "store/pg_priv.h"

void
pg_arg_session(struct pg *pg, struct pg_args *args)
{
	pg_arg_int8(args, pg->session);
}

struct taking {
	struct pg *pg;
	struct uuid worker;
};

static void
on_taken(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct taking *taking = context;

	(void)rows;
	if (err->kind == ERR_NONE)
		taking->pg->session_worker = taking->worker;
}

void
session_speak(struct pg *pg, struct pg_batch *batch, const struct uuid *worker)
{
	struct taking *taking;
	struct pg_args args;

	if (uuid_equal(&pg->session_worker, worker))
		return;
	taking = xcalloc(1, sizeof *taking);
	taking->pg = pg;
	taking->worker = *worker;
	pg_batch_attach(batch, NULL, taking);
	pg_args_init(&args);
	pg_arg_uuid(&args, worker);
	pg_batch_add(batch, "workers_lock", &args, NULL, NULL);
	pg_arg_session(pg, &args);
	pg_batch_add(batch, "workers_take_session", &args, on_taken, taking);
	pg_args_fini(&args);
}

int
session_is_not_ours(struct pg *pg, struct err *err)
{
	pg->session_worker = (struct uuid){ { 0 } };
	return err_set(err, ERR_RETRY, "another connection spoke for this worker");
}
