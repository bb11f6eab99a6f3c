/*
 * Pure. Each sample bounds the difference of the clocks from both sides; the bounds of
 * all samples are cut with each other, and widened in between by how far two honest
 * clocks may drift apart. Bounds that exclude each other mean that a clock was set.
 */
#include "clock_core.h"

#define DRIFT_DIVISOR 2000 /* 500 parts in a million */

void
clock_core_sample(struct clock_core *clock, usec_t sent, usec_t answered,
		  usec_t database)
{
	struct clock_core fresh = { true, database - answered, database - sent,
				    answered };
	usec_t drift = (answered - clock->sampled_at) / DRIFT_DIVISOR;

	if (clock->known) {
		usec_t low = clock->low - drift, high = clock->high + drift;

		if (low <= fresh.high && high >= fresh.low) {
			fresh.low = low > fresh.low ? low : fresh.low;
			fresh.high = high < fresh.high ? high : fresh.high;
		}
	}
	*clock = fresh;
}

usec_t
clock_core_surely(const struct clock_core *clock, usec_t mono)
{
	return mono + clock->low;
}

usec_t
clock_core_when(const struct clock_core *clock, usec_t database)
{
	return database - clock->low;
}
