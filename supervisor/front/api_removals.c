/* DELETE /executions/:id: a run that is over goes, with its rows and its files. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "front/api.h"
#include "front/change.h"
#include "front/run_files.h"

struct leftover {
	struct uuid run;
	char *project;
};

static void
leftover_free(void *context)
{
	struct leftover *leftover = context;

	free(leftover->project);
	free(leftover);
}

static void
on_committed(struct front *front, void *context)
{
	const struct leftover *leftover = context;

	run_files_remove(front->run_files, leftover->project, &leftover->run);
}

static void
on_deleted(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;

	if (rows == NULL)
		reply_err(exchange, err);
	else if (pg_count(rows) == 0)
		reply_problem(exchange, 409, NULL,
			      "the execution is not over, or was deleted just now");
	else
		reply_empty(exchange, 204);
}

static void
send(struct exchange *exchange, const struct uuid *run)
{
	struct pg_batch *batch = pg_batch_new(exchange_pg(exchange));
	struct pg_args args;

	pg_args_init(&args);
	pg_array_begin(&args, PG_UUID);
	pg_arg_uuid(&args, run);
	pg_array_end(&args);
	pg_batch_add(batch, "runs_lock", &args, NULL, NULL);
	pg_args_fini(&args);
	pg_args_init(&args);
	pg_arg_uuid(&args, run);
	pg_batch_add(batch, "runs_delete", &args, on_deleted, exchange);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}

static void
on_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	struct leftover *leftover;
	enum run_status status;

	if (rows == NULL || pg_count(rows) == 0) {
		api_on_json(exchange, rows, err);
		return;
	}
	status = (enum run_status)pg_int(rows, 0, 1);
	if (!run_is_over(status)) {
		reply_problem(exchange, 409, NULL,
			      "the execution is %s: cancel it first",
			      run_status_name(status));
		return;
	}
	leftover = xcalloc(1, sizeof *leftover);
	leftover->run = pg_uuid(rows, 0, 0);
	leftover->project = xstrdup(pg_text(rows, 0, 3, NULL));
	api_unguard(exchange);
	api_audit_run(exchange, &leftover->run);
	send(exchange, &leftover->run);
	change_after(exchange_change(exchange), on_committed, leftover, leftover_free);
}

static void
on_delete(struct exchange *exchange)
{
	api_find_run(exchange, on_found);
}

/* clang-format off */
const struct route routes_removals[] = {
	{ "DELETE", "/api/executions/:id", ROLE_ADMIN, 0, false, on_delete, "execution.delete" },
	{ 0 },
};
/* clang-format on */
