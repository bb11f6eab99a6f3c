/* A bot by its slug. See bots.h. */
#include "store/bots.h"

#include "base/xalloc.h"

struct finding {
	bot_fn *done;
	void *context;
};

struct bot_row
bot_row_read(const struct pg_rows *rows, int column, struct json **tools)
{
	*tools = pg_json(rows, 0, column + 3);
	return (struct bot_row){
		.id = pg_uuid(rows, 0, column),
		.system = pg_text(rows, 0, column + 1, NULL),
		.model = pg_is_null(rows, 0, column + 2)
			     ? NULL
			     : pg_text(rows, 0, column + 2, NULL),
		.tools = *tools,
		.handler = pg_is_null(rows, 0, column + 4)
			       ? NULL
			       : pg_text(rows, 0, column + 4, NULL),
	};
}

static void
on_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct finding *finding = context;
	struct json *tools = NULL;
	struct bot_row row;

	if (rows == NULL || pg_count(rows) == 0) {
		finding->done(finding->context, NULL, err);
		return;
	}
	row = bot_row_read(rows, 0, &tools);
	finding->done(finding->context, &row, err);
	json_unref(&tools);
}

void
bots_find(struct pg *pg, const struct uuid *run, const char *slug, bot_fn *done,
	  void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct finding *finding = xcalloc(1, sizeof *finding);
	struct pg_args args;

	*finding = (struct finding){ done, context };
	pg_batch_attach(batch, context, finding);
	pg_args_init(&args);
	pg_arg_uuid(&args, run);
	pg_arg_text(&args, slug);
	pg_batch_add(batch, "bots_find", &args, on_found, finding);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}
