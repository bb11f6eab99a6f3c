/* See firings.h. */
#include "store/firings.h"

#include <stdlib.h>

#include "base/xalloc.h"

enum due_column {
	DUE_ID,
	DUE_REVISION,
	DUE_EXPECTED,
	DUE_CREATED,
	DUE_NOW,
	DUE_CRON,
	DUE_ZONE,
	DUE_START,
	DUE_END,
	DUE_DAYS,
	DUE_JITTER,
	DUE_CATCH_UP,
	DUE_SKIP_OVERLAP,
	DUE_RUNS_LEFT,
	DUE_NAME,
	DUE_KIND,
	DUE_PROJECT,
	DUE_CREATED_BY,
	DUE_TOOLS,
	DUE_INPUT,
	DUE_LAST_ALIVE,
	DUE_WORKFLOW,
	DUE_DEFINITION,
	DUE_ACTIVE
};

struct due_call {
	due_fn *done;
	void *context;
	size_t count;
	usec_t next;
};

static const char *
text_or_null(const struct pg_rows *rows, int row, int column)
{
	return pg_is_null(rows, row, column) ? NULL : pg_text(rows, row, column, NULL);
}

static void
read_days(struct due_row *due, const struct pg_rows *rows, int row)
{
	struct json *days =
	    pg_is_null(rows, row, DUE_DAYS) ? NULL : pg_json(rows, row, DUE_DAYS);

	for (size_t i = 0; i < json_count(days) && i < DUE_DAYS_MAX; i++)
		due->days[due->days_count++] = (int)json_int(json_at(days, i));
	json_unref(&days);
}

static void
read_when(struct due_row *due, const struct pg_rows *rows, int row)
{
	due->id = pg_uuid(rows, row, DUE_ID);
	due->revision = (int)pg_int(rows, row, DUE_REVISION);
	due->expected = pg_time(rows, row, DUE_EXPECTED);
	due->created_at = pg_time(rows, row, DUE_CREATED);
	due->now = pg_time(rows, row, DUE_NOW);
	due->cron = pg_text(rows, row, DUE_CRON, NULL);
	due->zone = pg_text(rows, row, DUE_ZONE, NULL);
	due->start = text_or_null(rows, row, DUE_START);
	due->end = text_or_null(rows, row, DUE_END);
	read_days(due, rows, row);
	due->jitter = pg_int(rows, row, DUE_JITTER) * USEC_MS;
}

static struct json *
json_or_null(const struct pg_rows *rows, int row, int column)
{
	return pg_is_null(rows, row, column) ? NULL : pg_json(rows, row, column);
}

static void
read_what(struct due_row *due, const struct pg_rows *rows, int row)
{
	due->catch_up = pg_text(rows, row, DUE_CATCH_UP, NULL);
	due->skip_overlap = pg_bool(rows, row, DUE_SKIP_OVERLAP);
	due->runs_left = pg_is_null(rows, row, DUE_RUNS_LEFT)
			     ? -1
			     : (int)pg_int(rows, row, DUE_RUNS_LEFT);
	due->name = pg_text(rows, row, DUE_NAME, NULL);
	due->is_heartbeat = pg_text(rows, row, DUE_KIND, NULL)[0] == 'h';
	due->project = pg_uuid(rows, row, DUE_PROJECT);
	due->created_by = text_or_null(rows, row, DUE_CREATED_BY);
	due->tools = json_or_null(rows, row, DUE_TOOLS);
	due->input = json_or_null(rows, row, DUE_INPUT);
	due->last_alive = pg_bool(rows, row, DUE_LAST_ALIVE);
	due->has_workflow = !pg_is_null(rows, row, DUE_WORKFLOW);
	due->has_definition = !pg_is_null(rows, row, DUE_DEFINITION);
	if (!due->has_definition)
		return;
	due->definition = pg_uuid(rows, row, DUE_DEFINITION);
	due->is_active = pg_bool(rows, row, DUE_ACTIVE);
}

