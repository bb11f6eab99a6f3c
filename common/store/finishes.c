/*
 * Carries a batch of results to sql/steps_finish.sql and its answer back: columns out
 * of items, items out of rows. What they say was decided elsewhere.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "store/answers.h"
#include "store/finish_effects.h"
#include "store/finishes.h"
#include "store/session.h"

struct finish_call {
	struct pg *pg;
	struct finish_item *items;
	size_t count;
	bool alive, mine;
	struct ready_list ready;
	finish_fn *done;
	void *context;
};

/* ---- columns ---- */

/* One array parameter: `one` adds the item's value. */
#define COLUMN(args, type, item, one)                                                  \
	do {                                                                           \
		pg_array_begin(args, type);                                            \
		for (const struct finish_item *item = items; item < items + count;     \
		     item++)                                                           \
			one;                                                           \
		pg_array_end(args);                                                    \
	} while (0)

static void
arg_which(struct pg_args *args, const struct finish_item *items, size_t count)
{
	COLUMN(args, PG_UUID, item, pg_arg_uuid(args, &item->run));
	COLUMN(args, PG_INT4, item, pg_arg_int4(args, item->number));
	COLUMN(args, PG_INT4, item, pg_arg_int4(args, item->fence));
}

static void
arg_outcome(struct pg_args *args, const struct finish_item *items, size_t count)
{
	COLUMN(args, PG_BOOL, item, pg_arg_bool(args, item->say_started));
	COLUMN(args, PG_INT2, item, pg_arg_int2(args, (int)item->status));
	COLUMN(args, PG_JSONB, item, pg_arg_json(args, item->input));
	COLUMN(args, PG_JSONB, item, pg_arg_json(args, item->output));
	COLUMN(args, PG_JSONB, item, pg_arg_json(args, item->error));
	COLUMN(args, PG_TIME, item, pg_arg_time(args, item->run_at));
	COLUMN(args, PG_BOOL, item, pg_arg_bool(args, item->will_retry));
	COLUMN(args, PG_BOOL, item, pg_arg_bool(args, item->only_waits));
}

static void
arg_next(struct pg_args *args, const struct finish_item *items, size_t count)
{
	COLUMN(args, PG_TEXT, item, pg_arg_text(args, item->next.key));
	COLUMN(args, PG_INT4, item,
	       item->next.key != NULL ? pg_arg_int4(args, item->next.number)
				      : pg_arg_null(args, PG_INT4));
	COLUMN(args, PG_TEXT, item,
	       pg_arg_text(args, item->next.key != NULL ? item->next.queue : NULL));
	COLUMN(args, PG_INT2, item,
	       item->next.key != NULL ? pg_arg_int2(args, item->next.max_attempts)
				      : pg_arg_null(args, PG_INT2));
	COLUMN(args, PG_BOOL, item,
	       item->next.key != NULL ? pg_arg_bool(args, item->next.held)
				      : pg_arg_null(args, PG_BOOL));
}

static void
arg_run_end(struct pg_args *args, const struct finish_item *items, size_t count)
{
	COLUMN(args, PG_INT2, item, pg_arg_int2(args, (int)item->run_status));
	COLUMN(args, PG_JSONB, item, pg_arg_json(args, item->run_output));
	COLUMN(args, PG_JSONB, item, pg_arg_json(args, item->run_error));
}

/* ---- answers ---- */

static void
on_locked(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct finish_call *call = context;

	if (err->kind != ERR_NONE)
		return;
	call->alive = pg_bool(rows, 0, 0);
	call->mine = pg_bool(rows, 0, 1);
}

static void
on_finished(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct finish_call *call = context;

	for (int row = 0; err->kind == ERR_NONE && row < pg_count(rows); row++) {
		struct finish_item *item = &call->items[pg_int(rows, row, 0) - 1];

		item->accepted = true;
		item->seq = pg_int(rows, row, 1);
		item->holds_next = pg_bool(rows, row, 2);
	}
}

