/*
 * The log: each fact one line, one write(2). Lines stay under what a pipe takes in one
 * piece, so lines of several processes never mix, and a writer that finds no room drops
 * its line instead of waiting. Not for what a person is told by a command: that is
 * stdout.
 */
#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mask.h"
#include "base/quote.h"
#include "base/utf8.h"
#include "base/uuid7.h"

#define LINE_MAX_BYTES PIPE_BUF
#define VALUE_MAX      1500 /* bytes of one text field that are shown */
#define END_MAX        16   /* bytes of what ends a line */

/* The one global of the house: the log is the same for the whole process. */
static struct {
	const char *program;
	enum log_level least;
	enum log_format format;
	uint64_t dropped;
	uint64_t dropped_told;
	const struct mask *mask;
} state = { "stepmill", LOG_INFO, LOG_JSON, 0, 0, NULL };

static const char *const level_names[LOG_LEVELS] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARN] = "warn",
	[LOG_ERROR] = "error",
};

void
log_open(const char *program, enum log_level least, enum log_format format)
{
	state.program = program;
	state.least = least;
	state.format = format;
}

void
log_set_level(enum log_level least)
{
	state.least = least;
}

void
log_set_mask(const struct mask *mask)
{
	state.mask = mask;
}

bool
log_level_parse(const char *text, enum log_level *out)
{
	for (int level = 0; level < LOG_LEVELS; level++) {
		if (strcmp(text, level_names[level]) == 0) {
			*out = (enum log_level)level;
			return true;
		}
	}
	return false;
}

bool
log_wants(enum log_level level)
{
	return level >= state.least;
}

uint64_t
log_dropped(void)
{
	return state.dropped;
}

/* Up to max bytes of the text, not cutting a character in two. */
static size_t
shown_len(const char *text, size_t max)
{
	size_t len = strnlen(text, max + 1);

	if (len <= max)
		return len;
	len = max;
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

static void
add_time(struct buf *line)
{
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	buf_printf(line, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ", tm.tm_year + 1900,
		   tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		   now.tv_nsec / 1000000);
}

static void
add_head(struct buf *line, enum log_level level, const char *event)
{
	if (state.format == LOG_JSON)
		buf_str(line, "{\"time\":\"");
	add_time(line);
	if (state.format == LOG_TEXT) {
		buf_printf(line, " %-5s %s[%d] %s", level_names[level], state.program,
			   (int)getpid(), event);
		return;
	}
	buf_printf(line, "\",\"level\":\"%s\",\"event\":", level_names[level]);
	quote_json(event, strlen(event), line);
	buf_str(line, ",\"program\":");
	quote_json(state.program, strlen(state.program), line);
	buf_printf(line, ",\"pid\":%d", (int)getpid());
}

static bool
needs_quotes(const char *text, size_t len)
{
	if (len == 0)
		return true;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] <= ' ' ||
		    strchr("\"\\=\x7f", text[i]) != NULL)
			return true;
	return !utf8_valid(text, len);
}

static void
add_shown(struct buf *line, const char *text)
{
	size_t len = shown_len(text, VALUE_MAX);

	if (state.format == LOG_JSON || needs_quotes(text, len))
		quote_json(text, len, line);
	else
		buf_add(line, text, len);
}

static void
add_str(struct buf *line, const char *text)
{
	struct buf masked = { 0 };

	if (text == NULL) {
		buf_str(line, "null");
	} else if (mask_is_empty(state.mask)) {
		add_shown(line, text);
	} else {
		mask_text(state.mask, text, strlen(text), &masked);
		add_shown(line, buf_text(&masked));
		buf_fini(&masked);
	}
}

static void
add_field(struct buf *line, const struct log_field *field)
{
	char uuid[UUID_TEXT];

	if (state.format == LOG_JSON) {
		buf_char(line, ',');
		quote_json(field->name, strlen(field->name), line);
		buf_char(line, ':');
	} else {
		buf_printf(line, " %s=", field->name);
	}
	if (field->type == LOG_FIELD_INT)
		buf_printf(line, "%lld", (long long)field->number);
	else if (field->type == LOG_FIELD_UUID && field->uuid != NULL)
		add_str(line, uuid_format(field->uuid, uuid));
	else
		add_str(line, field->type == LOG_FIELD_STR ? field->str : NULL);
}

static void
add_end(struct buf *line, bool cut)
{
	if (cut)
		buf_str(line, state.format == LOG_JSON ? ",\"cut\":true" : " cut=true");
	buf_str(line, state.format == LOG_JSON ? "}\n" : "\n");
}

/* One write, never waiting. RWF_NOWAIT asks the pipe itself; where it is not known
 * (files, terminals) a look with poll comes before. */
static bool
write_now(const char *text, size_t len)
{
	struct iovec part = { .iov_base = (void *)(uintptr_t)text, .iov_len = len };
	struct pollfd room = { .fd = STDERR_FILENO, .events = POLLOUT };
	ssize_t written;

	if (poll(&room, 1, 0) != 1 || (room.revents & POLLOUT) == 0)
		return false;
	written = pwritev2(STDERR_FILENO, &part, 1, -1, RWF_NOWAIT);
	if (written < 0 && errno != EAGAIN && errno != EPIPE)
		written = write(STDERR_FILENO, text, len);
	return written == (ssize_t)len;
}

/* Says first how many lines were lost before this one. */
static void
tell_dropped(void)
{
	struct log_field field = F_INT("lines", state.dropped - state.dropped_told);
	struct buf line = { 0 };

	add_head(&line, LOG_WARN, "log.dropped");
	add_field(&line, &field);
	add_end(&line, false);
	if (write_now(line.data, line.len))
		state.dropped_told = state.dropped;
	buf_fini(&line);
}

/* Fields that do not fit are left out, so that the line can be written in one piece. */
static bool
add_fields(struct buf *line, const struct log_field *fields, size_t count)
{
	bool cut = false;
	size_t before;

	for (size_t i = 0; i < count; i++) {
		before = line->len;
		add_field(line, &fields[i]);
		if (line->len <= LINE_MAX_BYTES - END_MAX)
			continue;
		cut = true;
		line->len = before;
		line->data[before] = '\0';
	}
	return cut;
}

void
log_write(enum log_level level, const char *event, const struct log_field *fields,
	  size_t count)
{
	int saved_errno = errno;
	struct buf line = { 0 };

	if (!log_wants(level))
		return;
	add_head(&line, level, event);
	add_end(&line, add_fields(&line, fields, count));
	if (state.dropped > state.dropped_told)
		tell_dropped();
	if (!write_now(line.data, line.len))
		state.dropped++;
	buf_fini(&line);
	errno = saved_errno;
}
