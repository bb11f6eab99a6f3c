/* What timestamps and durations are asked for: getHours(), getFullYear("Asia/Tokyo").
 */
#include <stdio.h>
#include <string.h>

#include "lang/cel_function.h"
#include "lang/cel_node.h"
#include "lang/cel_time.h"
#include "zone/zone.h"

#define NANOS_MS     ((int64_t)1000000)
#define NANOS_SECOND ((int64_t)1000000000)

/* "+02:00", "-02:30", and "02:00", which CEL takes too: seconds east of UTC. */
static bool
read_offset(const char *name, int *out)
{
	int hours, minutes, len = 0;
	bool west = *name == '-';

	if (*name == '+' || *name == '-')
		name++;
	if (strlen(name) != 5 || strspn(name, "0123456789") != 2 ||
	    strspn(name + 3, "0123456789") != 2 ||
	    sscanf(name, "%2d:%2d%n", &hours, &minutes, &len) != 2 || len != 5 ||
	    hours > 23 || minutes > 59)
		return false;
	*out = (hours * 60 + minutes) * (west ? -60 : 60);
	return true;
}

/* How far the wall clock is from UTC at that moment. */
static bool
find_offset(const struct cel_time *time, const struct cel_text *name, int *out)
{
	const struct zone *zone;
	struct err err = { 0 };
	char copy[65];

	*out = 0;
	if (name->len == 0 || name->len >= sizeof copy ||
	    memchr(name->data, '\0', name->len) != NULL)
		return false;
	memcpy(copy, name->data, name->len);
	copy[name->len] = '\0';
	if (strcmp(copy, "UTC") == 0 || read_offset(copy, out))
		return true;
	zone = zone_get(copy, &err);
	if (zone == NULL)
		return false;
	*out = zone_wall(zone, time->seconds * USEC_SECOND).offset;
	return true;
}

enum part {
	YEAR,
	MONTH,
	DATE,
	DAY_OF_MONTH,
	DAY_OF_WEEK,
	DAY_OF_YEAR,
	HOURS,
	MINUTES,
	SECONDS,
	MILLISECONDS
};

static int64_t
part_of(const struct cel_time *time, int offset, enum part part)
{
	int64_t local = time->seconds + offset;
	int64_t days = local / 86400 - (local % 86400 < 0);
	int64_t rest = local - days * 86400;
	int year, month, day;

	civil_date(days, &year, &month, &day);
	switch (part) {
	case YEAR:
		return year;
	case MONTH:
		return month - 1;
	case DATE:
		return day;
	case DAY_OF_MONTH:
		return day - 1;
	case DAY_OF_WEEK:
		return ((days + 4) % 7 + 7) % 7; /* the first of 1970 was a Thursday */
	case DAY_OF_YEAR:
		return days - civil_days(year, 1, 1);
	case HOURS:
		return rest / 3600;
	case MINUTES:
		return rest / 60 % 60;
	case SECONDS:
		return rest % 60;
	default:
		return time->nanos / NANOS_MS;
	}
}

static struct cel_value
fn_timestamp_part(struct cel_run *run, const struct cel_value *args, size_t count)
{
	char shown[80];
	int offset = 0;

	if (args[0].kind != CEL_TIMESTAMP || (count == 2 && args[1].kind != CEL_STRING))
		return cel_no_overload(run, args, count);
	if (!cel_spend(run, count * 10))
		return cel_spent(run);
	if (count == 2 && !find_offset(&args[0].time, &args[1].text, &offset))
		return cel_fail(run,
				"unknown time zone %s; write \"Europe/Berlin\" or "
				"\"+02:00\"",
				cel_show(&args[1], shown, sizeof shown));
	return cel_int(
	    part_of(&args[0].time, offset, (enum part)run->node->function->detail));
}

/* Of a duration: all of it in that unit, but of milliseconds what is behind the
 * seconds. */
static struct cel_value
fn_either_part(struct cel_run *run, const struct cel_value *args, size_t count)
{
	int64_t nanos = args[0].integer;

	if (args[0].kind != CEL_DURATION || count != 1)
		return fn_timestamp_part(run, args, count);
	switch ((enum part)run->node->function->detail) {
	case HOURS:
		return cel_int(nanos / (3600 * NANOS_SECOND));
	case MINUTES:
		return cel_int(nanos / (60 * NANOS_SECOND));
	case SECONDS:
		return cel_int(nanos / NANOS_SECOND);
	default:
		return cel_int(nanos / NANOS_MS % 1000);
	}
}

#define OF_TIMESTAMP(name, part)                                                       \
	{                                                                              \
		name, false, true, 1, 2, fn_timestamp_part,                            \
		    "timestamp." name "(zone)", part                                   \
	}
#define OF_EITHER(name, part)                                                          \
	{                                                                              \
		name, false, true, 1, 2, fn_either_part,                               \
		    "timestamp." name "(zone) or duration." name "()", part            \
	}

const struct cel_function cel_time_functions[] = {
	OF_TIMESTAMP("getFullYear", YEAR),
	OF_TIMESTAMP("getMonth", MONTH),
	OF_TIMESTAMP("getDate", DATE),
	OF_TIMESTAMP("getDayOfMonth", DAY_OF_MONTH),
	OF_TIMESTAMP("getDayOfWeek", DAY_OF_WEEK),
	OF_TIMESTAMP("getDayOfYear", DAY_OF_YEAR),
	OF_EITHER("getHours", HOURS),
	OF_EITHER("getMinutes", MINUTES),
	OF_EITHER("getSeconds", SECONDS),
	OF_EITHER("getMilliseconds", MILLISECONDS),
	{ 0 },
};
