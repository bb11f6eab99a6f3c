/*
 * Time zones from GLib, which reads the system's IANA data without touching the
 * process's own zone. Zones are kept for the life of the process: there are a few
 * hundred, and a name that is none is not kept, so nobody outside can make the table
 * grow.
 */
#include "zone/zone.h"

#include <glib.h>
#include <string.h>

#include "base/map.h"
#include "base/xalloc.h"

#define NAME_MAX_LEN 64
#define SPAN_STEP    ((int64_t)1 << 17) /* a power of two: a day and a half */
#define SPAN_REACH   ((int64_t)1 << 37) /* 4355 years: no interval is longer */

struct zone {
	GTimeZone *zone;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "+02:00", "-05:30": at most 23:59 from UTC. */
static bool
is_offset(const char *name)
{
	return strlen(name) == 6 && (name[0] == '+' || name[0] == '-') &&
	       is_digit(name[1]) && is_digit(name[2]) && name[3] == ':' &&
	       is_digit(name[4]) && is_digit(name[5]) && name[4] < '6' &&
	       (name[1] < '2' || (name[1] == '2' && name[2] < '4'));
}

/* GLib takes "ABC5" for a rule of its own; of such names there is no end. */
static bool
is_old_name(const char *name)
{
	static const char *const names[] = { "CST6CDT", "EST5EDT", "GMT+0",  "GMT-0",
					     "GMT0",    "MST7MDT", "PST8PDT" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* A name of the IANA data. They start with a capital; what else lies in the folder
 * ("leapseconds", "right/") does not. */
static bool
is_name(const char *name)
{
	static const char good[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789_+-/";

	if (!g_ascii_isupper(name[0]) || name[strspn(name, good)] != '\0')
		return false;
	if (strchr(name, '/') == NULL && strpbrk(name, "0123456789") != NULL)
		return is_old_name(name);
	return strstr(name, "//") == NULL && name[strlen(name) - 1] != '/';
}

static GTimeZone *
open_zone(const char *name)
{
	if (strlen(name) > NAME_MAX_LEN || !(is_offset(name) || is_name(name)))
		return NULL;
	return g_time_zone_new_identifier(name);
}

const struct zone *
zone_get(const char *name, struct err *err)
{
	static struct map *zones;
	struct zone *zone;
	GTimeZone *opened;

	if (zones == NULL)
		zones = map_new();
	zone = map_get(zones, name, strlen(name));
	if (zone != NULL)
		return zone;
	opened = open_zone(name);
	if (opened == NULL) {
		err_set(err, ERR_INPUT, "unknown time zone \"%s\"", name);
		return NULL;
	}
	zone = xcalloc(1, sizeof *zone);
	zone->zone = opened;
	map_put(zones, name, strlen(name), zone);
	return zone;
}

static int64_t
floor_div(int64_t value, int64_t unit)
{
	return value / unit - (value % unit < 0);
}

struct wall
zone_wall(const struct zone *zone, usec_t instant)
{
	int64_t seconds = floor_div(instant, USEC_SECOND);
	gint interval =
	    g_time_zone_find_interval(zone->zone, G_TIME_TYPE_UNIVERSAL, seconds);
	struct wall wall = { .usec = (int)(instant - seconds * USEC_SECOND) };
	int64_t local, days, rest;

	if (interval >= 0)
		wall.offset = g_time_zone_get_offset(zone->zone, interval);
	local = seconds + wall.offset;
	days = floor_div(local, 86400);
	rest = local - days * 86400;
	civil_date(days, &wall.year, &wall.month, &wall.day);
	wall.hour = (int)(rest / 3600);
	wall.minute = (int)(rest / 60 % 60);
	wall.second = (int)(rest % 60);
	wall.weekday =
	    (int)(days + 3 - 7 * floor_div(days + 3, 7)) + 1; /* a Thursday */
	wall.year_day = (int)(days - civil_days(wall.year, 1, 1)) + 1;
	return wall;
}

static gint
interval_at(const struct zone *zone, int64_t second)
{
	return g_time_zone_find_interval(zone->zone, G_TIME_TYPE_UNIVERSAL, second);
}

/* The second of the same interval that is farthest from this one, in steps that grow,
 * then shrink: GLib does not tell where an interval ends. */
static int64_t
farthest(const struct zone *zone, int64_t second, gint interval, int direction)
{
	int64_t step = SPAN_STEP, reach = 0;

	while (step <= SPAN_REACH &&
	       interval_at(zone, second + direction * (reach + step)) == interval) {
		reach += step;
		step *= 2;
	}
	if (step > SPAN_REACH)
		return direction < 0 ? INT64_MIN : INT64_MAX;
	for (; step > 0; step /= 2)
		if (interval_at(zone, second + direction * (reach + step)) == interval)
			reach += step;
	return second + direction * reach;
}

struct zone_span
zone_span(const struct zone *zone, int64_t second)
{
	struct zone_span span = { .start = INT64_MIN, .end = INT64_MAX };
	gint interval = interval_at(zone, second);

	span.start = farthest(zone, second, interval, -1);
	span.end = farthest(zone, second, interval, 1);
	if (span.end != INT64_MAX)
		span.end++;
	if (interval >= 0)
		span.offset = g_time_zone_get_offset(zone->zone, interval);
	return span;
}
