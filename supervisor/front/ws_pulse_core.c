/* See ws_pulse_core.h. Who takes what stands before a ping has not missed it yet. */
#include "front/ws_pulse_core.h"

void
ws_pulse_begin(struct ws_pulse *pulse, usec_t now)
{
	*pulse = (struct ws_pulse){ .pinged_at = now, .taken_at = now };
}

void
ws_pulse_pong(struct ws_pulse *pulse)
{
	pulse->unanswered = 0;
}

enum ws_pulse_verdict
ws_pulse_look(struct ws_pulse *pulse, usec_t now, uint64_t written, size_t untaken)
{
	uint64_t taken = untaken < written ? written - untaken : 0;

	if (untaken == 0 || taken > pulse->taken)
		pulse->taken_at = now;
	if (untaken > 0 && taken > pulse->taken)
		pulse->unanswered = 0;
	pulse->taken = taken;
	if (now - pulse->taken_at >= WS_DEAF_AFTER)
		return WS_PULSE_DEAF;
	if (now - pulse->pinged_at < WS_PING_EVERY)
		return WS_PULSE_FINE;
	if (pulse->unanswered >= WS_PINGS_MISSED)
		return WS_PULSE_GONE;
	pulse->unanswered++;
	pulse->pinged_at = now;
	return WS_PULSE_PING;
}
