/* What steps find that come back, and what they may start. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "store/claims.h"

struct back_call {
	back_fn *done;
	void *context;
};

/* Columns of JSON come as text: json-c reads them, and a null stays one. */
static struct json *
column(const struct pg_rows *rows, int index)
{
	struct json *json = NULL;
	struct err err = { 0 };
	const char *text;
	size_t len;

	if (pg_is_null(rows, 0, index))
		return NULL;
	text = pg_text(rows, 0, index, &len);
	if (json_parse(text, len, &json, &err) < 0)
		return NULL;
	return json;
}

static int
number(const struct pg_rows *rows, int index)
{
	return pg_is_null(rows, 0, index) ? -1 : (int)pg_int(rows, 0, index);
}

static void
read_row(const struct pg_rows *rows, struct back_row *row)
{
	*row = (struct back_row){
		.outputs = column(rows, 0),
		.error = column(rows, 1),
		.visits = (int)pg_int(rows, 0, 2),
		.approval = number(rows, 3),
		.args = column(rows, 4),
		.by = column(rows, 5),
		.comment = column(rows, 6),
		.at = column(rows, 7),
		.child = number(rows, 8),
		.child_output = column(rows, 9),
		.child_error = column(rows, 10),
	};
	if (row->child >= 0)
		row->child_id = pg_uuid(rows, 0, 11);
}

static void
on_back(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct back_call *call = context;
	struct back_row row = { .approval = -1, .child = -1 };
	struct err gone = { 0 };

	if (rows != NULL && pg_count(rows) == 0) {
		err_set(&gone, ERR_NOT_FOUND, "the step is gone");
		err = &gone;
	} else if (rows != NULL) {
		read_row(rows, &row);
	}
	call->done(call->context, &row, err);
	json_unref(&row.outputs);
	json_unref(&row.error);
	json_unref(&row.args);
	json_unref(&row.by);
	json_unref(&row.comment);
	json_unref(&row.at);
	json_unref(&row.child_output);
	json_unref(&row.child_error);
}

void
back_load(struct pg *pg, const struct uuid *run, int step, back_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct back_call *call = xcalloc(1, sizeof *call);
	struct pg_args args;

	*call = (struct back_call){ done, context };
	pg_batch_attach(batch, context, call);
	pg_args_init(&args);
	pg_arg_uuid(&args, run);
	pg_arg_int4(&args, step);
	pg_batch_add(batch, "steps_back", &args, on_back, call);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}

struct to_start_call {
	to_start_fn *done;
	void *context;
};

static void
on_to_start(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct to_start_call *call = context;
	struct uuid definition;

	if (rows == NULL || pg_count(rows) == 0) {
		call->done(call->context, NULL, 0, err);
		return;
	}
	definition = pg_uuid(rows, 0, 0);
	call->done(call->context, &definition, (int)pg_int(rows, 0, 1), err);
}

void
to_start_find(struct pg *pg, const struct uuid *run, const char *name,
	      to_start_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct to_start_call *call = xcalloc(1, sizeof *call);
	struct pg_args args;

	*call = (struct to_start_call){ done, context };
	pg_batch_attach(batch, context, call);
	pg_args_init(&args);
	pg_arg_uuid(&args, run);
	pg_arg_text(&args, name);
	pg_batch_add(batch, "workflows_to_start", &args, on_to_start, call);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}
