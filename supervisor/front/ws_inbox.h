/*
 * The message of a client that is being received, fragment by fragment: at most 1 MiB,
 * also once it is unpacked, and text.
 */
#ifndef FRONT_WS_INBOX_H
#define FRONT_WS_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/usec.h"
#include "front/ws_deflate.h"

#define WS_MESSAGE_MAX (1024 * 1024)

struct ws_inbox {
	struct buf data, plain; /* as it came; unpacked */
	bool packed;
	usec_t began_at; /* when its first byte came */
};

enum ws_received {
	WS_RECEIVED,
	WS_RECEIVED_TOO_BIG,
	WS_RECEIVED_BAD, /* not UTF-8, or not compressed as agreed */
	WS_RECEIVED_VERDICTS
};

void ws_inbox_fini(struct ws_inbox *inbox);
/* A fragment begins. False: with that many bytes the message is too big. */
bool ws_inbox_has_room(const struct ws_inbox *inbox, uint64_t len);
void ws_inbox_add(struct ws_inbox *inbox, const void *data, size_t len, usec_t now);
/* It is complete; *text is valid until ws_inbox_clear. Text that was not packed has
 * been checked already. */
enum ws_received ws_inbox_end(struct ws_inbox *inbox, struct ws_deflate *packer,
			      const char **text, size_t *len);
void ws_inbox_clear(struct ws_inbox *inbox); /* for the next one */

#endif
