/*
 * A byte stream on a descriptor: a socket, or one end of a pipe. Written at once as far
 * as the kernel takes it. What is to be told after a write of the owner's (drained,
 * failed) is told at the end of the turn, never from inside the owner's call.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "loop/stream.h"

#define CHUNK         (32 * 1024) /* read at a time */
#define KEPT_CAPACITY 4096        /* memory that an empty buffer may keep */

struct stream {
	struct loop *loop;
	struct watch *watch; /* NULL when nothing can come any more */
	int fd;
	const struct stream_events *events;
	void *context;
	struct buf input, output;
	size_t sent; /* of output: already with the kernel */
	size_t input_max;
	int fault;       /* errno that ended it, or 0 */
	bool write_only; /* one end of a pipe */
	bool paused;
	bool input_ended; /* the other side will write no more */
	bool shut_wanted, shut;
	bool tell_drained; /* at the end of the turn */
	bool telling;      /* a function is deferred for that */
	bool dead; /* freed by its owner; the memory goes at the end of the turn */
};

static void on_ready(void *context, unsigned ready);

struct stream *
stream_new(struct loop *loop, int fd, const struct stream_events *events, void *context)
{
	struct stream *stream = xcalloc(1, sizeof *stream);
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		bug("stream on descriptor %d: %s", fd, strerror(errno));
	stream->loop = loop;
	stream->fd = fd;
	stream->events = events;
	stream->context = context;
	stream->write_only = (flags & O_ACCMODE) == O_WRONLY;
	stream->input_max = STREAM_INPUT_MAX;
	stream->watch = watch_new(loop, fd, WATCH_READ, on_ready, stream);
	return stream;
}

static void
free_memory(void *context)
{
	free(context);
}

static void
close_descriptor(struct stream *stream)
{
	watch_free(&stream->watch);
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
}

void
stream_free(struct stream **stream_p)
{
	struct stream *stream = *stream_p;

	if (stream == NULL)
		return;
	*stream_p = NULL;
	stream->dead = true;
	close_descriptor(stream);
	buf_fini(&stream->input);
	buf_fini(&stream->output);
	loop_defer(stream->loop, free_memory, stream);
}

void
stream_hand_over(struct stream *stream, const struct stream_events *events,
		 void *context)
{
	stream->events = events;
	stream->context = context;
}

struct buf *
stream_input(struct stream *stream)
{
	return &stream->input;
}

size_t
stream_unsent(const struct stream *stream)
{
	return stream->output.len - stream->sent;
}

bool
stream_broken(const struct stream *stream)
{
	return stream->fault != 0;
}

size_t
stream_untaken(const struct stream *stream)
{
	int queued = 0;

	if (ioctl(stream->fd, SIOCOUTQ, &queued) < 0)
		queued = 0;
	return stream_unsent(stream) + (size_t)queued;
}

int
stream_fd(const struct stream *stream)
{
	return stream->fd;
}

static bool
may_read(const struct stream *stream)
{
	return !stream->input_ended && !stream->paused &&
	       stream->input.len < stream->input_max;
}

static void
update_want(struct stream *stream)
{
	unsigned want = 0;

	if (stream->watch == NULL)
		return;
	if (may_read(stream))
		want |= WATCH_READ;
	if (stream_unsent(stream) > 0)
		want |= WATCH_WRITE;
	watch_want(stream->watch, want);
}

static void
tell(void *context)
{
	struct stream *stream = context;
	bool drained = stream->tell_drained;

	stream->telling = false;
	stream->tell_drained = false;
	if (stream->dead)
		return;
	if (stream->fault != 0)
		stream->events->on_end(stream->context, strerror(stream->fault));
	else if (drained && stream_unsent(stream) == 0)
		stream->events->on_drained(stream->context);
}

static void
tell_later(struct stream *stream)
{
	if (stream->telling)
		return;
	stream->telling = true;
	loop_defer(stream->loop, tell, stream);
}

