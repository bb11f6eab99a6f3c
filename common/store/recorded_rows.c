/* Columns out of items, items out of rows. See recorded_rows.h. */
#include "store/recorded_rows.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "store/answers.h"
#include "store/finish_effects.h"
#include "store/session.h"

struct record_call {
	struct pg *pg;
	struct record_item *items;
	size_t count;
	struct finish_item effects[RECORDED_BATCH_MAX];
	size_t effects_count;
	bool alive, mine;
	struct ready_list ready;
	record_fn *done;
	void *context;
};

#define COLUMN(args, type, item, one)                                                  \
	do {                                                                           \
		pg_array_begin(args, type);                                            \
		for (const struct record_item *item = items; item < items + count;     \
		     item++)                                                           \
			one;                                                           \
		pg_array_end(args);                                                    \
	} while (0)

/* ---- the question ---- */

static void
arg_which(struct pg_args *args, const struct record_item *items, size_t count)
{
	COLUMN(args, PG_UUID, item, pg_arg_uuid(args, &item->run));
	COLUMN(args, PG_INT4, item, pg_arg_int4(args, item->program_fence));
	COLUMN(args, PG_INT4, item, pg_arg_int4(args, item->number));
}

static void
arg_step(struct pg_args *args, const struct record_item *items, size_t count)
{
	COLUMN(args, PG_TEXT, item, pg_arg_text(args, item->key));
	COLUMN(args, PG_INT4, item,
	       item->parent > 0 ? pg_arg_int4(args, item->parent)
				: pg_arg_null(args, PG_INT4));
	COLUMN(args, PG_INT2, item, pg_arg_int2(args, (int)item->status));
	COLUMN(args, PG_INT2, item, pg_arg_int2(args, item->attempt));
	COLUMN(args, PG_INT2, item, pg_arg_int2(args, item->max_attempts));
	COLUMN(args, PG_INT2, item, pg_arg_int2(args, item->losses));
	COLUMN(args, PG_BOOL, item, pg_arg_bool(args, item->say_started));
	COLUMN(args, PG_INT2, item, pg_arg_int2(args, (int)item->event));
	COLUMN(args, PG_INT8, item, pg_arg_int8(args, (int64_t)item->age));
}

static void
arg_values(struct pg_args *args, const struct record_item *items, size_t count)
{
	COLUMN(args, PG_JSONB, item, pg_arg_json(args, item->input));
	COLUMN(args, PG_JSONB, item, pg_arg_json(args, item->output));
	COLUMN(args, PG_JSONB, item, pg_arg_json(args, item->error));
	COLUMN(args, PG_JSONB, item, pg_arg_json(args, item->payload));
	COLUMN(args, PG_TIME, item, pg_arg_time(args, item->run_at));
	COLUMN(args, PG_INT2, item, pg_arg_int2(args, (int)item->phase));
	COLUMN(args, PG_JSONB, item, pg_arg_json(args, item->made));
	COLUMN(args, PG_BOOL, item, pg_arg_bool(args, item->cut));
}

/* ---- answers ---- */

static void
on_locked(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct record_call *call = context;

	if (err->kind != ERR_NONE)
		return;
	call->alive = pg_bool(rows, 0, 0);
	call->mine = pg_bool(rows, 0, 1);
}

static void
on_recorded(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct record_call *call = context;

	for (size_t i = 0; err->kind == ERR_NONE && i < call->count; i++)
		call->items[i].lost = true;
	for (int row = 0; err->kind == ERR_NONE && row < pg_count(rows); row++) {
		struct record_item *item = &call->items[pg_int(rows, row, 0) - 1];

		item->accepted = true;
		item->lost = false;
		item->seq = pg_int(rows, row, 1);
		item->paused = pg_int(rows, row, 2) == RUN_PAUSED;
	}
}

static void
on_end(void *context, const struct err *err)
{
	struct record_call *call = context;
	struct err own = *err;
	struct ready_ref *refs;

	if (own.kind == ERR_NONE && !call->alive)
		err_set(&own, ERR_DENIED, "this worker was declared dead");
	else if (own.kind == ERR_NONE && !call->mine)
		session_is_not_ours(call->pg, &own);
	refs = ready_list_refs(&call->ready);
	call->done(
	    call->context,
	    &(struct record_answer){ call->items, call->count, refs,
				     own.kind == ERR_NONE ? call->ready.count : 0 },
	    &own);
	free(refs);
	ready_list_fini(&call->ready);
}

/* ---- storing ---- */

static struct record_call *
new_call(struct pg *pg, struct record_item *items, size_t count, record_fn *done,
	 void *context)
{
	struct record_call *call = xcalloc(1, sizeof *call);

	if (count == 0 || count > RECORDED_BATCH_MAX)
		bug("a record of %zu steps", count);
	call->pg = pg;
	call->items = items;
	call->count = count;
	call->done = done;
	call->context = context;
	for (size_t i = 0; i < count; i++)
		items[i].accepted = items[i].lost = items[i].paused = false;
	return call;
}

static void
add_lock(struct pg_batch *batch, const struct uuid *worker, struct record_call *call)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, worker);
	pg_arg_session(call->pg, &args);
	pg_array_begin(&args, PG_UUID);
	for (size_t i = 0; i < call->count; i++)
		pg_arg_uuid(&args, &call->items[i].run);
	pg_array_end(&args);
	pg_batch_add(batch, "steps_finish_lock", &args, on_locked, call);
	pg_args_fini(&args);
}

