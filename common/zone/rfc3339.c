/*
 * Instants as RFC 3339 text. Reads any offset, "T" and "Z" also in lower case, a space
 * for the "T", and any number of digits behind the second (cut to microseconds); a leap
 * second reads as the second after it. Writes UTC. Years 0000 to 9999.
 */
#include <stdio.h>
#include <string.h>

#include "zone/zone.h"

#define YEAR_0     (-62167219200 * USEC_SECOND)
#define YEAR_10000 (253402300800 * USEC_SECOND)

struct reader {
	const char *text;
	size_t len, at;
};

/* Exactly count digits within limits, or -1. */
static int
read_digits(struct reader *reader, size_t count, int least, int most)
{
	int value = 0;
	char c;

	if (reader->len - reader->at < count)
		return -1;
	for (size_t i = 0; i < count; i++) {
		c = reader->text[reader->at++];
		if (c < '0' || c > '9')
			return -1;
		value = value * 10 + (c - '0');
	}
	return value < least || value > most ? -1 : value;
}

static bool
read_one_of(struct reader *reader, const char *set)
{
	char c = reader->at < reader->len ? reader->text[reader->at] : '\0';

	if (c == '\0' || strchr(set, c) == NULL)
		return false;
	reader->at++;
	return true;
}

static bool
day_exists(int year, int month, int day)
{
	int next_year = month == 12 ? year + 1 : year;
	int next_month = month == 12 ? 1 : month + 1;

	return day <= civil_days(next_year, next_month, 1) - civil_days(year, month, 1);
}

static bool
read_date(struct reader *reader, int64_t *days)
{
	int year, month, day;

	year = read_digits(reader, 4, 0, 9999);
	if (year < 0 || !read_one_of(reader, "-"))
		return false;
	month = read_digits(reader, 2, 1, 12);
	if (month < 0 || !read_one_of(reader, "-"))
		return false;
	day = read_digits(reader, 2, 1, 31);
	if (day < 0 || !day_exists(year, month, day))
		return false;
	*days = civil_days(year, month, day);
	return true;
}

/* The digits behind the point in microseconds; -1 when there are none. */
static int
read_fraction(struct reader *reader)
{
	int value = 0, unit = 100000;
	size_t start = reader->at;

	while (reader->at < reader->len && reader->text[reader->at] >= '0' &&
	       reader->text[reader->at] <= '9') {
		value += (reader->text[reader->at++] - '0') * unit;
		unit /= 10;
	}
	return reader->at == start ? -1 : value;
}

static bool
read_time(struct reader *reader, usec_t *out)
{
	int hour, minute, second, fraction = 0;

	hour = read_digits(reader, 2, 0, 23);
	if (hour < 0 || !read_one_of(reader, ":"))
		return false;
	minute = read_digits(reader, 2, 0, 59);
	if (minute < 0 || !read_one_of(reader, ":"))
		return false;
	second = read_digits(reader, 2, 0, 60);
	if (second < 0)
		return false;
	if (read_one_of(reader, "."))
		fraction = read_fraction(reader);
	if (fraction < 0)
		return false;
	*out = (hour * 3600 + minute * 60 + second) * USEC_SECOND + fraction;
	return true;
}

/* Seconds east of UTC. */
static bool
read_offset(struct reader *reader, int *out)
{
	int hours, minutes;
	bool west;

	*out = 0;
	if (read_one_of(reader, "Zz"))
		return true;
	west = reader->at < reader->len && reader->text[reader->at] == '-';
	if (!read_one_of(reader, "+-"))
		return false;
	hours = read_digits(reader, 2, 0, 23);
	if (hours < 0 || !read_one_of(reader, ":"))
		return false;
	minutes = read_digits(reader, 2, 0, 59);
	if (minutes < 0)
		return false;
	*out = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
	return true;
}

bool
rfc3339_parse(const char *text, size_t len, usec_t *out)
{
	struct reader reader = { .text = text, .len = len };
	int64_t days;
	usec_t time;
	int offset;

	if (!read_date(&reader, &days) || !read_one_of(&reader, "Tt ") ||
	    !read_time(&reader, &time) || !read_offset(&reader, &offset) ||
	    reader.at != len)
		return false;
	time += days * 86400 * USEC_SECOND - offset * USEC_SECOND;
	if (time < YEAR_0 || time >= YEAR_10000)
		return false; /* an offset leads out of what can be written */
	*out = time;
	return true;
}

/* Splits with a remainder that is never negative. */
static int64_t
floor_split(int64_t value, int64_t unit, int64_t *rest)
{
	int64_t whole = value / unit;

	*rest = value % unit;
	if (*rest < 0) {
		*rest += unit;
		whole--;
	}
	return whole;
}

char *
rfc3339_format(usec_t instant, char out[static 40])
{
	int64_t rest, usec, days = floor_split(instant, 86400 * USEC_SECOND, &rest);
	int64_t second = floor_split(rest, USEC_SECOND, &usec);
	int year, month, day;
	int len;

	civil_date(days, &year, &month, &day);
	len =
	    snprintf(out, 40, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day,
		     (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60));
	if (usec % 1000 != 0)
		len += snprintf(out + len, 40 - (size_t)len, ".%06d", (int)usec);
	else if (usec != 0)
		len +=
		    snprintf(out + len, 40 - (size_t)len, ".%03d", (int)(usec / 1000));
	snprintf(out + len, 40 - (size_t)len, "Z");
	return out;
}
