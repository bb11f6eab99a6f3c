/*
 * A byte stream on a socket or a pipe (not on a regular file): buffered writing with a
 * high-water mark, reading into a buffer that the owner consumes. Owns the descriptor.
 * No TLS, no timeouts: owners keep their own timers.
 */
#ifndef LOOP_STREAM_H
#define LOOP_STREAM_H

#include "base/buf.h"
#include "loop/loop.h"

#define STREAM_INPUT_MAX (1024 * 1024) /* unless stream_limit says otherwise */

struct stream;

/* All of them may free the stream. */
struct stream_events {
	/* New bytes: consume from stream_input as much as is understood. */
	void (*on_input)(void *context);
	/* The output buffer became empty, also by a write that went through at once;
	 * told at the end of the turn. May be NULL. */
	void (*on_drained)(void *context);
	/* End of input (error NULL) or a fault; nothing more will come. After a plain
	 * end of input writing goes on, and a fault in that comes as a second call. */
	void (*on_end)(void *context, const char *error);
};

struct stream *stream_new(struct loop *loop, int fd, const struct stream_events *events,
			  void *context);
/* Another owner: its events come from now on. What stands in the input already is not
 * announced to it. */
void stream_hand_over(struct stream *stream, const struct stream_events *events,
		      void *context);
void stream_free(struct stream **stream_p); /* closes; unsent bytes are lost */
struct buf *stream_input(struct stream *stream);
/* Tries to write at once, keeps the rest. */
void stream_write(struct stream *stream, const void *data, size_t len);
size_t stream_unsent(const struct stream *stream);
/* Writing failed: on_end has told it, or will at the end of the turn. */
bool stream_broken(const struct stream *stream);
/* Of a socket: what is unsent or still with the kernel, because the other side has not
 * taken it. Costs a system call. */
size_t stream_untaken(const struct stream *stream);
/* Stop or go on reading. What stands in the input already is not announced again. */
void stream_pause(struct stream *stream, bool paused);
/* Stops reading by itself at so many bytes unconsumed; goes on when on_input consumed
 * some, or (consumed elsewhere) at the next stream_pause(stream, false). */
void stream_limit(struct stream *stream, size_t input_max);
void stream_shutdown(struct stream *stream); /* no more writing, once all is sent */
int stream_fd(const struct stream *stream);  /* -1 once a pipe was shut down */

#endif
