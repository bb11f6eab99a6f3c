/*
 * A cron pattern against the calendar and the clock on the wall, without a zone: wall
 * times are seconds from 1970-01-01 00:00 on the wall. Zones are cron_next.h.
 */
#ifndef LANG_CRON_LOCAL_H
#define LANG_CRON_LOCAL_H

#include <stdbool.h>
#include <stdint.h>

#include "lang/cron_parse.h"

/* The nearest wall time that the pattern names, from this one on: itself, or later
 * (step 1) or earlier (step -1). false: none in the years 1 to 9999, known after a walk
 * over the fourteen kinds of years. */
bool cron_local_seek(const struct cron *cron, int64_t from, int step, int64_t *out);

#endif
