/* Active hours. See active_hours.h. */
#include "lang/active_hours.h"

#define DAY_MINUTES (24 * 60)

/* Two digits, or -1. */
static int
two_digits(const char *text)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return -1;
	return (text[0] - '0') * 10 + (text[1] - '0');
}

int
active_hours_time(const char *text, size_t len, bool end, int *out, struct err *err)
{
	int hour, minute, time;

	if (len != 5 || text[2] != ':')
		return err_set(err, ERR_INPUT, "expected HH:MM");
	hour = two_digits(text);
	minute = two_digits(text + 3);
	time = hour * 60 + minute;
	if (hour < 0 || minute < 0 || minute > 59 ||
	    time >= DAY_MINUTES + (end ? 1 : 0))
		return err_set(err, ERR_INPUT, "expected HH:MM, 00:00 to %s",
			       end ? "24:00" : "23:59");
	*out = time;
	return 0;
}

int
active_hours_day(struct active_hours *hours, int64_t day, struct err *err)
{
	if (day < 0 || day > 7)
		return err_set(err, ERR_INPUT,
			       "expected days 1 (Monday) to 7 (Sunday), got %lld",
			       (long long)day);
	hours->days |= (uint8_t)(1u << (day == 0 ? 7 : day));
	return 0;
}

static bool
starts_on(const struct active_hours *hours, int weekday)
{
	return hours->days >> weekday & 1;
}

bool
active_hours_open(const struct active_hours *hours, const struct wall *wall)
{
	int minute = wall->hour * 60 + wall->minute;
	int yesterday = wall->weekday == 1 ? 7 : wall->weekday - 1;

	if (hours->start < hours->end)
		return minute >= hours->start && minute < hours->end &&
		       starts_on(hours, wall->weekday);
	if (minute >= hours->start && starts_on(hours, wall->weekday))
		return true;
	return minute < hours->end && starts_on(hours, yesterday);
}
