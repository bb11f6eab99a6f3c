/* See records.h. */
#include "record/records.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "engine/status.h"
#include "files/run_folder.h"

/* Of executions_get.sql. */
enum column { COLUMN_DOC, COLUMN_ID, COLUMN_STATUS, COLUMN_PATH };

struct waiting {
	struct list link;
	struct uuid run;
};

struct records {
	struct pg *pg;
	struct list list; /* the first one is asked for */
	size_t count;
	bool full; /* and that was said */
	loop_fn *on_idle;
	void *context;
};

static void ask(struct records *records);

struct records *
records_new(struct pg *pg)
{
	struct records *records = xcalloc(1, sizeof *records);

	records->pg = pg;
	list_init(&records->list);
	return records;
}

void
records_free(struct records **records_p)
{
	struct records *records = *records_p;

	if (records == NULL)
		return;
	*records_p = NULL;
	pg_forget(records->pg, records);
	list_each_safe (link, &records->list)
		free(container_of(link, struct waiting, link));
	free(records);
}

static void
write_one(const struct pg_rows *rows, const struct uuid *run)
{
	const char *project = pg_text(rows, 0, COLUMN_PATH, NULL), *text;
	struct err err = { 0 };
	size_t len;

	if (project[0] == '\0' ||
	    !run_is_over((enum run_status)pg_int(rows, 0, COLUMN_STATUS)))
		return;
	text = pg_text(rows, 0, COLUMN_DOC, &len);
	if (run_folder_write_metadata(project, run, text, len, &err) < 0)
		log_warn("metadata.not_written", F_UUID("run", run),
			 F_STR("why", err.text));
}

static void
on_run(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct records *records = context;
	struct waiting *waiting =
	    container_of(list_shift(&records->list), struct waiting, link);

	records->count--;
	if (rows == NULL)
		log_warn("metadata.not_written", F_UUID("run", &waiting->run),
			 F_STR("why", err->text));
	else if (pg_count(rows) > 0)
		write_one(rows, &waiting->run);
	free(waiting);
	if (records->count > 0) {
		ask(records);
		return;
	}
	records->full = false;
	if (records->on_idle != NULL)
		records->on_idle(records->context);
}

static void
ask(struct records *records)
{
	const struct waiting *first =
	    container_of(records->list.next, struct waiting, link);
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_uuid(&args, &first->run);
	pg_arg_null(&args, PG_INT8);
	pg_arg_null(&args, PG_TEXT);
	pg_arg_null(&args, PG_UUID);
	pg_query(records->pg, "executions_get", &args, on_run, records);
	pg_args_fini(&args);
}

void
records_add(struct records *records, const struct uuid *run)
{
	struct waiting *waiting;

	if (records->count == RECORDS_MOST) {
		if (!records->full)
			log_warn("metadata.left_out", F_UUID("run", run),
				 F_STR("why", "more runs end than can be written"));
		records->full = true;
		return;
	}
	waiting = xcalloc(1, sizeof *waiting);
	waiting->run = *run;
	list_push(&records->list, &waiting->link);
	if (records->count++ == 0)
		ask(records);
}

bool
records_are_idle(const struct records *records)
{
	return records->count == 0;
}

void
records_on_idle(struct records *records, loop_fn *on_idle, void *context)
{
	records->on_idle = on_idle;
	records->context = context;
}
