/* Schedules as people say them. See human_schedule.h. */
#include "lang/human_schedule.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define WORD_MAX     16
#define NUMBER_MAX   1000000
#define DAY_LAST     32 /* in a set of days of the month: the last */
#define YEARS_100    ((int64_t)36525 * 86400) /* what a duration may be */
#define ALL_WEEKDAYS 0x7fu

/* A word in lower case, a number, one other character, or the end. */
struct token {
	size_t place;
	char word[WORD_MAX]; /* empty: a number, or the end */
	int number;          /* -1: none */
};

struct reader {
	const char *text;
	size_t len, at;
	struct token token; /* the one ahead */
	uint32_t weekdays;  /* bit 0: Sunday; 0: not said */
	uint64_t days;      /* of the month; 0: not said */
	uint32_t hours;
	int minute; /* -1: not said */
	struct err *err;
};

enum unit {
	UNIT_SECOND,
	UNIT_MINUTE,
	UNIT_HOUR,
	UNIT_DAY,
	UNIT_WEEK,
	UNIT_MONTH,
	UNIT_YEAR,
	UNITS
};

/* clang-format off */
static const struct {
	const char *names[6];
	char letter;         /* of a duration; 0: has no fixed length */
	int seconds;
	int whole;           /* so many make the next unit */
	const char *pattern; /* for a step that divides it */
} units[UNITS] = {
	[UNIT_SECOND] = { { "second", "seconds", "sec", "secs", "s" }, 's', 1, 60, "*/%d * * * * *" },
	[UNIT_MINUTE] = { { "minute", "minutes", "min", "mins", "m" }, 'm', 60, 60, "*/%d * * * *" },
	[UNIT_HOUR]   = { { "hour", "hours", "hr", "hrs", "h" }, 'h', 3600, 24, "0 */%d * * *" },
	[UNIT_DAY]    = { { "day", "days", "d" }, 'd', 86400, 0, NULL },
	[UNIT_WEEK]   = { { "week", "weeks", "w" }, 'w', 604800, 0, NULL },
	[UNIT_MONTH]  = { { "month", "months" }, 0, 0, 0, NULL },
	[UNIT_YEAR]   = { { "year", "years" }, 0, 0, 0, NULL },
};

static const struct {
	const char *word;
	enum unit unit;
} adverbs[] = {
	{ "hourly", UNIT_HOUR },   { "daily", UNIT_DAY },   { "weekly", UNIT_WEEK },
	{ "monthly", UNIT_MONTH }, { "yearly", UNIT_YEAR }, { "annually", UNIT_YEAR },
};

static const struct {
	const char *word;
	uint32_t days;
} day_words[] = {
	{ "sunday", 1 },     { "monday", 2 },   { "tuesday", 4 },     { "wednesday", 8 },
	{ "thursday", 16 },  { "friday", 32 },  { "saturday", 64 },   { "sun", 1 },
	{ "mon", 2 },        { "tue", 4 },      { "tues", 4 },        { "wed", 8 },
	{ "thu", 16 },       { "thur", 16 },    { "thurs", 16 },      { "fri", 32 },
	{ "sat", 64 },       { "weekday", 62 }, { "weekend", 65 },    { "sundays", 1 },
	{ "mondays", 2 },    { "tuesdays", 4 }, { "wednesdays", 8 },  { "thursdays", 16 },
	{ "fridays", 32 },   { "saturdays", 64 }, { "weekdays", 62 }, { "weekends", 65 },
};
/* clang-format on */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
is_letter(char c)
{
	return lower(c) >= 'a' && lower(c) <= 'z';
}

static void
read_digits(struct reader *reader)
{
	reader->token.number = 0;
	for (; reader->at < reader->len && is_digit(reader->text[reader->at]);
	     reader->at++)
		if (reader->token.number < NUMBER_MAX)
			reader->token.number = reader->token.number * 10 +
					       (reader->text[reader->at] - '0');
}

static void
read_word(struct reader *reader)
{
	size_t count = 0;

	do {
		if (count < WORD_MAX - 1)
			reader->token.word[count++] = lower(reader->text[reader->at]);
		reader->at++;
	} while (is_letter(reader->text[reader->at - 1]) && reader->at < reader->len &&
		 is_letter(reader->text[reader->at]));
}

/* "9am" is a number and a word, as "1st" is. */
static void
advance(struct reader *reader)
{
	while (reader->at < reader->len &&
	       (reader->text[reader->at] == ' ' || reader->text[reader->at] == '\t'))
		reader->at++;
	reader->token = (struct token){ .place = reader->at, .number = -1 };
	if (reader->at == reader->len)
		return;
	if (is_digit(reader->text[reader->at]))
		read_digits(reader);
	else
		read_word(reader);
}

