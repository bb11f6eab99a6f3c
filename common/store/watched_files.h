/* Triggers that watch files, and the files as they last saw them, for the scheduler. */
#ifndef STORE_WATCHED_FILES_H
#define STORE_WATCHED_FILES_H

#include "store/pg.h"

/* Of file_watches_list.sql; texts live during the callback only. */
struct file_watch_row {
	struct uuid workflow, definition, project; /* project: nil, everybody's */
	int place;
	const char *name, *project_path, *spec;
	usec_t created_at;
	bool begun;
};
typedef void file_watches_fn(void *context, const struct file_watch_row *rows,
			     size_t count, const struct err *err);
void file_watches_list(struct pg *pg, file_watches_fn *done, void *context);
/* What was there is noted. Nobody asks what came of it: a repetition does no harm. */
void file_watches_begun(struct pg *pg, const struct uuid *workflow, int place,
			int64_t epoch);

struct watched_file {
	const char *path;
	int64_t mtime_ns, size, inode;
};
typedef void watched_files_fn(void *context, const struct watched_file *files,
			      size_t count, const struct err *err);
void watched_files_load(struct pg *pg, const struct uuid *workflow, int place,
			watched_files_fn *done, void *context);
/* Part of a transaction; ERR_RETRY when a guard does not hold, ERR_CONFLICT when the
 * trigger is gone. Each path once; nothing where there is none. */
void watched_files_put_into(struct pg_batch *batch, int64_t epoch,
			    const struct uuid *workflow, int place,
			    const struct watched_file *files, size_t count);
void watched_files_drop_into(struct pg_batch *batch, const struct uuid *workflow,
			     int place, const struct watched_file *files, size_t count);

#endif
