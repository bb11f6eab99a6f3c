/* See event_triggers.h. */
#include "store/event_triggers.h"

#include <stdlib.h>

#include "base/xalloc.h"

enum column {
	EVENT_ID,
	EVENT_PROJECT,
	EVENT_SOURCE,
	EVENT_TYPE,
	EVENT_DATA,
	EVENT_AT,
	EVENT_DEPTH,
	EVENT_PLACE,
	EVENT_WORKFLOW_PROJECT,
	EVENT_DEFINITION,
	EVENT_WORKFLOW
};

struct pending_call {
	event_rows_fn *done;
	void *context;
};

static struct uuid
uuid_or_nil(const struct pg_rows *rows, int row, int column)
{
	return pg_is_null(rows, row, column) ? (struct uuid){ 0 }
					     : pg_uuid(rows, row, column);
}

static void
read_row(struct event_row *event, const struct pg_rows *rows, int row)
{
	event->id = pg_uuid(rows, row, EVENT_ID);
	event->project = uuid_or_nil(rows, row, EVENT_PROJECT);
	event->source = xstrdup(pg_text(rows, row, EVENT_SOURCE, NULL));
	event->type = xstrdup(pg_text(rows, row, EVENT_TYPE, NULL));
	if (!pg_is_null(rows, row, EVENT_DATA))
		event->data = pg_json(rows, row, EVENT_DATA);
	event->at = pg_time(rows, row, EVENT_AT);
	event->depth = (int)pg_int(rows, row, EVENT_DEPTH);
	event->wanted = !pg_is_null(rows, row, EVENT_PLACE);
	if (!event->wanted)
		return;
	event->place = (int)pg_int(rows, row, EVENT_PLACE);
	event->workflow_project = uuid_or_nil(rows, row, EVENT_WORKFLOW_PROJECT);
	event->definition = pg_uuid(rows, row, EVENT_DEFINITION);
	event->workflow = xstrdup(pg_text(rows, row, EVENT_WORKFLOW, NULL));
}

static void
on_pending(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct pending_call *call = context;
	size_t count = rows != NULL ? (size_t)pg_count(rows) : 0;
	struct event_row *events = xcalloc(count + 1, sizeof *events);

	for (size_t i = 0; i < count; i++)
		read_row(&events[i], rows, (int)i);
	call->done(call->context, events, count, err);
}

void
event_triggers_pending(struct pg *pg, int most, event_rows_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct pending_call *call = xcalloc(1, sizeof *call);
	struct pg_args args;

	*call = (struct pending_call){ done, context };
	pg_batch_attach(batch, context, call);
	pg_args_init(&args);
	pg_arg_int4(&args, most);
	pg_batch_add(batch, "event_triggers_pending", &args, on_pending, call);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}

void
event_rows_free(struct event_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(rows[i].source);
		free(rows[i].type);
		free(rows[i].workflow);
		json_unref(&rows[i].data);
	}
	free(rows);
}

void
event_triggers_clear_into(struct pg_batch *batch, int64_t epoch, const struct uuid *ids,
			  size_t count)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_int8(&args, epoch);
	pg_array_begin(&args, PG_UUID);
	for (size_t i = 0; i < count; i++)
		pg_arg_uuid(&args, &ids[i]);
	pg_array_end(&args);
	pg_batch_add(batch, "event_triggers_clear", &args, NULL, NULL);
	pg_args_fini(&args);
}
