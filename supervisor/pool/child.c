/*
 * The parent's end of a child's channel. What a child says is read within bounds and
 * never believed further than its own line.
 */
#include "pool/child.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "loop/parent.h"
#include "loop/stream.h"

#define UNSENT_MAX     (256 * 1024) /* for a child that does not read */
#define BAD_LINES_TOLD 3            /* a child's nonsense must not fill the log */

struct child {
	struct loop *loop;
	struct stream *stream; /* NULL: the channel is closed */
	pid_t pid;
	bool front;
	int bad_lines;
	child_line_fn *on_line;
	void *context;
};

static void
close_channel(struct child *child, const char *why)
{
	log_warn("channel.closed", F_INT("child", child->pid), F_STR("why", why));
	stream_free(&child->stream);
}

static void
hear(struct child *child, const char *text, size_t len)
{
	struct child_line line;
	struct err err = { 0 };

	if (child_line_parse(text, len, child->front, &line, &err) == 0)
		child->on_line(child->context, child, &line);
	else if (child->bad_lines++ < BAD_LINES_TOLD)
		log_warn("channel.misspoken", F_INT("child", child->pid),
			 F_STR("why", err.text));
}

/* Hears the first line of the input; false when there is no whole one. */
static bool
take_line(struct child *child)
{
	struct buf *input = stream_input(child->stream);
	char line[CHILD_LINE_MAX];
	char *end = input->len > 0 ? memchr(input->data, '\n', input->len) : NULL;
	size_t len;

	if (end == NULL)
		return false;
	len = (size_t)(end - input->data);
	if (len > sizeof line) {
		close_channel(child, "a line past the limit");
		return false;
	}
	memcpy(line, input->data, len);
	buf_consume(input, len + 1);
	hear(child, line, len); /* may free the child's channel, not the child */
	return child->stream != NULL;
}

static void
on_input(void *context)
{
	struct child *child = context;

	while (take_line(child))
		;
	if (child->stream != NULL && stream_input(child->stream)->len > CHILD_LINE_MAX)
		close_channel(child, "a line past the limit");
}

/* Mostly its process is ending too, and the parent will be told. */
static void
on_end(void *context, const char *error)
{
	struct child *child = context;

	log_debug("channel.ended", F_INT("child", child->pid), F_STR("why", error));
	stream_free(&child->stream);
}

static const struct stream_events events = { .on_input = on_input, .on_end = on_end };

struct child *
child_start(struct loop *loop, const struct spawn_spec *spec, bool front,
	    child_line_fn *on_line, void *context, struct err *err)
{
	struct child *child;
	pid_t pid;
	int channel;

	if (spawn(spec, &pid, &channel, err) < 0)
		return NULL;
	child = xcalloc(1, sizeof *child);
	child->loop = loop;
	child->pid = pid;
	child->front = front;
	child->on_line = on_line;
	child->context = context;
	child->stream = stream_new(loop, channel, &events, child);
	return child;
}

static void
free_memory(void *context)
{
	free(context);
}

void
child_free(struct child **child_p)
{
	struct child *child = *child_p;

	if (child == NULL)
		return;
	*child_p = NULL;
	stream_free(&child->stream);
	loop_defer(child->loop, free_memory, child);
}

pid_t
child_pid(const struct child *child)
{
	return child->pid;
}

bool
child_say(struct child *child, const char *format, ...)
{
	struct buf line = { 0 };
	bool heard;
	va_list args;

	if (child->stream == NULL)
		return false;
	va_start(args, format);
	buf_vprintf(&line, format, args);
	va_end(args);
	if (line.len > PARENT_LINE_MAX)
		bug("child_say: a line of %zu bytes", line.len);
	buf_char(&line, '\n');
	heard = stream_unsent(child->stream) < UNSENT_MAX;
	if (heard)
		stream_write(child->stream, line.data, line.len);
	buf_fini(&line);
	return heard;
}

enum seat_event
child_end(int status)
{
	if (!WIFEXITED(status))
		return SEAT_CRASHED;
	switch (WEXITSTATUS(status)) {
	case EXIT_SUCCESS:
		return SEAT_LEFT;
	case EXIT_TRY_AGAIN:
		return SEAT_TRY_AGAIN;
	case EXIT_CONFIG:
		return SEAT_MISCONFIGURED;
	default:
		return SEAT_CRASHED;
	}
}

static usec_t
usec_of(struct timeval time)
{
	return (usec_t)time.tv_sec * USEC_SECOND + time.tv_usec;
}

struct ending
child_ending(int status, const struct rusage *usage, bool ordered)
{
	bool signalled = WIFSIGNALED(status);

	return (struct ending){
		.ordered = ordered,
		.signal = signalled ? WTERMSIG(status) : 0,
		.exit_status = signalled ? 0 : WEXITSTATUS(status),
		.user_ms = usec_of(usage->ru_utime) / USEC_MS,
		.system_ms = usec_of(usage->ru_stime) / USEC_MS,
		.max_rss_kb = usage->ru_maxrss,
	};
}

static enum log_level
gravity(const struct seat_end *end)
{
	if (end->next == SEAT_REFUSED)
		return LOG_ERROR;
	return end->lost || end->next == SEAT_DOWN ? LOG_WARN : LOG_INFO;
}

void
child_log_end(const struct seat *seat, const struct seat_end *end, int status,
	      const struct rusage *usage)
{
	bool signalled = WIFSIGNALED(status);

	log_at(gravity(end), seat->front ? "front.ended" : "worker.ended",
	       F_UUID("worker", seat->front ? NULL : &seat->id),
	       F_INT("child", seat->pid),
	       F_STR("signal", signalled ? sigabbrev_np(WTERMSIG(status)) : NULL),
	       F_INT("code", signalled ? 128 + WTERMSIG(status) : WEXITSTATUS(status)),
	       F_INT("lived_ms", end->lived / USEC_MS),
	       F_INT("cpu_ms",
		     (usec_of(usage->ru_utime) + usec_of(usage->ru_stime)) / USEC_MS),
	       F_INT("memory_kib", usage->ru_maxrss),
	       F_STR("then", end->next == SEAT_DOWN ? "start again"
						    : seat_state_name(end->next)),
	       F_INT("delay_ms", end->delay / USEC_MS));
}
