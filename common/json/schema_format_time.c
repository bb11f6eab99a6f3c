/* Dates, times and durations of RFC 3339. */
#include <string.h>

#include "json/schema_format.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Two digits at text, or -1. */
static int
two_digits(const char *text)
{
	if (!is_digit(text[0]) || !is_digit(text[1]))
		return -1;
	return (text[0] - '0') * 10 + (text[1] - '0');
}

static int
days_of(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

bool
schema_format_date(const char *text, size_t len)
{
	int century, year, month, day;

	if (len != 10 || text[4] != '-' || text[7] != '-')
		return false;
	century = two_digits(text);
	year = two_digits(text + 2);
	month = two_digits(text + 5);
	day = two_digits(text + 8);
	if (century < 0 || year < 0 || month < 1 || month > 12 || day < 1)
		return false;
	return day <= days_of(century * 100 + year, month);
}

/* "Z" or "+01:30": minutes east of Greenwich. */
static bool
read_offset(const char *text, size_t len, int *minutes)
{
	int hour, minute;

	*minutes = 0;
	if (len == 1)
		return text[0] == 'Z' || text[0] == 'z';
	if (len != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':')
		return false;
	hour = two_digits(text + 1);
	minute = two_digits(text + 4);
	*minutes = (hour * 60 + minute) * (text[0] == '-' ? -1 : 1);
	return hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59;
}

/* A leap second is the last one of a day in Greenwich. */
bool
schema_format_time(const char *text, size_t len)
{
	int hour, minute, second, offset, utc;
	size_t at = 8;

	if (len < 9 || text[2] != ':' || text[5] != ':')
		return false;
	hour = two_digits(text);
	minute = two_digits(text + 3);
	second = two_digits(text + 6);
	if (text[at] == '.') {
		at++;
		while (at < len && is_digit(text[at]))
			at++;
		if (at == 9)
			return false;
	}
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
	    second > 60 || !read_offset(text + at, len - at, &offset))
		return false;
	utc = (hour * 60 + minute - offset + 2 * 1440) % 1440;
	return second < 60 || utc == 23 * 60 + 59;
}

bool
schema_format_date_time(const char *text, size_t len)
{
	return len > 11 && (text[10] == 'T' || text[10] == 't') &&
	       schema_format_date(text, 10) && schema_format_time(text + 11, len - 11);
}

/* Numbers with units in the order of units, no unit left out between two. Returns how
 * much was read. */
static size_t
read_units(const char *text, size_t len, const char *units)
{
	const char *last = NULL;
	size_t at = 0;

	while (at < len && is_digit(text[at])) {
		size_t end = at;
		const char *unit;

		while (end < len && is_digit(text[end]))
			end++;
		if (end == len || text[end] == '\0')
			return 0;
		unit = strchr(units, text[end]);
		if (unit == NULL || (last != NULL && unit != last + 1))
			return 0;
		last = unit;
		at = end + 1;
	}
	return at;
}

bool
schema_format_duration(const char *text, size_t len)
{
	size_t at, part;

	if (len < 3 || text[0] != 'P')
		return false;
	if (read_units(text + 1, len - 1, "W") == len - 1)
		return strchr(text, 'W') == text + len - 1;
	at = 1 + read_units(text + 1, len - 1, "YMD");
	if (at == len)
		return true;
	if (text[at] != 'T')
		return false;
	part = read_units(text + at + 1, len - at - 1, "HMS");
	return part > 0 && at + 1 + part == len;
}
