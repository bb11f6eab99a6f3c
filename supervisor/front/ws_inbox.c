/* See ws_inbox.h. */
#include "front/ws_inbox.h"

#include "base/utf8.h"

#define KEPT_CAPACITY 4096

void
ws_inbox_fini(struct ws_inbox *inbox)
{
	buf_fini(&inbox->data);
	buf_fini(&inbox->plain);
}

bool
ws_inbox_has_room(const struct ws_inbox *inbox, uint64_t len)
{
	return len <= WS_MESSAGE_MAX && inbox->data.len + len <= WS_MESSAGE_MAX;
}

void
ws_inbox_add(struct ws_inbox *inbox, const void *data, size_t len, usec_t now)
{
	if (inbox->data.len == 0)
		inbox->began_at = now;
	buf_add(&inbox->data, data, len);
}

enum ws_received
ws_inbox_end(struct ws_inbox *inbox, struct ws_deflate *packer, const char **text,
	     size_t *len)
{
	const struct buf *message = inbox->packed ? &inbox->plain : &inbox->data;
	enum ws_inflated verdict = WS_INFLATED;

	if (inbox->packed)
		verdict =
		    ws_deflate_unpack(packer, buf_text(&inbox->data), inbox->data.len,
				      WS_MESSAGE_MAX, &inbox->plain);
	*text = buf_text(message);
	*len = message->len;
	if (verdict == WS_INFLATED_TOO_BIG)
		return WS_RECEIVED_TOO_BIG;
	if (verdict != WS_INFLATED || (inbox->packed && !utf8_valid(*text, *len)))
		return WS_RECEIVED_BAD;
	return WS_RECEIVED;
}

void
ws_inbox_clear(struct ws_inbox *inbox)
{
	buf_fini(&inbox->plain);
	buf_clear(&inbox->data);
	if (inbox->data.capacity > KEPT_CAPACITY)
		buf_fini(&inbox->data);
}
