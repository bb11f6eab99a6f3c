/*
 * Who asks how often: a bucket for each key, and for each address that has none. Those
 * that were not seen for longest are forgotten, so that their number has a limit.
 */
#ifndef FRONT_RATES_H
#define FRONT_RATES_H

#include "base/usec.h"
#include "front/front.h"

#define RATES_MAX 8192 /* buckets */

struct rates;

/* NULL: there is no limit (http.rate_limit is 0). */
struct rates *rates_new(struct loop *loop, const struct settings *settings);
void rates_free(struct rates **rates_p);

/* One request or message of so and so (caller_id). 0: it may be; else it may not, and
 * could after so long. */
usec_t rate_take(struct front *front, const char *who);

#endif
