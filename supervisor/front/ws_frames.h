/*
 * Bytes to messages and back (RFC 6455, RFC 7692), without a socket: frames, fragments,
 * masks, control frames, closes, UTF-8, compression. The only file that includes wslay
 * is ws_frames.c.
 */
#ifndef FRONT_WS_FRAMES_H
#define FRONT_WS_FRAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/usec.h"
#include "front/ws_deflate.h"
#include "front/ws_outbox_core.h"

enum ws_close {
	WS_CLOSE_GOING_AWAY = 1001,
	WS_CLOSE_PROTOCOL = 1002,
	WS_CLOSE_BINARY = 1003,
	WS_CLOSE_DATA = 1007,
	WS_CLOSE_POLICY = 1008,
	WS_CLOSE_TOO_BIG = 1009,
	WS_CLOSE_INTERNAL = 1011,
	WS_CLOSE_TRY_LATER = 1013,
};

#define WS_REASON_MAX 123 /* bytes of a close's reason */

struct ws_frames;

struct ws_frames_events {
	/* Bytes that came, at most len. 0: there are none for now. */
	size_t (*on_read)(void *context, void *data, size_t len);
	/* Bytes to be sent, all of them. */
	void (*on_write)(void *context, const void *data, size_t len);
	/* A whole text message, valid UTF-8; borrowed. */
	void (*on_message)(void *context, const char *text, size_t len);
	void (*on_pong)(void *context);
};

/* packer: NULL, or what compresses. */
struct ws_frames *ws_frames_new(struct ws_deflate *packer,
				const struct ws_frames_events *events, void *context);
void ws_frames_free(struct ws_frames **frames_p);
/* Reads all that on_read has; pings and closes are answered. False: the other side has
 * closed, or broke the protocol; all is written that there was to say. */
bool ws_frames_read(struct ws_frames *frames, usec_t now);
void ws_frames_send(struct ws_frames *frames, struct ws_text *text);
void ws_frames_ping(struct ws_frames *frames);
/* Nothing but pongs is sent after it; what comes is still read. */
void ws_frames_close(struct ws_frames *frames, enum ws_close code, const char *reason);
bool ws_frames_has_closed(const struct ws_frames *frames);
/* When the first byte came of a message that is not complete; USEC_NEVER: there is
 * none. */
usec_t ws_frames_half_since(const struct ws_frames *frames);

#endif
