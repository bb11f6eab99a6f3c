/* How slow a client may be: so many bytes a second, after a grace. Pure. */
#ifndef FRONT_PACE_CORE_H
#define FRONT_PACE_CORE_H

#include <stdint.h>

#include "base/usec.h"

#define PACE_RATE 1024 /* bytes a second */

/* The new deadline after so many bytes: each buys time, but never more than the grace
 * (a leaking bucket), so that being fast at first does not pay for being silent later.
 */
usec_t pace_pay(usec_t deadline, usec_t now, usec_t grace, uint64_t bytes);

#endif
