/*
 * A byte stream on a descriptor: buffered writing with a high-water mark, reading into a
 * buffer that the owner consumes. Owns the descriptor. No TLS, no timeouts: owners keep
 * their own timers.
 */
#ifndef LOOP_STREAM_H
#define LOOP_STREAM_H

#include "base/buf.h"
#include "loop/loop.h"

struct stream;

struct stream_events {
	/* New bytes: consume from stream_input as much as is understood. */
	void (*on_input)(void *context);
	/* The output buffer is empty. May be NULL. */
	void (*on_drained)(void *context);
	/* End of input (error NULL) or a fault; nothing more will come. After a plain end
	 * of input writing goes on. */
	void (*on_end)(void *context, const char *error);
};

struct stream *stream_new(struct loop *loop, int fd, const struct stream_events *events,
			  void *context);
void stream_free(struct stream **stream_p); /* closes; unsent bytes are lost */
struct buf *stream_input(struct stream *stream);
/* Tries to write at once, keeps the rest. */
void stream_write(struct stream *stream, const void *data, size_t len);
size_t stream_unsent(const struct stream *stream);
void stream_pause(struct stream *stream, bool paused); /* stop or go on reading */
void stream_limit(struct stream *stream, size_t input_max); /* pauses by itself at it */
void stream_shutdown(struct stream *stream); /* no more writing, once all is sent */
int stream_fd(const struct stream *stream);

#endif
