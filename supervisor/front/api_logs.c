/*
 * Logs of a run and of its steps: files in the run's project, opened beneath the
 * project's path only.
 */
#include "front/api_logs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "files/files.h"
#include "files/run_folder.h"
#include "front/api.h"
#include "front/log_follow.h"
#include "front/log_lines_core.h"

#define LOGS_MAX (4 * 1024 * 1024) /* bytes of a log shown at once, its end */

static char *
log_path(const struct pg_rows *rows)
{
	struct uuid id = pg_uuid(rows, 0, 0);
	char *folder = run_folder_path(&id);
	char *path = xprintf("%s/logs/execution.log", folder);

	free(folder);
	return path;
}

/* ---- as one answer ---- */

struct tail {
	char *text;
	size_t len;
	bool cut; /* something stands before it */
};

/* The end of the file, from the first whole line within the limit. */
static void
read_end(int fd, struct tail *tail)
{
	struct stat st;
	off_t from;
	ssize_t got;
	size_t skip = 0;

	if (fstat(fd, &st) < 0)
		return;
	from = st.st_size > LOGS_MAX ? st.st_size - LOGS_MAX : 0;
	tail->text = xmalloc((size_t)(st.st_size - from) + 2);
	got = pread(fd, tail->text, (size_t)(st.st_size - from), from);
	tail->len = got < 0 ? 0 : (size_t)got;
	tail->cut = from > 0;
	if (tail->cut) {
		const char *line = memchr(tail->text, '\n', tail->len);

		skip = line != NULL ? (size_t)(line - tail->text) + 1 : tail->len;
	}
	tail->len -= skip;
	memmove(tail->text, tail->text + skip, tail->len);
	tail->text[tail->len++] = '\n'; /* the last line may be on its way */
}

/* True: what stood before it is left out. */
static bool
write_log(const char *project, const char *path, int least, struct buf *out)
{
	struct tail tail = { 0 };
	struct err ignored = { 0 };
	size_t count = 0;
	int fd = files_open(project, path, O_RDONLY, &ignored);

	if (fd >= 0) {
		read_end(fd, &tail);
		close(fd);
	}
	buf_char(out, '[');
	log_lines_pick(tail.text, tail.len, least, ",", &count, out);
	buf_char(out, ']');
	free(tail.text);
	return tail.cut;
}

void
api_write_log(const char *project, const char *path, struct buf *out)
{
	write_log(project, path, 0, out);
}

static void
reply_entries(struct exchange *exchange, const struct log_source *source)
{
	struct buf body = { 0 };

	buf_str(&body, "{\"data\":");
	if (write_log(source->project, source->path, source->least, &body))
		buf_str(&body, ",\"truncated\":true");
	buf_char(&body, '}');
	reply_json_text(exchange, 200, body.data, body.len);
	buf_fini(&body);
}

/* ---- the routes ---- */

static int
read_level(struct exchange *exchange, int *least)
{
	const char *level = exchange_query(exchange, "level");

	*least = level != NULL ? log_level_of(level) : 0;
	if (*least >= 0)
		return 0;
	reply_problem(exchange, 400, NULL,
		      "level: expected trace, debug, info, warn, error or fatal");
	return -1;
}

static void
on_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	struct log_source source;
	char *path;
	bool follow;

	if (!api_found_step(exchange, exchange_query(exchange, "stepId"), rows, err) ||
	    read_level(exchange, &source.least) < 0 ||
	    api_query_flag(exchange, "follow", &follow) < 0)
		return;
	path = pg_is_null(rows, 0, 3) ? log_path(rows)
				      : xstrdup(pg_text(rows, 0, 3, NULL));
	source.run = pg_uuid(rows, 0, 0);
	source.project = pg_text(rows, 0, 1, NULL);
	source.path = path;
	if (follow && strcmp(exchange_method(exchange), "HEAD") != 0) {
		api_unguard(exchange);
		log_follow(exchange, &source);
	} else {
		reply_entries(exchange, &source);
	}
	free(path);
}

static void
on_logs(struct exchange *exchange)
{
	api_find_step(exchange, exchange_query(exchange, "stepId"), on_found);
}

static void
on_download_found(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	struct err ignored = { 0 };
	char *path, *name;
	int fd;

	if (rows == NULL || pg_count(rows) == 0) {
		api_on_json(context, rows, err);
		return;
	}
	path = log_path(rows);
	fd = files_open(pg_text(rows, 0, 3, NULL), path, O_RDONLY, &ignored);
	free(path);
	if (fd < 0) {
		reply_problem(exchange, 404, NULL,
			      "the execution has no log: no step of it wrote anything");
		return;
	}
	name = xprintf("%s.log", pg_text(rows, 0, 4, NULL));
	reply_file(exchange, fd, "application/x-ndjson", name);
	free(name);
}

static void
on_download(struct exchange *exchange)
{
	api_find_run(exchange, on_download_found);
}

/* clang-format off */
const struct route routes_logs[] = {
	{ "GET", "/api/executions/:id/logs",          ROLE_VIEWER, 0, true,  on_logs, NULL },
	{ "GET", "/api/executions/:id/logs/download", ROLE_VIEWER, 0, false, on_download, NULL },
	{ 0 },
};
/* clang-format on */
