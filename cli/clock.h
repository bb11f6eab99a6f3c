/* Time for commands, which may wait: a clock that never jumps, and a pause. */
#ifndef CLI_CLOCK_H
#define CLI_CLOCK_H

#include "base/usec.h"

usec_t clock_mono(void);
void clock_pause(usec_t time);

#endif
