/* What earlier steps of a run answered, for the steps that refer to them. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "store/claims.h"

struct visits_call {
	visits_fn *done;
	void *context;
};

static void
on_visits(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct visits_call *call = context;
	size_t count = err->kind == ERR_NONE ? (size_t)pg_count(rows) : 0;
	struct visit_row *list = xcalloc(count + 1, sizeof *list);

	for (size_t i = 0; i < count; i++) {
		int row = (int)i;

		list[i] = (struct visit_row){
			.run = pg_uuid(rows, row, 0),
			.key = pg_text(rows, row, 1, NULL),
			.number = (int)pg_int(rows, row, 2),
			.status = (int)pg_int(rows, row, 3),
			.output = pg_json(rows, row, 4),
			.error = pg_json(rows, row, 5),
		};
	}
	call->done(call->context, list, count, err);
	for (size_t i = 0; i < count; i++) {
		json_unref(&list[i].output);
		json_unref(&list[i].error);
	}
	free(list);
}

/* One pair per key; a request without keys is one pair with a null. */
static size_t
pairs_of(const struct visits_request *request)
{
	return request->keys == NULL ? 1 : request->keys_count;
}

static void
arg_pairs(struct pg_args *args, const struct visits_request *requests, size_t count)
{
	pg_array_begin(args, PG_UUID);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < pairs_of(&requests[i]); j++)
			pg_arg_uuid(args, &requests[i].run);
	pg_array_end(args);
	pg_array_begin(args, PG_TEXT);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < pairs_of(&requests[i]); j++)
			pg_arg_text(args, requests[i].keys == NULL
					      ? NULL
					      : requests[i].keys[j]);
	pg_array_end(args);
}

void
visits_load(struct pg *pg, const struct visits_request *requests, size_t count,
	    visits_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct visits_call *call = xcalloc(1, sizeof *call);
	struct pg_args args;

	call->done = done;
	call->context = context;
	pg_batch_attach(batch, context, call);
	pg_args_init(&args);
	arg_pairs(&args, requests, count);
	pg_batch_add(batch, "steps_visits", &args, on_visits, call);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}
