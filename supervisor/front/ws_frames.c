/*
 * See ws_frames.h. wslay may always write, so that no frame ever stays half with it.
 * Messages are gathered here (ws_inbox.h) and not by wslay: it would take 100 bytes for
 * a fragment of one.
 */
#include "front/ws_frames.h"

#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

#include "base/err.h"
#include "base/xalloc.h"
#include "front/ws_inbox.h"

#define PACK_LEAST 256 /* shorter messages are not worth it */

struct ws_frames {
	wslay_event_context_ptr wslay;
	struct ws_deflate *packer; /* NULL: nothing is compressed */
	const struct ws_frames_events *events;
	void *context;
	struct ws_inbox inbox;
	bool in_control; /* the frame that is being received is one of control */
	bool failed;     /* the protocol was broken: nothing more is read */
	usec_t now;
};

/* ---- out ---- */

static ssize_t
on_send(wslay_event_context_ptr wslay, const uint8_t *data, size_t len, int flags,
	void *context)
{
	struct ws_frames *frames = context;

	(void)wslay, (void)flags;
	frames->events->on_write(frames->context, data, len);
	return (ssize_t)len;
}

/* What wslay has queued. */
static void
send_queued(struct ws_frames *frames)
{
	if (wslay_event_send(frames->wslay) != 0)
		bug("wslay does not send");
}

static void
pack(struct ws_frames *frames, struct ws_text *text)
{
	struct buf packed = { 0 };

	ws_deflate_pack(frames->packer, text->data, text->len, &packed);
	text->packed_len = packed.len;
	text->packed = buf_take(&packed);
}

void
ws_frames_send(struct ws_frames *frames, struct ws_text *text)
{
	struct wslay_event_msg message = { WSLAY_TEXT_FRAME, (uint8_t *)text->data,
					   text->len };
	uint8_t reserved = WSLAY_RSV_NONE;

	if (frames->packer != NULL && text->len >= PACK_LEAST) {
		if (text->packed == NULL)
			pack(frames, text);
		if (text->packed_len < text->len) {
			message.msg = (uint8_t *)text->packed;
			message.msg_length = text->packed_len;
			reserved = WSLAY_RSV1_BIT;
		}
	}
	if (wslay_event_queue_msg_ex(frames->wslay, &message, reserved) == 0)
		send_queued(frames);
}

void
ws_frames_ping(struct ws_frames *frames)
{
	const struct wslay_event_msg ping = { .opcode = WSLAY_PING };

	wslay_event_queue_msg(frames->wslay, &ping);
	send_queued(frames);
}

/* From inside wslay's callbacks too: the close is framed when it comes back. */
static void
queue_close(struct ws_frames *frames, enum ws_close code, const char *reason)
{
	wslay_event_queue_close(frames->wslay, (uint16_t)code, (const uint8_t *)reason,
				strlen(reason));
}

void
ws_frames_close(struct ws_frames *frames, enum ws_close code, const char *reason)
{
	queue_close(frames, code, reason);
	send_queued(frames);
}

bool
ws_frames_has_closed(const struct ws_frames *frames)
{
	return wslay_event_get_close_sent(frames->wslay);
}

/* ---- what is wrong ---- */

static void
fail(struct ws_frames *frames, enum ws_close code, const char *reason)
{
	if (frames->failed)
		return;
	frames->failed = true;
	queue_close(frames, code, reason);
	wslay_event_shutdown_read(frames->wslay);
}

/* wslay closes without a code when a frame cannot be understood: said by hand. */
static void
fail_frame(struct ws_frames *frames)
{
	static const char close[] = "\x88\x02\x03\xea"; /* 1002 */

	frames->failed = true;
	wslay_event_shutdown_write(frames->wslay);
	if (!ws_frames_has_closed(frames))
		frames->events->on_write(frames->context, close, sizeof close - 1);
}

/* ---- in ---- */

static ssize_t
on_recv(wslay_event_context_ptr wslay, uint8_t *data, size_t len, int flags,
	void *context)
{
	struct ws_frames *frames = context;
	size_t got = frames->events->on_read(frames->context, data, len);

	(void)flags;
	if (got > 0)
		return (ssize_t)got;
	wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
	return -1;
}

