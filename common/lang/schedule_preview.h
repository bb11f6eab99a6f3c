/* The coming firings of a schedule as JSON, for people who ask what it will do. */
#ifndef LANG_SCHEDULE_PREVIEW_H
#define LANG_SCHEDULE_PREVIEW_H

#include "lang/active_hours.h"
#include "lang/cron_next.h"
#include "json/json.h"

#define SCHEDULE_PREVIEW_MAX 100

/* An array of at most count members {at, local, note?}: the instant in UTC, the same
 * with the zone's offset, and "after the gap", "skipped by active hours" or both.
 * Shorter where nothing fires any more. hours may be NULL. The caller's. */
struct json *schedule_preview(const struct cron *cron, const struct zone *zone,
			      usec_t after, int count,
			      const struct active_hours *hours);

#endif
