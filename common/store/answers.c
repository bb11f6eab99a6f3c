/* Answers that several statements give. See answers.h. */
#include "store/answers.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"

/* ---- answers with steps made ready ---- */

struct ready_call {
	ready_fn *done;
	void *context;
};

static void
on_ready(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct ready_call *call = context;
	size_t count = err->kind == ERR_NONE ? (size_t)pg_count(rows) : 0;
	struct ready_ref *refs = xcalloc(count + 1, sizeof *refs);

	for (size_t i = 0; i < count; i++) {
		int row = (int)i;

		refs[i] = (struct ready_ref){
			.ref = { pg_uuid(rows, row, 0), (int32_t)pg_int(rows, row, 1) },
			.queue = pg_text(rows, row, 2, NULL),
			.priority = (enum priority)pg_int(rows, row, 3),
		};
	}
	if (call->done != NULL)
		call->done(call->context, refs, count, err);
	free(refs);
}

void
ready_answer(struct pg_batch *batch, const char *statement, const struct pg_args *args,
	     ready_fn *done, void *context)
{
	struct ready_call *call = xcalloc(1, sizeof *call);

	call->done = done;
	call->context = context;
	pg_batch_attach(batch, context, call);
	pg_batch_add(batch, statement, args, on_ready, call);
}

/* ---- ids ---- */

struct ids_call {
	worker_ids_fn *done;
	void *context;
};

static void
on_ids(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct ids_call *call = context;
	size_t count = err->kind == ERR_NONE ? (size_t)pg_count(rows) : 0;
	struct uuid *ids = xcalloc(count + 1, sizeof *ids);

	for (size_t i = 0; i < count; i++)
		ids[i] = pg_uuid(rows, (int)i, 0);
	call->done(call->context, ids, count, err);
	free(ids);
}

void
ids_answer(struct pg *pg, const char *statement, worker_ids_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct ids_call *call = xcalloc(1, sizeof *call);

	call->done = done;
	call->context = context;
	pg_batch_attach(batch, context, call);
	pg_batch_add(batch, statement, NULL, on_ids, call);
	pg_batch_send(&batch, NULL, NULL);
}

/* ---- gathered until the commit ---- */

void
ready_list_add(struct ready_list *list, const struct uuid *run, int number,
	       const char *queue, enum priority priority)
{
	struct ready_item *item;

	if (list->count == list->room) {
		list->room = list->room * 2 + 16;
		list->items = xrealloc(list->items, list->room, sizeof *list->items);
	}
	item = &list->items[list->count++];
	item->ref = (struct ready_ref){ .ref = { *run, number }, .priority = priority };
	snprintf(item->queue, sizeof item->queue, "%s", queue);
}

void
ready_list_rows(struct ready_list *list, const struct pg_rows *rows)
{
	for (int row = 0; row < pg_count(rows); row++) {
		struct uuid run = pg_uuid(rows, row, 0);

		ready_list_add(list, &run, (int)pg_int(rows, row, 1),
			       pg_text(rows, row, 2, NULL),
			       (enum priority)pg_int(rows, row, 3));
	}
}

struct ready_ref *
ready_list_refs(struct ready_list *list)
{
	struct ready_ref *refs = xcalloc(list->count + 1, sizeof *refs);

	for (size_t i = 0; i < list->count; i++) {
		refs[i] = list->items[i].ref;
		refs[i].queue = list->items[i].queue;
	}
	return refs;
}

void
ready_list_fini(struct ready_list *list)
{
	free(list->items);
	*list = (struct ready_list){ 0 };
}