/* What follows from steps that wait is what follows from any that do. */
static void
add_effects(struct pg_batch *batch, struct record_call *call)
{
	for (size_t i = 0; i < call->count; i++) {
		const struct record_item *item = &call->items[i];
		struct finish_item *effects;

		if (item->effects.ask == NULL && item->effects.wait_event == NULL &&
		    item->effects.child == NULL)
			continue;
		effects = &call->effects[call->effects_count++];
		*effects = item->effects;
		effects->run = item->run;
		effects->number = item->number;
		effects->fence = item->program_fence;
		effects->status = item->status;
		effects->run_at = item->run_at;
		effects->run_status = RUN_RUNNING;
	}
	if (call->effects_count > 0)
		finish_effects_add(batch, call->effects, call->effects_count,
				   &call->ready);
}

void
recorded_rows_store(struct pg *pg, const struct uuid *worker, struct record_item *items,
		    size_t count, record_fn *done, void *context)
{
	struct record_call *call = new_call(pg, items, count, done, context);
	struct pg_batch *batch = pg_batch_new(pg);
	struct pg_args args;

	pg_batch_attach(batch, context, call);
	session_speak(pg, batch, worker);
	add_lock(batch, worker, call);
	pg_args_init(&args);
	pg_arg_uuid(&args, worker);
	pg_arg_session(pg, &args);
	arg_which(&args, items, count);
	arg_step(&args, items, count);
	arg_values(&args, items, count);
	pg_batch_add(batch, "steps_record", &args, on_recorded, call);
	pg_args_fini(&args);
	add_effects(batch, call);
	pg_batch_send(&batch, on_end, call);
}

/* ---- after a lost answer ---- */

static void
on_checked(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct record_call *call = context;

	for (int row = 0; err->kind == ERR_NONE && row < pg_count(rows); row++) {
		struct record_item *item = &call->items[row];
		int64_t verdict = pg_int(rows, row, 0);

		item->accepted = verdict > 0;
		item->lost = verdict < 0;
		item->seq = pg_int(rows, row, 1);
		item->paused = pg_int(rows, row, 2) == RUN_PAUSED;
	}
}

void
recorded_rows_check(struct pg *pg, const struct uuid *worker, struct record_item *items,
		    size_t count, record_fn *done, void *context)
{
	struct record_call *call = new_call(pg, items, count, done, context);
	struct pg_batch *batch = pg_batch_new(pg);
	struct pg_args args;

	pg_batch_attach(batch, context, call);
	session_speak(pg, batch, worker);
	add_lock(batch, worker, call);
	pg_args_init(&args);
	pg_arg_uuid(&args, worker);
	arg_which(&args, items, count);
	COLUMN(&args, PG_INT2, item, pg_arg_int2(&args, (int)item->status));
	COLUMN(&args, PG_INT2, item, pg_arg_int2(&args, item->attempt));
	pg_batch_add(batch, "steps_record_check", &args, on_checked, call);
	pg_args_fini(&args);
	pg_batch_send(&batch, on_end, call);
}

/* ---- reading ---- */

struct load_call {
	recorded_rows_fn *done;
	void *context;
};

static void
tell_rows(struct load_call *call, struct recorded_row *list, size_t count,
	  const struct err *err)
{
	call->done(call->context, list, count, err);
	for (size_t i = 0; i < count; i++) {
		json_unref(&list[i].made);
		json_unref(&list[i].output);
		json_unref(&list[i].error);
	}
	free(list);
}

static void
on_loaded(void *context, const struct pg_rows *rows, const struct err *err)
{
	size_t count = rows != NULL ? (size_t)pg_count(rows) : 0;
	struct recorded_row *list = xcalloc(count, sizeof *list);

	for (int row = 0; row < (int)count; row++)
		list[row] = (struct recorded_row){
			.number = (int)pg_int(rows, row, 0),
			.key = pg_text(rows, row, 1, NULL),
			.parent = (int)pg_int(rows, row, 2),
			.status = (enum step_status)pg_int(rows, row, 3),
			.attempt = (int)pg_int(rows, row, 4),
			.losses = (int)pg_int(rows, row, 5),
			.made = pg_json(rows, row, 6),
			.output = pg_json(rows, row, 7),
			.error = pg_json(rows, row, 8),
		};
	tell_rows(context, list, count, err);
}

static void
on_awaited(void *context, const struct pg_rows *rows, const struct err *err)
{
	size_t count = rows != NULL ? (size_t)pg_count(rows) : 0;
	struct recorded_row *list = xcalloc(count, sizeof *list);

	for (int row = 0; row < (int)count; row++)
		list[row] = (struct recorded_row){
			.number = (int)pg_int(rows, row, 0),
			.status = (enum step_status)pg_int(rows, row, 1),
			.output = pg_json(rows, row, 2),
			.error = pg_json(rows, row, 3),
		};
	tell_rows(context, list, count, err);
}

static void
ask_rows(struct pg *pg, const char *statement, const struct pg_args *args,
	 pg_done_fn *on_rows, recorded_rows_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct load_call *call = xcalloc(1, sizeof *call);

	*call = (struct load_call){ done, context };
	pg_batch_attach(batch, context, call);
	pg_batch_add(batch, statement, args, on_rows, call);
	pg_batch_send(&batch, NULL, NULL);
}

void
recorded_rows_load(struct pg *pg, const struct uuid *run, int fence,
		   recorded_rows_fn *done, void *context)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, run);
	pg_arg_int4(&args, fence);
	ask_rows(pg, "steps_recorded", &args, on_loaded, done, context);
	pg_args_fini(&args);
}

void
recorded_rows_awaited(struct pg *pg, const struct uuid *run, const int *numbers,
		      size_t count, recorded_rows_fn *done, void *context)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, run);
	pg_array_begin(&args, PG_INT4);
	for (size_t i = 0; i < count; i++)
		pg_arg_int4(&args, numbers[i]);
	pg_array_end(&args);
	ask_rows(pg, "steps_awaited", &args, on_awaited, done, context);
	pg_args_fini(&args);
}
