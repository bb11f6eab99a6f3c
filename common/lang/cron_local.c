/* A cron pattern against calendar and clock. See cron_local.h. */
#include "lang/cron_local.h"

#include "zone/zone.h"

#define DAY_SECONDS 86400

/* 0 Sunday .. 6 Saturday; 1970-01-01 was a Thursday. */
static int
weekday_of(int64_t day)
{
	int64_t rest = (day + 4) % 7;

	return (int)(rest < 0 ? rest + 7 : rest);
}

static int
month_len(int year, int month)
{
	int next_year = month == 12 ? year + 1 : year;
	int next_month = month == 12 ? 1 : month + 1;

	return (int)(civil_days(next_year, next_month, 1) - civil_days(year, month, 1));
}

/* The weekday nearest to a day, in the same month. */
static int
nearest_weekday(int day, int len, int weekday)
{
	if (weekday == 6)
		return day == 1 ? 3 : day - 1;
	if (weekday == 0)
		return day == len ? day - 2 : day + 1;
	return day;
}

/* By day of the month: L, 15W and plain days. */
static uint32_t
days_by_date(const struct cron *cron, int len, int first_weekday)
{
	int last_weekday = (first_weekday + len - 1) % 7;
	uint32_t days = cron->days;

	if (cron->last_day)
		days |= (uint32_t)1 << len;
	if (cron->last_weekday)
		days |= (uint32_t)1 << nearest_weekday(len, len, last_weekday);
	for (int day = 1; day <= len; day++)
		if (cron->near_days >> day & 1)
			days |= (uint32_t)1 << nearest_weekday(
				    day, len, (first_weekday + day - 1) % 7);
	return days;
}

static uint32_t
days_by_weekday(const struct cron *cron, int len, int first_weekday)
{
	uint32_t days = 0;

	for (int day = 1; day <= len; day++) {
		uint8_t nth = cron->weekdays[(first_weekday + day - 1) % 7];

		if (nth >> ((day - 1) / 7) & 1)
			days |= (uint32_t)1 << day;
		if (day + 7 > len && nth >> CRON_NTH_LAST & 1)
			days |= (uint32_t)1 << day;
	}
	return days;
}

/* The days of this month that the pattern names. */
static uint32_t
month_days(const struct cron *cron, int year, int month)
{
	int len, first;
	uint32_t dates, weekdays, all;

	if ((cron->months >> month & 1) == 0)
		return 0;
	len = month_len(year, month);
	first = weekday_of(civil_days(year, month, 1));
	all = (uint32_t)(((uint64_t)2 << len) - 2);
	dates = days_by_date(cron, len, first);
	weekdays = days_by_weekday(cron, len, first);
	if (cron->days_given && cron->weekdays_given)
		return all & (cron->both_days ? dates & weekdays : dates | weekdays);
	return all & (cron->days_given ? dates : weekdays);
}

static bool
year_in(const struct cron *cron, int year)
{
	return cron->every_year || (cron->years[year / 64] >> (year % 64) & 1);
}

/* Years of one kind have the same calendar: 7 first days, leap or not. */
static unsigned
year_kind(int year)
{
	int64_t first = civil_days(year, 1, 1);
	bool leap = civil_days(year + 1, 1, 1) - first == 366;

	return 1u << (weekday_of(first) + (leap ? 7 : 0));
}

/* The first named day of the year in this direction; from 0: of all the year. */
static bool
seek_in_year(const struct cron *cron, int year, int from_month, int from_day, int step,
	     int64_t *out)
{
	int month = from_month > 0 ? from_month : (step > 0 ? 1 : 12);

	for (; month >= 1 && month <= 12; month += step) {
		uint32_t days = month_days(cron, year, month);

		if (month == from_month)
			days &= step > 0 ? UINT32_MAX << from_day
					 : ((uint32_t)2 << from_day) - 1;
		if (days == 0)
			continue;
		*out = civil_days(year, month,
				  step > 0 ? __builtin_ctz(days)
					   : 31 - __builtin_clz(days));
		return true;
	}
	return false;
}

static bool
seek_day(const struct cron *cron, int64_t from, int step, int64_t *out)
{
	int64_t first = civil_days(1, 1, 1), last = civil_days(CRON_YEAR_MAX, 12, 31);
	int year, month, day;
	unsigned empty = 0;

	if (step > 0 && from < first)
		from = first;
	if (step < 0 && from > last)
		from = last;
	if (from < first || from > last)
		return false;
	civil_date(from, &year, &month, &day);
	if (year_in(cron, year) && seek_in_year(cron, year, month, day, step, out))
		return true;
	for (year += step; year >= 1 && year <= CRON_YEAR_MAX; year += step) {
		if (!year_in(cron, year) || (empty & year_kind(year)) != 0)
			continue;
		if (seek_in_year(cron, year, 0, 0, step, out))
			return true;
		empty |= year_kind(year);
	}
	return false;
}

/* The nearest member of the set from here in this direction, or -1. */
static int
seek_bit(uint64_t set, int from, int step)
{
	if (from < 0 || from > 63)
		return -1;
	set &= step > 0 ? UINT64_MAX << from : ((uint64_t)2 << from) - 1;
	if (set == 0)
		return -1;
	return step > 0 ? __builtin_ctzll(set) : 63 - __builtin_clzll(set);
}

static int
edge_bit(uint64_t set, int step)
{
	return seek_bit(set, step > 0 ? 0 : 63, step);
}

/* The same for seconds of a day. */
static int
seek_second(const struct cron *cron, int from, int step)
{
	int hour = from / 3600, minute = from / 60 % 60, second;
	int found = seek_bit(cron->hours, hour, step);

	if (found == hour) {
		if (seek_bit(cron->minutes, minute, step) == minute) {
			second = seek_bit(cron->seconds, from % 60, step);
			if (second >= 0)
				return hour * 3600 + minute * 60 + second;
		}
		minute = seek_bit(cron->minutes, minute + step, step);
		if (minute >= 0)
			return hour * 3600 + minute * 60 +
			       edge_bit(cron->seconds, step);
		found = seek_bit(cron->hours, hour + step, step);
	}
	if (found < 0)
		return -1;
	return found * 3600 + edge_bit(cron->minutes, step) * 60 +
	       edge_bit(cron->seconds, step);
}

bool
cron_local_seek(const struct cron *cron, int64_t from, int step, int64_t *out)
{
	int64_t today = from / DAY_SECONDS - (from % DAY_SECONDS < 0), day;
	int second;

	if (!seek_day(cron, today, step, &day))
		return false;
	if (day == today) {
		second = seek_second(cron, (int)(from - today * DAY_SECONDS), step);
		if (second >= 0) {
			*out = day * DAY_SECONDS + second;
			return true;
		}
		if (!seek_day(cron, today + step, step, &day))
			return false;
	}
	second = seek_second(cron, step > 0 ? 0 : DAY_SECONDS - 1, step);
	*out = day * DAY_SECONDS + second;
	return true;
}
