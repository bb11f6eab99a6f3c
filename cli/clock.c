/* See clock.h. */
#include "clock.h"

#include <time.h>

usec_t
clock_mono(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (usec_t)ts.tv_sec * USEC_SECOND + ts.tv_nsec / 1000;
}

void
clock_pause(usec_t time)
{
	const struct timespec wait = { .tv_sec = time / USEC_SECOND,
				       .tv_nsec = (long)(time % USEC_SECOND) * 1000 };

	nanosleep(&wait, NULL);
}
