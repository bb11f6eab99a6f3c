/* See audit.h. */
#include "store/audit.h"

#define COLUMN(args, type, row, one)                                                   \
	do {                                                                           \
		pg_array_begin(args, type);                                            \
		for (const struct audit_row *row = rows; row < rows + count; row++)    \
			one;                                                           \
		pg_array_end(args);                                                    \
	} while (0)

static void
arg_rows(struct pg_args *args, const struct audit_row *rows, size_t count)
{
	COLUMN(args, PG_UUID, row, pg_arg_uuid(args, &row->id));
	COLUMN(args, PG_TEXT, row, pg_arg_text(args, row->who));
	COLUMN(args, PG_TEXT, row, pg_arg_text(args, row->what));
	COLUMN(args, PG_TEXT, row, pg_arg_text(args, row->target));
	COLUMN(args, PG_TEXT, row, pg_arg_text(args, row->address));
	COLUMN(args, PG_JSONB, row, pg_arg_json(args, row->details));
}

void
audit_insert(struct pg *pg, const struct audit_row *row, pg_done_fn *done,
	     void *context)
{
	struct pg_args args;

	pg_args_init(&args);
	arg_rows(&args, row, 1);
	pg_query(pg, "audit_insert", &args, done, context);
	pg_args_fini(&args);
}

void
audit_insert_into(struct pg_batch *batch, const struct audit_row *rows, size_t count)
{
	struct pg_args args;

	pg_args_init(&args);
	arg_rows(&args, rows, count);
	pg_batch_add(batch, "audit_insert", &args, NULL, NULL);
	pg_args_fini(&args);
}
