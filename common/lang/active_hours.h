/*
 * Active hours: when a schedule may start what it fires. Judged by the clock on the
 * wall at the instant of the firing, so a window that a gap of daylight saving swallows
 * does not happen that day, and what fires after the gap must lie inside itself.
 */
#ifndef LANG_ACTIVE_HOURS_H
#define LANG_ACTIVE_HOURS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "zone/zone.h"

#define ACTIVE_DAYS_ALL 0xfeu

struct active_hours {
	int start, end; /* minutes of the day, start included, end not; an end at or
			 * before the start is on the next day; 24:00 is an end */
	uint8_t days;   /* on which a window starts; bit n: ISO day n, 1 Monday */
};

/* "22:00", and for an end also "24:00", into minutes. ERR_INPUT: "expected HH:MM". */
int active_hours_time(const char *text, size_t len, bool end, int *out,
		      struct err *err);
/* Adds a day, 1 to 7; 0 reads as 7. ERR_INPUT for another. */
int active_hours_day(struct active_hours *hours, int64_t day, struct err *err);
/* Whether a window is open at this time on the wall. */
bool active_hours_open(const struct active_hours *hours, const struct wall *wall);

#endif
