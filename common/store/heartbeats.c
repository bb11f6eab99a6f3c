/* The statements of heartbeats' runs. See heartbeats.h. */
#include "store/heartbeats.h"

#include <string.h>

#include "base/xalloc.h"
#include "store/held.h"

/* ---- the row ---- */

struct asking {
	heartbeat_fn *done;
	void *context;
};

/* Columns in the order of heartbeats_of_run.sql. */
static void
read_row(const struct pg_rows *rows, struct json *days, struct heartbeat_row *out)
{
	*out = (struct heartbeat_row){
		.slug = pg_text(rows, 0, 0, NULL),
		.path = pg_text(rows, 0, 1, NULL),
		.times = { .cron = pg_text(rows, 0, 2, NULL),
			   .zone = pg_text(rows, 0, 3, NULL),
			   .start = pg_text(rows, 0, 4, NULL),
			   .end = pg_text(rows, 0, 5, NULL) },
		.model = pg_text(rows, 0, 7, NULL),
		.webhook = pg_text(rows, 0, 8, NULL),
		.created_at = pg_time(rows, 0, 9),
		.jitter = pg_int(rows, 0, 10) * USEC_MS,
		.enabled = pg_bool(rows, 0, 11),
		.revision = (int)pg_int(rows, 0, 12),
	};
	for (size_t i = 0; i < json_count(days) && i < 7; i++)
		out->times.days[out->times.days_count++] =
		    (int)json_int(json_at(days, i));
}

static void
on_row(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct asking *asking = context;
	struct heartbeat_row row;
	struct json *days;

	if (rows == NULL || pg_count(rows) == 0) {
		asking->done(asking->context, NULL, err);
		return;
	}
	days = pg_json(rows, 0, 6);
	read_row(rows, days, &row);
	asking->done(asking->context, &row, err);
	json_unref(&days);
}

void
heartbeat_of_run(struct pg *pg, const struct uuid *run, const struct uuid *schedule,
		 heartbeat_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct asking *asking = xcalloc(1, sizeof *asking);
	struct pg_args args;

	*asking = (struct asking){ done, context };
	pg_batch_attach(batch, context, asking);
	pg_args_init(&args);
	pg_arg_uuid(&args, run);
	pg_arg_uuid(&args, schedule);
	pg_batch_add(batch, "heartbeats_of_run", &args, on_row, asking);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}

/* ---- what the file changes ---- */

static void
no_row(void *answer, const struct pg_rows *rows)
{
	(void)answer, (void)rows;
}

struct following {
	heartbeat_end_fn *done;
	void *context;
};

static void
on_followed(void *answer, const struct err *err)
{
	struct following *following = answer;

	following->done(following->context, err);
}

void
heartbeat_follow(struct pg *pg, const struct held_ref *held,
		 const struct uuid *schedule, int revision,
		 const struct heartbeat_times *times, usec_t next_run_at, usec_t due_at,
		 heartbeat_end_fn *done, void *context)
{
	struct following *following = xcalloc(1, sizeof *following);
	struct pg_args args;

	*following = (struct following){ done, context };
	held_args(&args, held);
	pg_arg_uuid(&args, schedule);
	pg_arg_int4(&args, revision);
	pg_arg_text(&args, times->cron);
	pg_arg_text(&args, times->zone);
	pg_arg_text(&args, times->start);
	pg_arg_text(&args, times->end);
	pg_array_begin(&args, PG_INT4);
	for (size_t i = 0; i < times->days_count; i++)
		pg_arg_int4(&args, times->days[i]);
	pg_array_end(&args);
	pg_arg_time(&args, next_run_at);
	pg_arg_time(&args, due_at);
	held_send(pg, held, "heartbeats_follow", &args, no_row, on_followed, following,
		  context);
	pg_args_fini(&args);
}

/* ---- what was found ---- */

struct storing {
	heartbeat_stored_fn *done;
	void *context;
	bool found;
	char at[40];
};

static void
keep_stored(void *answer, const struct pg_rows *rows)
{
	struct storing *storing = answer;
	const char *at = pg_text(rows, 0, 2, NULL);

	storing->found = pg_bool(rows, 0, 1);
	strncpy(storing->at, at != NULL ? at : "", sizeof storing->at - 1);
}

static void
on_stored(void *answer, const struct err *err)
{
	struct storing *storing = answer;
	bool good = err->kind == ERR_NONE && storing->found;

	storing->done(storing->context, good ? storing->at : NULL, err);
}

static void
arg_results(struct pg_args *args, const struct heartbeat_result *results, size_t count)
{
	pg_array_begin(args, PG_UUID);
	for (size_t i = 0; i < count; i++)
		pg_arg_uuid(args, &results[i].id);
	pg_array_end(args);
	pg_array_begin(args, PG_TEXT);
	for (size_t i = 0; i < count; i++)
		pg_arg_text(args, results[i].description);
	pg_array_end(args);
	pg_array_begin(args, PG_BOOL);
	for (size_t i = 0; i < count; i++)
		pg_arg_bool(args, results[i].action_needed);
	pg_array_end(args);
	pg_array_begin(args, PG_TEXT);
	for (size_t i = 0; i < count; i++)
		pg_arg_text(args, results[i].details);
	pg_array_end(args);
	pg_array_begin(args, PG_INT4);
	for (size_t i = 0; i < count; i++)
		pg_arg_int4(args, results[i].item);
	pg_array_end(args);
}

void
heartbeat_report(struct pg *pg, const struct held_ref *held,
		 const struct uuid *schedule, const struct heartbeat_result *results,
		 size_t count, heartbeat_stored_fn *done, void *context)
{
	struct storing *storing = xcalloc(1, sizeof *storing);
	struct pg_args args;

	storing->done = done;
	storing->context = context;
	held_args(&args, held);
	pg_arg_uuid(&args, schedule);
	arg_results(&args, results, count);
	pg_arg_int4(&args, HEARTBEAT_RESULTS_KEPT);
	held_send(pg, held, "heartbeat_results_insert", &args, keep_stored, on_stored,
		  storing, context);
	pg_args_fini(&args);
}