/* Nothing more goes in or out; the owner learns it at the end of the turn. */
static void
fail(struct stream *stream, int fault)
{
	stream->fault = fault;
	watch_free(&stream->watch);
	buf_clear(&stream->output);
	stream->sent = 0;
	tell_later(stream);
}

/* A pipe has no half to shut: its end is closed. */
static void
shut_when_sent(struct stream *stream)
{
	if (!stream->shut_wanted || stream->shut || stream_unsent(stream) > 0)
		return;
	stream->shut = true;
	if (shutdown(stream->fd, SHUT_WR) < 0 && errno == ENOTSOCK)
		close_descriptor(stream);
}

static void
drained(struct stream *stream)
{
	buf_clear(&stream->output);
	if (stream->output.capacity > KEPT_CAPACITY)
		buf_fini(&stream->output);
	stream->sent = 0;
	shut_when_sent(stream);
	if (stream->events->on_drained != NULL) {
		stream->tell_drained = true;
		tell_later(stream);
	}
}

/* Returns how much the kernel took. */
static size_t
write_some(struct stream *stream, const char *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(stream->fd, data + done, len - done);

		if (n >= 0) {
			done += (size_t)n;
		} else if (errno == EAGAIN) {
			break;
		} else if (errno != EINTR) {
			fail(stream, errno);
			break;
		}
	}
	return done;
}

static void
write_kept(struct stream *stream)
{
	if (stream_unsent(stream) == 0)
		return;
	stream->sent += write_some(stream, stream->output.data + stream->sent,
				   stream_unsent(stream));
	if (stream->fault == 0 && stream_unsent(stream) == 0)
		drained(stream);
}

/* The front goes when it is the larger half: each byte is moved at most once. */
static void
keep(struct stream *stream, const char *data, size_t len)
{
	if (stream->sent > stream->output.len / 2) {
		buf_consume(&stream->output, stream->sent);
		stream->sent = 0;
	}
	buf_add(&stream->output, data, len);
}

void
stream_write(struct stream *stream, const void *data, size_t len)
{
	size_t done = 0;

	if (stream->fault != 0 || stream->shut_wanted || len == 0)
		return;
	if (stream_unsent(stream) == 0)
		done = write_some(stream, data, len);
	if (stream->fault != 0)
		return;
	if (done == len) {
		drained(stream);
		return;
	}
	keep(stream, (const char *)data + done, len - done);
	update_want(stream);
}

void
stream_shutdown(struct stream *stream)
{
	if (stream->fault != 0)
		return;
	stream->shut_wanted = true;
	shut_when_sent(stream);
}

void
stream_pause(struct stream *stream, bool paused)
{
	stream->paused = paused;
	update_want(stream);
}

void
stream_limit(struct stream *stream, size_t input_max)
{
	stream->input_max = input_max;
	update_want(stream);
}

static void
input_ended(struct stream *stream)
{
	stream->input_ended = true;
	update_want(stream);
	stream->events->on_end(stream->context, NULL);
}

static void
input_came(struct stream *stream, size_t len)
{
	buf_grow(&stream->input, len);
	stream->events->on_input(stream->context);
	if (stream->dead)
		return;
	if (stream->input.len == 0 && stream->input.capacity > KEPT_CAPACITY)
		buf_fini(&stream->input);
	update_want(stream);
}

static void
read_some(struct stream *stream)
{
	size_t room = stream->input_max - stream->input.len;
	ssize_t n;

	if (room > CHUNK)
		room = CHUNK;
	n = read(stream->fd, buf_reserve(&stream->input, room), room);
	if (n > 0)
		input_came(stream, (size_t)n);
	else if (n == 0)
		input_ended(stream);
	else if (errno != EAGAIN && errno != EINTR)
		fail(stream, errno);
}

/* A pipe's writing end is "readable" only when nobody reads the other one. */
static void
on_ready(void *context, unsigned ready)
{
	struct stream *stream = context;

	if ((ready & WATCH_WRITE) != 0) {
		write_kept(stream);
		update_want(stream);
	} else if (stream->write_only) {
		fail(stream, EPIPE);
	} else if (may_read(stream)) {
		read_some(stream);
	}
}
