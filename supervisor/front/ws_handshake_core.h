/*
 * What a client asks for when it wants a WebSocket (RFC 6455 section 4.2, RFC 7692),
 * and whether it gets it. Pure.
 */
#ifndef FRONT_WS_HANDSHAKE_CORE_H
#define FRONT_WS_HANDSHAKE_CORE_H

#include <stdbool.h>
#include <stddef.h>

#include "front/http_core.h"

#define WS_PROTOCOL        "stepmill.v1"
#define WS_CLIENT_NAME_MAX 64

enum ws_verdict {
	WS_WELCOME,
	WS_NOT_ASKED,   /* 426: there is nothing else here */
	WS_BAD_VERSION, /* 426: only 13 is spoken */
	WS_BAD_KEY,     /* 400: Sec-WebSocket-Key is no 16 bytes */
	WS_BAD_REQUEST, /* 400: HTTP/1.0, or with a body */
	WS_VERDICTS
};

enum ws_verdict ws_handshake_judge(const struct http_head *head);
/* Whether one of the offers is a permessage-deflate that we can keep: no context taken
 * over on either side, and the full window for what we send. */
bool ws_handshake_deflates(const struct http_head *head);
bool ws_handshake_wants_protocol(const struct http_head *head); /* stepmill.v1 */
/* Letters, digits, ".", "_" and "-", 1 to 64 of them: no "/", which separates it from
 * the key's name in requested_by. */
bool ws_client_name_valid(const char *name);
/* Whether the page at `origin` may: it came from this server, by `scheme` (NULL: that
 * is not known, http or https), or stands in the list. */
bool ws_origin_allowed(const char *origin, const char *scheme, const char *host,
		       char *const *allowed, size_t count);

#endif
