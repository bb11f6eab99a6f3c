/*
 * Whether the client of a WebSocket is still there and reads: a ping every 20 s, of
 * which two may go unanswered, and 30 s in which it may take nothing of what waits for
 * it. Pure.
 */
#ifndef FRONT_WS_PULSE_CORE_H
#define FRONT_WS_PULSE_CORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/usec.h"

#define WS_PING_EVERY   (20 * USEC_SECOND)
#define WS_PINGS_MISSED 2
#define WS_DEAF_AFTER   (30 * USEC_SECOND)

enum ws_pulse_verdict {
	WS_PULSE_FINE,
	WS_PULSE_PING, /* one is due */
	WS_PULSE_GONE, /* it answers none */
	WS_PULSE_DEAF, /* it reads nothing */
	WS_PULSE_VERDICTS
};

struct ws_pulse {
	usec_t pinged_at;
	usec_t taken_at; /* when it last took something, or all */
	uint64_t taken;  /* bytes, at the last look */
	int unanswered;  /* pings */
};

void ws_pulse_begin(struct ws_pulse *pulse, usec_t now);
void ws_pulse_pong(struct ws_pulse *pulse);
/* Asked every few seconds. written: bytes given to the stream so far; untaken: those of
 * them that the other side has not taken. */
enum ws_pulse_verdict ws_pulse_look(struct ws_pulse *pulse, usec_t now,
				    uint64_t written, size_t untaken);

#endif