static void
on_frame(wslay_event_context_ptr wslay,
	 const struct wslay_event_on_frame_recv_start_arg *arg, void *context)
{
	struct ws_frames *frames = context;

	(void)wslay;
	frames->in_control = wslay_is_ctrl_frame(arg->opcode);
	if (arg->opcode == WSLAY_CONNECTION_CLOSE && arg->payload_length == 1)
		fail(frames, WS_CLOSE_PROTOCOL, "half a code");
	if (frames->in_control)
		return;
	if (arg->opcode == WSLAY_BINARY_FRAME)
		fail(frames, WS_CLOSE_BINARY, "text only");
	if (arg->opcode == WSLAY_TEXT_FRAME)
		frames->inbox.packed = wslay_get_rsv1(arg->rsv) != 0;
	if (!ws_inbox_has_room(&frames->inbox, arg->payload_length))
		fail(frames, WS_CLOSE_TOO_BIG, "a message has at most 1 MiB");
}

static void
on_chunk(wslay_event_context_ptr wslay,
	 const struct wslay_event_on_frame_recv_chunk_arg *arg, void *context)
{
	struct ws_frames *frames = context;

	(void)wslay;
	if (!frames->in_control && !frames->failed)
		ws_inbox_add(&frames->inbox, arg->data, arg->data_length, frames->now);
}

static void
take_message(struct ws_frames *frames)
{
	const char *text;
	size_t len;

	if (frames->failed)
		return;
	switch (ws_inbox_end(&frames->inbox, frames->packer, &text, &len)) {
	case WS_RECEIVED:
		frames->events->on_message(frames->context, text, len);
		break;
	case WS_RECEIVED_TOO_BIG:
		fail(frames, WS_CLOSE_TOO_BIG, "a message has at most 1 MiB");
		break;
	default:
		fail(frames, WS_CLOSE_DATA, "not UTF-8, or not compressed as agreed");
		break;
	}
	ws_inbox_clear(&frames->inbox);
}

static void
on_msg(wslay_event_context_ptr wslay, const struct wslay_event_on_msg_recv_arg *arg,
       void *context)
{
	struct ws_frames *frames = context;

	(void)wslay;
	if (arg->opcode == WSLAY_PONG)
		frames->events->on_pong(frames->context);
	else if (arg->opcode == WSLAY_TEXT_FRAME)
		take_message(frames);
}

bool
ws_frames_read(struct ws_frames *frames, usec_t now)
{
	frames->now = now;
	if (wslay_event_recv(frames->wslay) != 0)
		fail_frame(frames);
	send_queued(frames); /* pongs, and the answer to a close */
	return !frames->failed && !wslay_event_get_close_received(frames->wslay) &&
	       wslay_event_get_read_enabled(frames->wslay);
}

usec_t
ws_frames_half_since(const struct ws_frames *frames)
{
	return frames->inbox.data.len > 0 ? frames->inbox.began_at : USEC_NEVER;
}

/* ---- life ---- */

static const struct wslay_event_callbacks callbacks = {
	.recv_callback = on_recv,
	.send_callback = on_send,
	.on_frame_recv_start_callback = on_frame,
	.on_frame_recv_chunk_callback = on_chunk,
	.on_msg_recv_callback = on_msg,
};

struct ws_frames *
ws_frames_new(struct ws_deflate *packer, const struct ws_frames_events *events,
	      void *context)
{
	struct ws_frames *frames = xcalloc(1, sizeof *frames);

	frames->packer = packer;
	frames->events = events;
	frames->context = context;
	if (wslay_event_context_server_init(&frames->wslay, &callbacks, frames) != 0)
		bug("wslay does not begin");
	wslay_event_config_set_no_buffering(frames->wslay, 1);
	wslay_event_config_set_max_recv_msg_length(frames->wslay, WS_MESSAGE_MAX);
	if (packer != NULL)
		wslay_event_config_set_allowed_rsv_bits(frames->wslay, WSLAY_RSV1_BIT);
	return frames;
}

void
ws_frames_free(struct ws_frames **frames_p)
{
	struct ws_frames *frames = *frames_p;

	if (frames == NULL)
		return;
	*frames_p = NULL;
	wslay_event_context_free(frames->wslay);
	ws_inbox_fini(&frames->inbox);
	free(frames);
}
