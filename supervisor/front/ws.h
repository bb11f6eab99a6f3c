/*
 * GET /ws: all WebSockets of this front, and what they share. The protocol that clients
 * speak stands in docs/websocket.md.
 */
#ifndef FRONT_WS_H
#define FRONT_WS_H

#include "front/front.h"
#include "front/route.h"

struct ws;

struct ws *ws_new(struct front *front);
/* After the listener, which closes the connections, and before the feed. */
void ws_free(struct ws **ws_p);
/* Of front->read: heartbeats found something in this run (its UUID as text); the
 * connection was lost, or is there again. */
void ws_alerts_notified(struct ws *ws, const char *run);
void ws_alerts_state(struct ws *ws, bool up);
size_t ws_count(const struct ws *ws); /* clients connected */

/* What clients may send, a line each on stdout: TYPE ROLE id NAME=KIND,MIN,MAX... ("?"
 * behind a name: it may be missing). */
void ws_messages_print(void);

#endif
