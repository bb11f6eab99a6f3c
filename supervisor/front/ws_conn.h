/*
 * One WebSocket on a connection that was HTTP: text messages of at most 1 MiB to its
 * owner, and back what fits; it closes who breaks the protocol, is gone, or does not
 * read. How messages are framed: ws_frames.h.
 *
 *	open -> closing (our close is on its way) -> linger -> closed
 *	open -> linger (they closed, or broke the protocol: the answer is on its way)
 */
#ifndef FRONT_WS_CONN_H
#define FRONT_WS_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "front/route.h"
#include "front/ws_frames.h"

struct ws_conn;

struct ws_conn_events {
	/* A whole text message, valid UTF-8; borrowed. */
	void (*on_message)(void *context, const char *text, size_t len);
	/* Less than WS_ROOM_MARK is unsent again, after it had been WS_FULL_MARK. */
	void (*on_room)(void *context);
	void (*on_drain)(void *context);  /* the supervisor is about to stop */
	void (*on_closed)(void *context); /* it is over; the ws_conn is of no use */
};

#define WS_FULL_MARK (512 * 1024)
#define WS_ROOM_MARK (128 * 1024)

/* Answers the exchange with 101 and goes on as a WebSocket. packer: NULL, or what
 * compresses (permessage-deflate was asked for). NULL: the client is gone. The first
 * event comes on a later turn. */
struct ws_conn *ws_conn_upgrade(struct exchange *exchange, struct ws_deflate *packer,
				const struct ws_conn_events *events, void *context);
/* Sends a text, taken. origin: of an event, which may be dropped (ws_outbox_core.h);
 * NULL: it may not. After a close it is dropped. */
void ws_conn_send(struct ws_conn *conn, struct ws_text **text_p,
		  const struct ws_origin *origin);
void ws_conn_send_gap(struct ws_conn *conn, const struct ws_origin *origin);
size_t ws_conn_unsent(const struct ws_conn *conn);
/* No more messages for now, or again; frames of control are read with the next ones. */
void ws_conn_pause(struct ws_conn *conn, bool pause);
/* With a code and a reason of at most WS_REASON_MAX bytes; what waits is sent before,
 * except to one that does not read. on_closed comes later. */
void ws_conn_close(struct ws_conn *conn, enum ws_close code, const char *reason);

#endif
