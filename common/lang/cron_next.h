/*
 * When a schedule fires, in any zone, forwards and backwards.
 *
 * Daylight saving, one rule: a fixed local time that a gap skips fires once, at the
 * first valid instant after the gap; one that comes twice fires the first time only. A
 * pattern with a wildcard or step in hour or minute follows elapsed time: it fires
 * whenever the clock on the wall shows a time that it names, so what a gap skips is
 * skipped, and what comes twice fires twice. A gap may be half an hour or a whole day.
 */
#ifndef LANG_CRON_NEXT_H
#define LANG_CRON_NEXT_H

#include <stdbool.h>

#include "base/usec.h"
#include "lang/cron_parse.h"
#include "zone/zone.h"

struct cron_firing {
	usec_t at;
	bool after_gap; /* the local time that is meant does not exist that day */
};

/* The first firing after this instant; @every counts from the anchor (when the schedule
 * was made), so nothing fires at the anchor or before. false: never, up to the year
 * 9999; known within milliseconds. */
bool cron_next(const struct cron *cron, const struct zone *zone, usec_t anchor,
	       usec_t after, struct cron_firing *out);
/* The last firing before this instant; false: there was none. */
bool cron_previous(const struct cron *cron, const struct zone *zone, usec_t anchor,
		   usec_t before, struct cron_firing *out);

#endif
