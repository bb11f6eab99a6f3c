/* See watched_files.h. */
#include "store/watched_files.h"

#include <stdlib.h>

#include "base/xalloc.h"

enum watch_column {
	WATCH_WORKFLOW,
	WATCH_PLACE,
	WATCH_NAME,
	WATCH_DEFINITION,
	WATCH_PROJECT,
	WATCH_PATH,
	WATCH_SPEC,
	WATCH_CREATED,
	WATCH_BEGUN
};

struct list_call {
	file_watches_fn *done;
	void *context;
};

struct load_call {
	watched_files_fn *done;
	void *context;
};

static void
on_watches(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct list_call *call = context;
	size_t count = rows != NULL ? (size_t)pg_count(rows) : 0;
	struct file_watch_row *list = xcalloc(count + 1, sizeof *list);

	for (size_t i = 0; i < count; i++) {
		int row = (int)i;

		list[i] = (struct file_watch_row){
			.workflow = pg_uuid(rows, row, WATCH_WORKFLOW),
			.place = (int)pg_int(rows, row, WATCH_PLACE),
			.name = pg_text(rows, row, WATCH_NAME, NULL),
			.definition = pg_uuid(rows, row, WATCH_DEFINITION),
			.project_path = pg_text(rows, row, WATCH_PATH, NULL),
			.spec = pg_text(rows, row, WATCH_SPEC, NULL),
			.created_at = pg_time(rows, row, WATCH_CREATED),
			.begun = pg_bool(rows, row, WATCH_BEGUN),
		};
		if (!pg_is_null(rows, row, WATCH_PROJECT))
			list[i].project = pg_uuid(rows, row, WATCH_PROJECT);
	}
	call->done(call->context, list, count, err);
	free(list);
}

void
file_watches_list(struct pg *pg, file_watches_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct list_call *call = xcalloc(1, sizeof *call);

	*call = (struct list_call){ done, context };
	pg_batch_attach(batch, context, call);
	pg_batch_add(batch, "file_watches_list", NULL, on_watches, call);
	pg_batch_send(&batch, NULL, NULL);
}

static void
arg_trigger(struct pg_args *args, const struct uuid *workflow, int place)
{
	pg_arg_uuid(args, workflow);
	pg_arg_int4(args, place);
}

void
file_watches_begun(struct pg *pg, const struct uuid *workflow, int place, int64_t epoch)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct pg_args args;

	pg_args_init(&args);
	arg_trigger(&args, workflow, place);
	pg_arg_int8(&args, epoch);
	pg_batch_add(batch, "file_watches_begun", &args, NULL, NULL);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}

static void
on_files(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct load_call *call = context;
	size_t count = rows != NULL ? (size_t)pg_count(rows) : 0;
	struct watched_file *files = xcalloc(count + 1, sizeof *files);

	for (size_t i = 0; i < count; i++)
		files[i] = (struct watched_file){
			.path = pg_text(rows, (int)i, 0, NULL),
			.mtime_ns = pg_int(rows, (int)i, 1),
			.size = pg_int(rows, (int)i, 2),
			.inode = pg_int(rows, (int)i, 3),
		};
	call->done(call->context, files, count, err);
	free(files);
}

void
watched_files_load(struct pg *pg, const struct uuid *workflow, int place,
		   watched_files_fn *done, void *context)
{
	struct pg_batch *batch = pg_batch_new(pg);
	struct load_call *call = xcalloc(1, sizeof *call);
	struct pg_args args;

	*call = (struct load_call){ done, context };
	pg_batch_attach(batch, context, call);
	pg_args_init(&args);
	arg_trigger(&args, workflow, place);
	pg_batch_add(batch, "watched_files_load", &args, on_files, call);
	pg_args_fini(&args);
	pg_batch_send(&batch, NULL, NULL);
}

static void
arg_paths(struct pg_args *args, const struct watched_file *files, size_t count)
{
	pg_array_begin(args, PG_TEXT);
	for (size_t i = 0; i < count; i++)
		pg_arg_text(args, files[i].path);
	pg_array_end(args);
}

void
watched_files_put_into(struct pg_batch *batch, int64_t epoch,
		       const struct uuid *workflow, int place,
		       const struct watched_file *files, size_t count)
{
	struct pg_args args;

	if (count == 0)
		return;
	pg_args_init(&args);
	pg_arg_int8(&args, epoch);
	arg_trigger(&args, workflow, place);
	arg_paths(&args, files, count);
	pg_array_begin(&args, PG_INT8);
	for (size_t i = 0; i < count; i++)
		pg_arg_int8(&args, files[i].mtime_ns);
	pg_array_end(&args);
	pg_array_begin(&args, PG_INT8);
	for (size_t i = 0; i < count; i++)
		pg_arg_int8(&args, files[i].size);
	pg_array_end(&args);
	pg_array_begin(&args, PG_INT8);
	for (size_t i = 0; i < count; i++)
		pg_arg_int8(&args, files[i].inode);
	pg_array_end(&args);
	pg_batch_add(batch, "watched_files_put", &args, NULL, NULL);
	pg_args_fini(&args);
}

void
watched_files_drop_into(struct pg_batch *batch, const struct uuid *workflow, int place,
			const struct watched_file *files, size_t count)
{
	struct pg_args args;

	if (count == 0)
		return;
	pg_args_init(&args);
	arg_trigger(&args, workflow, place);
	arg_paths(&args, files, count);
	pg_batch_add(batch, "watched_files_drop", &args, NULL, NULL);
	pg_args_fini(&args);
}
