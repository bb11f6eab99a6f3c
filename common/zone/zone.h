/*
 * The one door to the time-zone library (GLib's GTimeZone): instants to wall time and
 * back, in any IANA zone or fixed offset, without touching the process's own zone.
 */
#ifndef ZONE_ZONE_H
#define ZONE_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/usec.h"

struct zone;

struct wall {                 /* proleptic Gregorian */
	int year, month, day; /* month and day from 1 */
	int hour, minute, second, usec;
	int weekday;  /* ISO: 1 Monday .. 7 Sunday */
	int year_day; /* from 1 */
	int offset;   /* seconds east of UTC at that instant */
};

/* "Europe/Berlin", "UTC", "+02:00", "-05:30". Zones are cached; never freed. */
const struct zone *zone_get(const char *name,
			    struct err *err); /* ERR_INPUT if unknown */
struct wall zone_wall(const struct zone *zone, usec_t instant);

/* A stretch of time with one offset, in seconds: from start, before end. The first one
 * has the start INT64_MIN, the last one the end INT64_MAX; neighbours may share an
 * offset. */
struct zone_span {
	int64_t start, end;
	int offset; /* seconds east of UTC */
};
struct zone_span zone_span(const struct zone *zone, int64_t second);

/* Civil arithmetic, no zone: days from 1970-01-01 and back. */
int64_t civil_days(int year, int month, int day);
void civil_date(int64_t days, int *year, int *month, int *day);

/* RFC 3339: parse any offset; format in UTC with the fraction that is needed ("Z"). */
bool rfc3339_parse(const char *text, size_t len, usec_t *out);
char *rfc3339_format(usec_t instant, char out[static 40]);

#endif
