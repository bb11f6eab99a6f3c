/* Events of the bus. See bus_events.h. */
#include "store/bus_events.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "store/answers.h"

void
bus_events_insert(struct pg *pg, const struct uuid *id, const struct uuid *project,
		  const char *source, const char *type, const struct json *data,
		  pg_end_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, id);
	pg_arg_uuid(&args, project);
	pg_arg_text(&args, source);
	pg_arg_text(&args, type);
	pg_arg_json(&args, data);
	pg_batch_add(batch, "bus_events_insert", &args, NULL, NULL);
	pg_args_fini(&args);
	pg_batch_send(&batch, done, context);
}

void
bus_events_wake(struct pg *pg, const char *type, ready_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_text(&args, type);
	pg_batch_add(batch, "event_waits_lock", &args, NULL, NULL);
	ready_answer(batch, "event_waits_wake", &args, done, context);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}

struct since_call {
	bus_events_fn *done;
	void *context;
};

static void
on_since(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct since_call *call = context;
	struct json *list = NULL;
	struct err own = *err;
	const char *text;
	usec_t as_of = 0;
	size_t len;

	if (rows != NULL && pg_count(rows) > 0) {
		text = pg_text(rows, 0, 0, &len);
		json_parse(text, len, &list, &own);
		as_of = pg_time(rows, 0, 1);
	}
	call->done(call->context, list, as_of, &own);
	json_unref(&list);
}

void
bus_events_since(struct pg *pg, const struct uuid *run, const char *type,
		 bus_events_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct since_call *call = xcalloc(1, sizeof *call);
	struct pg_args args;

	*call = (struct since_call){ done, context };
	pg_batch_attach(batch, context, call);
	pg_args_init(&args);
	pg_arg_uuid(&args, run);
	pg_arg_text(&args, type);
	pg_batch_add(batch, "bus_events_since", &args, on_since, call);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}
