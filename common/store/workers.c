/*
 * The rows of worker processes: registering, the lease, leaving, and being declared
 * dead. Each that takes steps away from a worker is one transaction in the order of
 * locks: the worker's row, the state rows of its runs, the steps.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "store/answers.h"
#include "store/session.h"
#include "store/workers.h"

/* ---- registering and the lease ---- */

void
workers_register(struct pg *pg, const struct worker_row *row, pg_done_fn *done,
		 void *context)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, &row->id);
	pg_arg_uuid(&args, &row->node);
	pg_arg_int4(&args, row->pid);
	pg_arg_int4(&args, row->slots);
	pg_array_begin(&args, PG_TEXT);
	for (size_t i = 0; i < row->queues_count; i++)
		pg_arg_text(&args, row->queues[i]);
	pg_array_end(&args);
	pg_arg_text(&args, row->version);
	pg_arg_int8(&args, row->lease);
	pg_query(pg, "workers_register", &args, done, context);
	pg_args_fini(&args);
}

struct renew_call {
	bool alive;
	renewed_fn *done;
	void *context;
};

static void
on_renewed(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct renew_call *call = context;

	call->alive = err->kind == ERR_NONE && pg_count(rows) > 0;
}

static void
on_not_held(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct renew_call *call = context;
	size_t count = err->kind == ERR_NONE ? (size_t)pg_count(rows) : 0;
	struct err own = *err;
	int *lost;

	if (own.kind == ERR_NONE && !call->alive) {
		err_set(&own, ERR_DENIED, "this worker was declared dead");
		count = 0;
	}
	lost = xcalloc(count + 1, sizeof *lost);
	for (size_t i = 0; i < count; i++)
		lost[i] = (int)pg_int(rows, (int)i, 0);
	call->done(call->context, lost, count, &own);
	free(lost);
}

static void
arg_held(struct pg_args *args, const struct held_ref *refs, size_t count)
{
	pg_array_begin(args, PG_UUID);
	for (size_t i = 0; i < count; i++)
		pg_arg_uuid(args, &refs[i].run);
	pg_array_end(args);
	pg_array_begin(args, PG_INT4);
	for (size_t i = 0; i < count; i++)
		pg_arg_int4(args, refs[i].number);
	pg_array_end(args);
	pg_array_begin(args, PG_INT4);
	for (size_t i = 0; i < count; i++)
		pg_arg_int4(args, refs[i].fence);
	pg_array_end(args);
}

void
workers_renew(struct pg *pg, const struct uuid *worker, usec_t lease, int used,
	      const struct held_ref *refs, size_t count, renewed_fn *done,
	      void *context)
{
	struct renew_call *call = xcalloc(1, sizeof *call);
	struct pg_batch *batch = pg_batch_new(pg);
	struct pg_args args;

	call->done = done;
	call->context = context;
	pg_batch_attach(batch, context, call);
	pg_args_init(&args);
	pg_arg_uuid(&args, worker);
	pg_arg_int8(&args, lease);
	pg_arg_int4(&args, used);
	pg_batch_add(batch, "workers_renew", &args, on_renewed, call);
	pg_args_fini(&args);
	pg_args_init(&args);
	pg_arg_uuid(&args, worker);
	arg_held(&args, refs, count);
	pg_batch_add(batch, "steps_not_held", &args, on_not_held, call);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}

/* ---- taking steps away ---- */

/* A batch that ends the worker's row and locks the runs of its steps; args is left with
 * the worker, for the statement about the steps. */
static struct pg_batch *
end_worker(struct pg *pg, const struct uuid *worker, const char *how,
	   struct pg_args *args)
{
	struct pg_batch *batch = pg_batch_new(pg);

	pg_args_init(args);
	pg_arg_uuid(args, worker);
	pg_batch_add(batch, "workers_lock", args, NULL, NULL);
	pg_batch_add(batch, how, args, NULL, NULL);
	pg_batch_add(batch, "runs_lock_held", args, NULL, NULL);
	return batch;
}

void
workers_leave(struct pg *pg, const struct uuid *worker, ready_fn *done, void *context)
{
	struct pg_args args;
	struct pg_batch *batch = end_worker(pg, worker, "workers_leave", &args);

	ready_answer(batch, "steps_hand_back_all", &args, done, context);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}

/* {"signal": "SIGSEGV", "rusage": {"userMs": 120, "systemMs": 30, "maxRssKb": 51200}},
 * or with exitStatus instead of signal. */
static struct json *
facts_of(const struct ending *ending)
{
	struct json *facts = json_new_object(), *usage = json_new_object();
	char name[32];

	if (ending->signal != 0)
		json_set(facts, "signal",
			 json_new_str(ending_signal_name(ending, name)));
	else
		json_set(facts, "exitStatus", json_new_int(ending->exit_status));
	json_set(usage, "userMs", json_new_int(ending->user_ms));
	json_set(usage, "systemMs", json_new_int(ending->system_ms));
	json_set(usage, "maxRssKb", json_new_int(ending->max_rss_kb));
	json_set(facts, "rusage", usage);
	return facts;
}

void
workers_bury(struct pg *pg, const struct uuid *worker, const struct ending *ending,
	     ready_fn *done, void *context)
{
	struct json *facts = ending != NULL ? facts_of(ending) : NULL;
	struct pg_args args;
	struct pg_batch *batch = end_worker(pg, worker, "workers_bury", &args);

	pg_batch_add(batch, "runs_crash_interrupted", &args, NULL, NULL);
	pg_arg_json(&args, facts);
	pg_arg_bool(&args, ending != NULL && !ending->ordered);
	ready_answer(batch, "steps_requeue_lost", &args, done, context);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
	json_unref(&facts);
}

void
workers_hand_back(struct pg *pg, const struct uuid *worker, const struct held_ref *refs,
		  size_t count, ready_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct pg_args args;

	session_speak(pg, batch, worker);
	pg_args_init(&args);
	pg_arg_uuid(&args, worker);
	pg_arg_session(pg, &args);
	pg_array_begin(&args, PG_UUID);
	for (size_t i = 0; i < count; i++)
		pg_arg_uuid(&args, &refs[i].run);
	pg_array_end(&args);
	pg_batch_add(batch, "steps_finish_lock", &args, NULL, NULL);
	pg_args_fini(&args);
	pg_args_init(&args);
	pg_arg_uuid(&args, worker);
	arg_held(&args, refs, count);
	ready_answer(batch, "steps_hand_back", &args, done, context);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}

/* ---- who is late ---- */

void
workers_expired(struct pg *pg, worker_ids_fn *done, void *context)
{
	ids_answer(pg, "workers_expired", done, context);
}

void
nodes_beat(struct pg *pg, const struct uuid *node, const char *host, int pid,
	   const char *version, int desired, int running, const char *status,
	   int followed, pg_done_fn *done, void *context)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, node);
	pg_arg_text(&args, host);
	pg_arg_int4(&args, pid);
	pg_arg_text(&args, version);
	pg_arg_int4(&args, desired);
	pg_arg_int4(&args, running);
	pg_arg_text(&args, status);
	if (followed >= 0)
		pg_arg_int4(&args, followed);
	else
		pg_arg_null(&args, PG_INT4);
	pg_query(pg, "nodes_beat", &args, done, context);
	pg_args_fini(&args);
}
