/*
 * permessage-deflate (RFC 7692) without context takeover, so that one pair of zlib
 * streams serves all connections and a message is compressed once for all who get it.
 * The only file that includes zlib is ws_deflate.c.
 */
#ifndef FRONT_WS_DEFLATE_H
#define FRONT_WS_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct ws_deflate;

enum ws_inflated {
	WS_INFLATED,
	WS_INFLATED_BAD,     /* no deflate data */
	WS_INFLATED_TOO_BIG, /* more than max; what stands in out is of no use */
	WS_INFLATED_VERDICTS
};

struct ws_deflate *ws_deflate_new(void);
void ws_deflate_free(struct ws_deflate **deflate_p);
/* The payload of a message in out (appended), without the four bytes that RFC 7692
 * leaves out. */
void ws_deflate_pack(struct ws_deflate *packer, const void *data, size_t len,
		     struct buf *out);
enum ws_inflated ws_deflate_unpack(struct ws_deflate *packer, const void *data,
				   size_t len, size_t max, struct buf *out);

#endif
