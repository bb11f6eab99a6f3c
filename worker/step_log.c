/*
 * Lines for people about a step, as they come: one write per call and file, appended,
 * so that several workers can share a run's log. The files are only made when there is
 * something to say. What cannot be written is counted and told once in our own log.
 */
#include "step_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/quote.h"
#include "base/usec.h"
#include "base/xalloc.h"
#include "files/files.h"
#include "files/path_core.h"
#include "log_tail_core.h"
#include "zone/zone.h"

#define NAME_MAX_CHARS 80
#define LINE_MAX_BYTES (64 * 1024)
/* Of lines of programs, in one attempt. Head and tail of an output are kept anyway. */
#define STREAM_MAX (16 * 1024 * 1024)

struct step_log {
	char *project, *folder, *file_name, *step;
	const struct mask *mask;
	bool opened;
	bool has_own;               /* else only the run's */
	int own, run;               /* descriptors, or -1 */
	struct buf lines;           /* not written yet */
	struct buf opening, masked; /* of the line being made */
	struct buf part[2];         /* lines of programs that have not ended */
	struct mask_stream held[2]; /* what may be the beginning of a secret there */
	size_t streamed;            /* bytes of such lines */
	bool full;                  /* and that was said */
	unsigned long lost;         /* lines that could not be written */
};

static const char *const level_names[STEP_LEVELS] = {
	[STEP_TRACE] = "trace", [STEP_DEBUG] = "debug", [STEP_INFO] = "info",
	[STEP_WARN] = "warn",   [STEP_ERROR] = "error", [STEP_FATAL] = "fatal",
};

static char *
name_of_file(int number, const char *name)
{
	struct buf part = { 0 };
	char *file;

	path_safe_part(name, NAME_MAX_CHARS, &part);
	file = xprintf("step-%d-%s.log", number, buf_text(&part));
	buf_fini(&part);
	return file;
}

struct step_log *
step_log_new(const char *project_path, const char *run_folder, int number,
	     const char *name, const struct mask *mask)
{
	struct step_log *log = xcalloc(1, sizeof *log);

	log->project = xstrdup(project_path);
	log->folder = xprintf("%s/logs", run_folder);
	log->file_name = name_of_file(number, name);
	log->step = xstrdup(name);
	log->has_own = number > 0;
	log->mask = mask;
	log->own = log->run = -1;
	return log;
}

static int
open_file(int folder, const char *name)
{
	return openat(folder, name,
		      O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK |
			  O_NOCTTY | O_CLOEXEC,
		      0640);
}

static void
open_files(struct step_log *log)
{
	struct err err = { 0 };
	int folder = files_make_folder(log->project, log->folder, FILES_RUN_MODE, &err);

	log->opened = true;
	if (folder >= 0) {
		if (log->has_own)
			log->own = open_file(folder, log->file_name);
		log->run = open_file(folder, "execution.log");
		if ((log->has_own && log->own < 0) || log->run < 0)
			err_errno(&err, "%s/%s", log->folder, log->file_name);
		close(folder);
	}
	if (err.kind != ERR_NONE)
		log_warn("step_log.not_opened", F_STR("why", err.text));
}

static bool
write_all(int fd, const struct buf *lines)
{
	ssize_t wrote;

	if (fd < 0)
		return false;
	do
		wrote = write(fd, lines->data, lines->len);
	while (wrote < 0 && errno == EINTR);
	return wrote == (ssize_t)lines->len;
}

static void
flush(struct step_log *log)
{
	bool own, run;

	if (log->lines.len == 0)
		return;
	if (!log->opened)
		open_files(log);
	own = !log->has_own || write_all(log->own, &log->lines);
	run = write_all(log->run, &log->lines);
	if (!own || !run) {
		if (log->lost++ == 0)
			log_warn("step_log.not_written", F_STR("file", log->file_name),
				 F_STR("why", strerror(errno)));
	}
	buf_clear(&log->lines);
}

static enum step_level
level_of(int stream)
{
	return stream == 2 ? STEP_WARN : STEP_INFO;
}

/* Everything of a line but its message: the same for all lines of one call. */
static void
set_opening(struct step_log *log, enum step_level level)
{
	struct timespec now;
	char time[40];

	clock_gettime(CLOCK_REALTIME, &now);
	rfc3339_format((usec_t)now.tv_sec * USEC_SECOND + now.tv_nsec / 1000, time);
	buf_clear(&log->opening);
	buf_printf(&log->opening, "{\"time\":\"%s\",\"level\":\"%s\",\"step\":", time,
		   level_names[level]);
	quote_json(log->step, strlen(log->step), &log->opening);
	buf_str(&log->opening, ",\"message\":");
}

/* text: without secrets. */
static void
add_line(struct step_log *log, const char *text, size_t len)
{
	buf_add(&log->lines, log->opening.data, log->opening.len);
	quote_json(text, len, &log->lines);
	buf_add(&log->lines, "}\n", 2);
}