static void
on_end(void *context, const struct err *err)
{
	struct finish_call *call = context;
	struct err own = *err;
	struct ready_ref *refs;

	if (own.kind == ERR_NONE && !call->alive)
		err_set(&own, ERR_DENIED, "this worker was declared dead");
	else if (own.kind == ERR_NONE && !call->mine)
		session_is_not_ours(call->pg, &own);
	refs = ready_list_refs(&call->ready);
	call->done(
	    call->context,
	    &(struct finish_answer){ call->items, call->count, refs,
				     own.kind == ERR_NONE ? call->ready.count : 0 },
	    &own);
	free(refs);
	ready_list_fini(&call->ready);
}

/* ---- storing ---- */

static struct finish_call *
new_call(struct pg *pg, struct finish_item *items, size_t count, finish_fn *done,
	 void *context)
{
	struct finish_call *call = xcalloc(1, sizeof *call);

	if (count == 0 || count > FINISH_BATCH_MAX)
		bug("a finish of %zu steps", count);
	call->pg = pg;
	call->items = items;
	call->count = count;
	call->done = done;
	call->context = context;
	for (size_t i = 0; i < count; i++)
		items[i].accepted = false;
	return call;
}

/* The runs, and those whose step is woken when one of them ends. */
static void
arg_locked(struct pg_args *args, const struct finish_item *items, size_t count)
{
	pg_array_begin(args, PG_UUID);
	for (size_t i = 0; i < count; i++) {
		pg_arg_uuid(args, &items[i].run);
		if (items[i].has_parent_run)
			pg_arg_uuid(args, &items[i].parent_run);
	}
	pg_array_end(args);
}

static void
add_lock(struct pg_batch *batch, const struct uuid *worker, struct finish_call *call)
{
	const struct finish_item *items = call->items;
	size_t count = call->count;
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, worker);
	pg_arg_session(call->pg, &args);
	arg_locked(&args, items, count);
	pg_batch_add(batch, "steps_finish_lock", &args, on_locked, call);
	pg_args_fini(&args);
}

void
finishes_store(struct pg *pg, const struct uuid *worker, struct finish_item *items,
	       size_t count, finish_fn *done, void *context)
{
	struct finish_call *call = new_call(pg, items, count, done, context);
	struct pg_batch *batch = pg_batch_new(pg);
	struct pg_args args;

	pg_batch_attach(batch, context, call);
	session_speak(pg, batch, worker);
	add_lock(batch, worker, call);
	pg_args_init(&args);
	pg_arg_uuid(&args, worker);
	pg_arg_session(pg, &args);
	arg_which(&args, items, count);
	arg_outcome(&args, items, count);
	arg_next(&args, items, count);
	arg_run_end(&args, items, count);
	COLUMN(&args, PG_INT2, item, pg_arg_int2(&args, (int)item->phase));
	pg_batch_add(batch, "steps_finish", &args, on_finished, call);
	pg_args_fini(&args);
	finish_effects_add(batch, items, count, &call->ready);
	pg_batch_send(&batch, on_end, call);
}

/* ---- after a lost answer ---- */

static void
on_checked(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct finish_call *call = context;

	for (int row = 0; err->kind == ERR_NONE && row < pg_count(rows); row++) {
		struct finish_item *item = &call->items[row];
		int64_t verdict = pg_int(rows, row, 0);

		item->accepted = verdict > 0;
		item->seq = pg_int(rows, row, 1);
		item->holds_next = pg_bool(rows, row, 2);
		if (verdict < 0)
			item->fence = -1;
	}
}

/* The lock waits for what may still be under way, and tells whether we are alive. */
void
finishes_check(struct pg *pg, const struct uuid *worker, struct finish_item *items,
	       size_t count, finish_fn *done, void *context)
{
	struct finish_call *call = new_call(pg, items, count, done, context);
	struct pg_batch *batch = pg_batch_new(pg);
	struct pg_args args;

	pg_batch_attach(batch, context, call);
	session_speak(pg, batch, worker);
	add_lock(batch, worker, call);
	pg_args_init(&args);
	pg_arg_uuid(&args, worker);
	arg_which(&args, items, count);
	COLUMN(&args, PG_INT2, item, pg_arg_int2(&args, (int)item->status));
	COLUMN(&args, PG_INT4, item,
	       item->next.key != NULL ? pg_arg_int4(&args, item->next.number)
				      : pg_arg_null(&args, PG_INT4));
	pg_batch_add(batch, "steps_finish_check", &args, on_checked, call);
	pg_args_fini(&args);
	pg_batch_send(&batch, on_end, call);
}
