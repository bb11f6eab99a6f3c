/*
 * Logs and artifacts: files in the run's project, opened beneath the project's path
 * only. What lies on storage that this host cannot reach is a 503.
 */
#include "front/api_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "front/api.h"

#define LOGS_MAX (4 * 1024 * 1024) /* bytes of a log shown at once, its end */

/* Opens a regular file beneath a project, through no link that leaves it. */
static int
open_beneath(const char *project, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	int dir = open(project, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = dir < 0 ? -1 : (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
	struct stat st;

	if (dir >= 0)
		close(dir);
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

static char *
log_path(const struct pg_rows *rows)
{
	struct uuid id = pg_uuid(rows, 0, 0);
	char text[UUID_TEXT];

	return xprintf(".agent/workflows/executions/%s/logs/execution.log",
		       uuid_format(&id, text));
}

/* ---- logs ---- */

static int
level_of(const char *text, size_t len)
{
	static const char *const names[] = { "trace", "debug", "info",
					     "warn",  "error", "fatal" };

	for (int i = 0; i < 6; i++)
		if (strlen(names[i]) == len && strncmp(names[i], text, len) == 0)
			return i;
	return -1;
}

static bool
wanted(const struct json *entry, int least)
{
	const char *level = json_str(json_get(entry, "level"));

	return level == NULL || level_of(level, strlen(level)) >= least;
}

/* The end of the file, from the first whole line within the limit. */
static char *
read_end(int fd, size_t *len)
{
	struct stat st;
	off_t from;
	char *text;
	ssize_t got;

	*len = 0;
	if (fstat(fd, &st) < 0)
		return NULL;
	from = st.st_size > LOGS_MAX ? st.st_size - LOGS_MAX : 0;
	text = xmalloc((size_t)(st.st_size - from) + 1);
	got = pread(fd, text, (size_t)(st.st_size - from), from);
	*len = got < 0 ? 0 : (size_t)got;
	if (from > 0) {
		const char *line = memchr(text, '\n', *len);
		size_t skip = line ? (size_t)(line - text) + 1 : *len;

		memmove(text, text + skip, *len - skip);
		*len -= skip;
	}
	return text;
}

static void
write_entries(struct buf *out, int least, const char *text, size_t len)
{
	const char *end = text + len;
	bool first = true;

	buf_char(out, '[');
	while (text < end) {
		const char *line = memchr(text, '\n', (size_t)(end - text));
		size_t line_len = line ? (size_t)(line - text) : (size_t)(end - text);
		struct json *entry = NULL;
		struct err err = { 0 };

		if (json_parse(text, line_len, &entry, &err) == 0 &&
		    wanted(entry, least)) {
			if (!first)
				buf_char(out, ',');
			buf_add(out, text, line_len);
			first = false;
		}
		json_unref(&entry);
		text += line_len + 1;
	}
	buf_char(out, ']');
}

static void
write_log(const char *project, const char *path, int least, struct buf *out)
{
	int fd = open_beneath(project, path);
	char *text = NULL;
	size_t len = 0;

	if (fd >= 0) {
		text = read_end(fd, &len);
		close(fd);
	}
	write_entries(out, least, text ? text : "", len);
	free(text);
}

void
api_write_log(const char *project, const char *path, struct buf *out)
{
	write_log(project, path, 0, out);
}

static void
on_logs(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	const char *level = exchange_query(exchange, "level");
	int least = level ? level_of(level, strlen(level)) : 0;
	struct buf body = { 0 };
	char *path;

	if (!api_found_step(exchange, exchange_query(exchange, "stepId"), rows, err))
		return;
	if (least < 0) {
		reply_problem(
		    exchange, 400, NULL,
		    "level: expected trace, debug, info, warn, error or fatal");
		return;
	}
	path = pg_is_null(rows, 0, 3) ? log_path(rows)
				      : xstrdup(pg_text(rows, 0, 3, NULL));
	buf_str(&body, "{\"data\":");
	write_log(pg_text(rows, 0, 1, NULL), path, least, &body);
	buf_char(&body, '}');
	free(path);
	reply_json_text(exchange, 200, body.data, body.len);
	buf_fini(&body);
}

void
api_logs(struct exchange *exchange)
{
	api_find_step(exchange, exchange_query(exchange, "stepId"), on_logs);
}

static void
on_logs_download(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	char *path, *name;
	int fd;

	if (rows == NULL || pg_count(rows) == 0) {
		api_on_json(context, rows, err);
		return;
	}
	path = log_path(rows);
	fd = open_beneath(pg_text(rows, 0, 3, NULL), path);
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

void
api_logs_download(struct exchange *exchange)
{
	api_find_run(exchange, on_logs_download);
}

/* ---- artifacts ---- */

static void
on_artifacts(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	struct pg_args args;
	struct uuid id;

	if (!api_found_step(exchange, exchange_query(exchange, "stepId"), rows, err))
		return;
	id = pg_uuid(rows, 0, 0);
	pg_args_init(&args);
	pg_arg_uuid(&args, &id);
	if (pg_is_null(rows, 0, 2))
		pg_arg_null(&args, PG_INT4);
	else
		pg_arg_int4(&args, (int)pg_int(rows, 0, 2));
	pg_arg_text(&args, exchange_query(exchange, "type"));
	api_read(exchange, "artifacts_list", &args, api_on_json);
	pg_args_fini(&args);
}

void
api_artifacts(struct exchange *exchange)
{
	api_find_step(exchange, exchange_query(exchange, "stepId"), on_artifacts);
}

static void
on_artifact(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct exchange *exchange = context;
	const char *type;
	int fd;

	if (rows == NULL || pg_count(rows) == 0) {
		api_on_json(context, rows, err);
		return;
	}
	fd = open_beneath(pg_text(rows, 0, 0, NULL), pg_text(rows, 0, 1, NULL));
	if (fd < 0) {
		reply_header(exchange, "Retry-After", "5");
		reply_problem(exchange, 503, NULL,
			      "the artifact's file cannot be reached from this host");
		return;
	}
	type = pg_is_null(rows, 0, 3) ? "application/octet-stream"
				      : pg_text(rows, 0, 3, NULL);
	reply_file(exchange, fd, type, pg_text(rows, 0, 2, NULL));
}

void
api_artifact_download(struct exchange *exchange)
{
	const char *text = exchange_param(exchange, "id");
	struct pg_args args;
	struct uuid id;

	if (!uuid_parse(text, strlen(text), &id)) {
		reply_problem(exchange, 404, NULL, "there is no artifact \"%s\"", text);
		return;
	}
	pg_args_init(&args);
	pg_arg_uuid(&args, &id);
	api_arg_confined(exchange, &args);
	api_read(exchange, "artifacts_find", &args, on_artifact);
	pg_args_fini(&args);
}
