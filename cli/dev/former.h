/* What a dev that was killed left behind: its processes were told to end and may still
 * be doing so. */
#ifndef DEV_FORMER_H
#define DEV_FORMER_H

#include "dev/place.h"

/* Waits until none of them is left; ends those by force that take too long (never
 * PostgreSQL, which is waited for when ours is started). */
void former_wait(const struct place *place);

#endif
