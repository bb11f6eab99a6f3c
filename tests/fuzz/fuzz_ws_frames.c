/* Bytes of a client as frames: whole, and byte by byte, the same messages come of it.
 * The first byte says whether compression was agreed on. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "front/ws_frames.h"
#include "front/ws_inbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct side {
	const uint8_t *data;
	size_t left;
	struct buf said, written;
};

static size_t
on_read(void *context, void *data, size_t len)
{
	struct side *side = context;

	if (len > side->left)
		len = side->left;
	memcpy(data, side->data, len);
	side->data += len;
	side->left -= len;
	return len;
}

static void
on_write(void *context, const void *data, size_t len)
{
	struct side *side = context;

	buf_add(&side->written, data, len);
}

static void
on_message(void *context, const char *text, size_t len)
{
	struct side *side = context;

	if (len > WS_MESSAGE_MAX || !utf8_valid(text, len))
		abort();
	buf_printf(&side->said, "%zu:", len);
	buf_add(&side->said, text, len);
}

static void
on_pong(void *context)
{
	struct side *side = context;

	buf_str(&side->said, "pong");
}

static const struct ws_frames_events events = { on_read, on_write, on_message,
						on_pong };

static void
receive(struct side *side, struct ws_deflate *packer, const uint8_t *data, size_t len,
	size_t piece)
{
	struct ws_frames *frames = ws_frames_new(packer, &events, side);

	while (len > 0) {
		size_t now = len < piece ? len : piece;

		side->data = data;
		side->left = now;
		if (!ws_frames_read(frames, 1))
			break;
		if (side->left > 0)
			abort(); /* who goes on has read all */
		data += now;
		len -= now;
	}
	ws_frames_close(frames, WS_CLOSE_GOING_AWAY, "enough");
	ws_frames_free(&frames);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct side whole = { .left = 0 }, bytes = { .left = 0 };
	struct ws_deflate *packer = NULL;

	if (len == 0 || len > 8192)
		return 0;
	if ((data[0] & 1) != 0)
		packer = ws_deflate_new();
	receive(&whole, packer, data + 1, len - 1, len);
	receive(&bytes, packer, data + 1, len - 1, 1);
	if (whole.said.len != bytes.said.len ||
	    memcmp(buf_text(&whole.said), buf_text(&bytes.said), whole.said.len) != 0)
		abort();
	buf_fini(&whole.said);
	buf_fini(&whole.written);
	buf_fini(&bytes.said);
	buf_fini(&bytes.written);
	ws_deflate_free(&packer);
	return 0;
}