static bool
ahead(const struct reader *reader, const char *word)
{
	return strcmp(reader->token.word, word) == 0;
}

static bool
take(struct reader *reader, const char *word)
{
	if (reader->token.word[0] == '\0' || !ahead(reader, word))
		return false;
	advance(reader);
	return true;
}

static bool
at_end(const struct reader *reader)
{
	return reader->token.place == reader->len;
}

static int
refuse(struct reader *reader, const char *expected)
{
	return err_set(reader->err, ERR_INPUT, "at character %zu: expected %s",
		       reader->token.place + 1, expected);
}

static bool
take_joint(struct reader *reader)
{
	bool comma = take(reader, ",");

	return take(reader, "and") || comma;
}

static bool
take_unit(struct reader *reader, enum unit *unit)
{
	for (int i = 0; i < UNITS; i++)
		for (int j = 0; units[i].names[j] != NULL; j++)
			if (take(reader, units[i].names[j])) {
				*unit = (enum unit)i;
				return true;
			}
	return false;
}

static bool
take_adverb(struct reader *reader, enum unit *unit)
{
	for (size_t i = 0; i < sizeof adverbs / sizeof adverbs[0]; i++)
		if (take(reader, adverbs[i].word)) {
			*unit = adverbs[i].unit;
			return true;
		}
	return false;
}

static bool
take_weekday(struct reader *reader)
{
	for (size_t i = 0; i < sizeof day_words / sizeof day_words[0]; i++)
		if (take(reader, day_words[i].word)) {
			reader->weekdays |= day_words[i].days;
			return true;
		}
	return false;
}

static int
read_weekdays(struct reader *reader)
{
	do {
		take(reader, "every");
		if (!take_weekday(reader))
			return refuse(reader, "a day of the week");
	} while (take_joint(reader));
	return 0;
}

static int
read_month_days(struct reader *reader)
{
	static const char *const endings[] = { "st", "nd", "rd", "th" };

	do {
		take(reader, "the");
		if (take(reader, "last")) {
			take(reader, "day");
			reader->days |= (uint64_t)1 << DAY_LAST;
			continue;
		}
		if (reader->token.number < 1 || reader->token.number > 31)
			return refuse(reader, "a day of the month, 1 to 31, or last");
		reader->days |= (uint64_t)1 << reader->token.number;
		advance(reader);
		for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
			if (take(reader, endings[i]))
				break;
	} while (take_joint(reader));
	return 0;
}

/* 12-hour times; the hour is 0 to 23 here. */
static int
read_half(struct reader *reader, size_t place, int *hour)
{
	bool am = ahead(reader, "am"), pm = ahead(reader, "pm");

	if (!am && !pm)
		return 0;
	if (*hour < 1 || *hour > 12) {
		reader->token.place = place;
		return refuse(reader, "an hour from 1 to 12 with am or pm");
	}
	*hour = *hour % 12 + (pm ? 12 : 0);
	advance(reader);
	return 0;
}

/* "9", "9am", "18:30", "6:30 pm", "noon", "midnight". */
static int
read_time(struct reader *reader)
{
	size_t place = reader->token.place;
	int hour = reader->token.number, minute = 0;

	if (take(reader, "midnight")) {
		hour = 0;
	} else if (take(reader, "noon")) {
		hour = 12;
	} else {
		if (hour < 0 || hour > 23)
			return refuse(reader, "a time: 9, 9am, 18:30, noon, midnight");
		advance(reader);
		if (take(reader, ":")) {
			minute = reader->token.number;
			if (minute < 0 || minute > 59 ||
			    reader->at - reader->token.place != 2)
				return refuse(reader, "minutes, 00 to 59");
			advance(reader);
		}
		if (read_half(reader, place, &hour) < 0)
			return -1;
	}
	if (reader->minute >= 0 && reader->minute != minute) {
		reader->token.place = place;
		return refuse(reader, "the same minute in all times: others are a "
				      "schedule of their own");
	}
	reader->minute = minute;
	reader->hours |= (uint32_t)1 << hour;
	return 0;
}

/* "at 9 and 17"; without: midnight. */
static int
read_times(struct reader *reader)
{
	if (!take(reader, "at")) {
		if (!at_end(reader))
			return refuse(reader, "\"at\" and a time, or the end");
		reader->minute = 0;
		reader->hours = 1;
		return 0;
	}
	do {
		if (read_time(reader) < 0)
			return -1;
	} while (take_joint(reader));
	return at_end(reader) ? 0 : refuse(reader, "the end");
}

