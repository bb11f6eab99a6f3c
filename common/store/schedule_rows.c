/* See schedule_rows.h. */
#include "store/schedule_rows.h"

#include <string.h>

static void
arg_rule(struct pg_args *args, const struct schedule_row *row)
{
	pg_arg_text(args, row->cron);
	pg_arg_text(args, row->zone);
	pg_arg_text(args, row->start);
	pg_arg_text(args, row->end);
	pg_array_begin(args, PG_INT4);
	for (size_t i = 0; i < row->days_count; i++)
		pg_arg_int4(args, row->days[i]);
	pg_array_end(args);
	if (row->max_runs > 0)
		pg_arg_int4(args, row->max_runs);
	else
		pg_arg_null(args, PG_INT4);
}

static void
arg_rest(struct pg_args *args, const struct schedule_row *row)
{
	pg_arg_text(args, row->heartbeat_path);
	pg_arg_text(args, row->model);
	pg_arg_text(args, row->webhook);
	pg_arg_json(args, row->input);
	pg_arg_bool(args, row->enabled);
	pg_arg_text(args, row->catch_up);
	pg_arg_text(args, row->overlap);
	pg_arg_int4(args, row->jitter_ms);
	pg_arg_time(args, row->next_run_at);
	pg_arg_time(args, row->due_at);
}

void
schedule_insert(struct pg *pg, const struct schedule_row *row, pg_done_fn *done,
		void *context)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, &row->id);
	pg_arg_text(&args, row->slug);
	pg_arg_text(&args, row->name);
	pg_arg_text(&args, row->slug != NULL ? "heartbeat" : "workflow");
	pg_arg_uuid(&args, row->project);
	pg_arg_uuid(&args, row->workflow);
	pg_arg_text(&args, row->created_by);
	pg_arg_json(&args, row->tools);
	arg_rule(&args, row);
	arg_rest(&args, row);
	pg_arg_time(&args, row->created_at);
	pg_query(pg, "schedules_insert", &args, done, context);
	pg_args_fini(&args);
}

void
schedule_update(struct pg *pg, const struct schedule_row *row, pg_done_fn *done,
		void *context)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, &row->id);
	pg_arg_text(&args, row->name);
	pg_arg_uuid(&args, row->workflow);
	arg_rule(&args, row);
	arg_rest(&args, row);
	pg_query(pg, "schedules_update", &args, done, context);
	pg_args_fini(&args);
}

void
schedule_enable(struct pg *pg, const struct schedule_row *row, pg_done_fn *done,
		void *context)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, &row->id);
	pg_arg_bool(&args, row->enabled);
	pg_arg_time(&args, row->next_run_at);
	pg_arg_time(&args, row->due_at);
	pg_query(pg, "schedules_enable", &args, done, context);
	pg_args_fini(&args);
}

void
schedule_delete(struct pg *pg, const struct uuid *id, pg_done_fn *done, void *context)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, id);
	pg_query(pg, "schedules_delete", &args, done, context);
	pg_args_fini(&args);
}

void
schedule_fired(struct pg *pg, const struct uuid *id, usec_t fire_time,
	       const struct uuid *run, pg_done_fn *done, void *context)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, id);
	pg_arg_time(&args, fire_time);
	pg_arg_uuid(&args, run);
	pg_arg_text(&args, "by hand");
	pg_query(pg, "schedules_fire", &args, done, context);
	pg_args_fini(&args);
}

void
schedule_arg_named(struct pg_args *args, const char *text, const struct uuid *project)
{
	struct uuid id;

	if (uuid_parse(text, strlen(text), &id)) {
		pg_arg_uuid(args, &id);
		pg_arg_null(args, PG_TEXT);
	} else {
		pg_arg_null(args, PG_UUID);
		pg_arg_text(args, text);
	}
	pg_arg_uuid(args, project);
}

void
schedule_find(struct pg *pg, const char *text, const struct uuid *project,
	      pg_done_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct pg_args args;

	pg_args_init(&args);
	schedule_arg_named(&args, text, project);
	pg_batch_add(batch, "schedules_lock", &args, NULL, NULL);
	pg_batch_add(batch, "schedules_find", &args, done, context);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}