void
step_log_write(struct step_log *log, enum step_level level, const char *text,
	       size_t len)
{
	if (log == NULL)
		return;
	set_opening(log, level);
	buf_clear(&log->masked);
	mask_text(log->mask, text, len, &log->masked);
	add_line(log, buf_text(&log->masked), log->masked.len);
	flush(log);
}

void
step_log_printf(struct step_log *log, enum step_level level, const char *format, ...)
{
	struct buf text = { 0 };
	va_list args;

	if (log == NULL)
		return;
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	step_log_write(log, level, buf_text(&text), text.len);
	buf_fini(&text);
}

/* ---- programs ---- */

/* Past the limit the rest is left out, and that is said once. */
static void
add_streamed(struct step_log *log, const char *text, size_t len)
{
	static const char note[] = "the log of this step is full; what its programs "
				   "print from here on is left out";
	size_t before = log->lines.len;

	if (log->full)
		return;
	add_line(log, text, len);
	log->streamed += log->lines.len - before;
	if (log->streamed <= STREAM_MAX)
		return;
	log->full = true;
	set_opening(log, STEP_WARN);
	add_line(log, note, sizeof note - 1);
}

static void
end_line(struct step_log *log, int stream, const char *text, size_t len)
{
	struct buf *part = &log->part[stream - 1];

	if (part->len > 0) {
		buf_add(part, text, len);
		text = part->data;
		len = part->len;
	}
	if (len > 0 && text[len - 1] == '\r')
		len--;
	add_streamed(log, text, len);
	buf_clear(part);
}

/* Secrets are found before there are lines: they may stand in several of them. */
static void
add_lines(struct step_log *log, int stream, const char *data, size_t len)
{
	const char *end;
	size_t line;

	for (; len > 0; data += line, len -= line) {
		struct buf *part = &log->part[stream - 1];
		size_t room = LINE_MAX_BYTES - part->len;

		end = memchr(data, '\n', len < room ? len : room);
		if (end != NULL) {
			line = (size_t)(end - data) + 1;
			end_line(log, stream, data, line - 1);
		} else if (len >= room) {
			line = room;
			end_line(log, stream, data, line);
		} else {
			line = len;
			buf_add(part, data, len);
		}
	}
}

void
step_log_stream(struct step_log *log, int stream, const char *data, size_t len)
{
	if (log == NULL || log->full)
		return;
	set_opening(log, level_of(stream));
	buf_clear(&log->masked);
	mask_feed(log->mask, &log->held[stream - 1], data, len, &log->masked);
	add_lines(log, stream, buf_text(&log->masked), log->masked.len);
	flush(log);
}

static void
end_stream(struct step_log *log, int stream)
{
	if (log->held[stream - 1].held.len + log->part[stream - 1].len == 0)
		return;
	set_opening(log, level_of(stream));
	buf_clear(&log->masked);
	mask_end(log->mask, &log->held[stream - 1], &log->masked);
	add_lines(log, stream, buf_text(&log->masked), log->masked.len);
	if (log->part[stream - 1].len > 0)
		end_line(log, stream, "", 0);
}

void
step_log_free(struct step_log **log_p)
{
	struct step_log *log = *log_p;

	if (log == NULL)
		return;
	*log_p = NULL;
	end_stream(log, 1);
	end_stream(log, 2);
	flush(log);
	if (log->lost > 1)
		log_warn("step_log.lost", F_STR("file", log->file_name),
			 F_INT("writes", log->lost));
	if (log->own >= 0)
		close(log->own);
	if (log->run >= 0)
		close(log->run);
	buf_fini(&log->lines);
	buf_fini(&log->opening);
	buf_fini(&log->masked);
	for (int i = 0; i < 2; i++) {
		buf_fini(&log->part[i]);
		mask_stream_fini(&log->held[i]);
	}
	free(log->project);
	free(log->folder);
	free(log->file_name);
	free(log->step);
	free(log);
}

/* ---- looking back ---- */

/* The end of a file, as far as the limit. */
static struct json *
read_tail(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	off_t from = size > LOG_TAIL_BYTES ? size - LOG_TAIL_BYTES : 0;
	struct buf text = { 0 };
	struct json *tail;
	ssize_t len;

	len = pread(fd, buf_reserve(&text, LOG_TAIL_BYTES), LOG_TAIL_BYTES, from);
	if (len > 0)
		buf_grow(&text, (size_t)len);
	tail = log_tail(buf_text(&text), text.len, from > 0);
	buf_fini(&text);
	return tail;
}

struct json *
step_log_tail(const char *project_path, const char *run_folder, int number,
	      const char *name)
{
	char *file = name_of_file(number, name);
	char *path = xprintf("%s/logs/%s", run_folder, file);
	struct json *tail;
	struct err err = { 0 };
	int fd = files_open(project_path, path, O_RDONLY, &err);

	tail = fd >= 0 ? read_tail(fd) : json_new_array();
	if (fd >= 0)
		close(fd);
	free(path);
	free(file);
	return tail;
}