/* Appends "1,15,L" or "*". */
static void
put_set(char *out, uint64_t set)
{
	size_t used = strlen(out);
	const char *before = " ";

	if (set == 0)
		snprintf(out + used, HUMAN_SCHEDULE_SIZE - used, " *");
	for (int i = 0; i <= DAY_LAST; i++) {
		if ((set >> i & 1) == 0)
			continue;
		used = strlen(out);
		if (i == DAY_LAST)
			snprintf(out + used, HUMAN_SCHEDULE_SIZE - used, "%sL", before);
		else
			snprintf(out + used, HUMAN_SCHEDULE_SIZE - used, "%s%d", before,
				 i);
		before = ",";
	}
}

static void
put_pattern(const struct reader *reader, bool yearly, char *out)
{
	uint32_t weekdays = reader->weekdays == ALL_WEEKDAYS ? 0 : reader->weekdays;

	snprintf(out, HUMAN_SCHEDULE_SIZE, "%d", reader->minute);
	put_set(out, reader->hours);
	put_set(out, reader->days);
	put_set(out, yearly ? 2 : 0);
	put_set(out, weekdays);
}

/* "every 5 minutes": a pattern where it divides the hour or day, else elapsed time. */
static int
read_interval(struct reader *reader, char *out)
{
	int number = reader->token.number;
	enum unit unit;
	size_t place;

	if (number < 1 || number >= NUMBER_MAX)
		return refuse(reader, "a number from 1 to 999999");
	advance(reader);
	place = reader->token.place;
	if (!take_unit(reader, &unit) || units[unit].letter == 0) {
		reader->token.place = place;
		return refuse(reader, "seconds, minutes, hours, days or weeks");
	}
	if (!at_end(reader))
		return refuse(reader, "the end");
	if (number < units[unit].whole && units[unit].whole % number == 0) {
		snprintf(out, HUMAN_SCHEDULE_SIZE, units[unit].pattern, number);
		return 0;
	}
	if (unit == UNIT_DAY && number == 1)
		return snprintf(out, HUMAN_SCHEDULE_SIZE, "0 0 * * *") > 0 ? 0 : -1;
	if ((int64_t)number * units[unit].seconds > YEARS_100) {
		reader->token.place = place;
		return refuse(reader, "less than 100 years");
	}
	snprintf(out, HUMAN_SCHEDULE_SIZE, "@every %d%c", number, units[unit].letter);
	return 0;
}

/* "every day at 9", "weekly on monday", "monthly on the 1st and 15th at noon". */
static int
read_calendar(struct reader *reader, enum unit unit, char *out)
{
	int done = 0;

	if (unit == UNIT_WEEK) {
		if (take(reader, "on"))
			done = read_weekdays(reader);
		else
			reader->weekdays = 1; /* as @weekly */
	} else if (unit == UNIT_MONTH) {
		if (take(reader, "on"))
			done = read_month_days(reader);
		else
			reader->days = 2;
	} else if (unit == UNIT_YEAR) {
		reader->days = 2;
	}
	if (done < 0 || read_times(reader) < 0)
		return -1;
	put_pattern(reader, unit == UNIT_YEAR, out);
	return 0;
}

static int
read_unit(struct reader *reader, enum unit unit, char *out)
{
	static const char *const small[] = { "* * * * * *", "* * * * *", "0 * * * *" };

	if (unit > UNIT_HOUR)
		return read_calendar(reader, unit, out);
	if (!at_end(reader))
		return refuse(reader, "the end");
	snprintf(out, HUMAN_SCHEDULE_SIZE, "%s", small[unit]);
	return 0;
}

int
human_schedule(const char *text, size_t len, char out[static HUMAN_SCHEDULE_SIZE],
	       struct err *err)
{
	struct reader reader = { .text = text, .len = len, .minute = -1, .err = err };
	enum unit unit;
	bool every;

	advance(&reader);
	if (take_adverb(&reader, &unit))
		return read_unit(&reader, unit, out);
	every = take(&reader, "every");
	if (every && reader.token.number >= 0)
		return read_interval(&reader, out);
	if (every && take_unit(&reader, &unit))
		return read_unit(&reader, unit, out);
	if (!take_weekday(&reader))
		return refuse(&reader, every
					   ? "a number, a unit of time or a day"
					   : "\"every ...\", \"daily\", \"weekdays\", "
					     "a day, or a cron pattern");
	if (take_joint(&reader) && read_weekdays(&reader) < 0)
		return -1;
	if (read_times(&reader) < 0)
		return -1;
	put_pattern(&reader, false, out);
	return 0;
}
