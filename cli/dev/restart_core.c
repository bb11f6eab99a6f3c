/* See restart_core.h. */
#include "dev/restart_core.h"

#define FIRST_DELAY (100 * USEC_MS) /* doubles */

void
restart_started(struct restart *restart, usec_t now)
{
	restart->started = now;
}

bool
restart_ended(struct restart *restart, usec_t now, usec_t *due)
{
	if (now - restart->started >= RESTART_YOUNG)
		restart->young = 0;
	*due = now;
	if (++restart->young == 1)
		return true;
	*due += FIRST_DELAY << (restart->young - 2);
	return restart->young <= RESTARTS_MAX;
}