static void
on_due(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct due_call *call = context;
	size_t count = rows != NULL ? (size_t)pg_count(rows) : 0;
	struct due_row *due = xcalloc(count + 1, sizeof *due);

	for (size_t i = 0; i < count; i++) {
		read_when(&due[i], rows, (int)i);
		read_what(&due[i], rows, (int)i);
	}
	call->done(call->context, due, count, count > 0 ? 0 : call->next, err);
	for (size_t i = 0; i < count; i++) {
		json_unref(&due[i].tools);
		json_unref(&due[i].input);
	}
	free(due);
}

static void
on_next(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct due_call *call = context;

	(void)err;
	call->next = rows == NULL || pg_count(rows) == 0 || pg_is_null(rows, 0, 0)
			 ? USEC_NEVER
			 : pg_time(rows, 0, 0);
}

void
firings_due(struct pg *pg, int most, usec_t ahead, due_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct due_call *call = xcalloc(1, sizeof *call);
	struct pg_args args;

	*call = (struct due_call){ .done = done, .context = context };
	pg_batch_attach(batch, context, call);
	pg_args_init(&args);
	pg_batch_add(batch, "schedules_next", NULL, on_next, call);
	pg_arg_int4(&args, most);
	pg_arg_int8(&args, ahead);
	pg_batch_add(batch, "schedules_due", &args, on_due, call);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}

#define COLUMN(args, type, item, list, n, one)                                         \
	do {                                                                           \
		pg_array_begin(args, type);                                            \
		for (size_t i_ = 0; i_ < (n); i_++) {                                  \
			item = &(list)[i_];                                            \
			one;                                                           \
		}                                                                      \
		pg_array_end(args);                                                    \
	} while (0)

static void
arg_schedules(struct pg_args *args, const struct fired_row *list, size_t n)
{
	const struct fired_row *it;

	COLUMN(args, PG_UUID, it, list, n, pg_arg_uuid(args, &it->id));
	COLUMN(args, PG_INT4, it, list, n, pg_arg_int4(args, it->revision));
	COLUMN(args, PG_TIME, it, list, n, pg_arg_time(args, it->expected));
	COLUMN(args, PG_TIME, it, list, n, pg_arg_time(args, it->next));
	COLUMN(args, PG_TIME, it, list, n, pg_arg_time(args, it->due));
	COLUMN(args, PG_INT4, it, list, n, pg_arg_int4(args, it->counted));
	COLUMN(args, PG_BOOL, it, list, n, pg_arg_bool(args, it->reached));
	COLUMN(args, PG_UUID, it, list, n, pg_arg_uuid(args, it->run));
}

static void
arg_entries(struct pg_args *args, const struct ledger_row *list, size_t n)
{
	const struct ledger_row *it;

	COLUMN(args, PG_UUID, it, list, n, pg_arg_uuid(args, &it->schedule));
	COLUMN(args, PG_TIME, it, list, n, pg_arg_time(args, it->fire_time));
	COLUMN(args, PG_TEXT, it, list, n, pg_arg_text(args, it->outcome));
	COLUMN(args, PG_UUID, it, list, n, pg_arg_uuid(args, it->run));
	COLUMN(args, PG_TEXT, it, list, n, pg_arg_text(args, it->detail));
}

void
firings_store_into(struct pg_batch *batch, int64_t epoch, const struct firings *firings)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_int8(&args, epoch);
	arg_schedules(&args, firings->schedules, firings->schedules_count);
	arg_entries(&args, firings->entries, firings->entries_count);
	pg_batch_add(batch, "firings_store", &args, NULL, NULL);
	pg_args_fini(&args);
}

void
firings_stop(struct pg *pg, const struct uuid *id, int revision, const char *why,
	     pg_done_fn *done, void *context)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, id);
	pg_arg_int4(&args, revision);
	pg_arg_text(&args, why);
	pg_query(pg, "schedules_stop", &args, done, context);
	pg_args_fini(&args);
}
