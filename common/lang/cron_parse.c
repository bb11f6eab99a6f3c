/* Cron patterns as text. See cron_parse.h. */
#include "lang/cron_parse.h"

#include <string.h>

#include "base/duration.h"
#include "lang/human_schedule.h"

enum field_kind {
	FIELD_SECOND,
	FIELD_MINUTE,
	FIELD_HOUR,
	FIELD_DAY,
	FIELD_MONTH,
	FIELD_WEEKDAY,
	FIELD_YEAR,
	FIELDS
};

struct field {
	const char *name;
	int min, max;
	int step_from;     /* where the steps of a star begin */
	int step_max;      /* a longer step is a slip */
	const char *names; /* three letters each, for min and up; or NULL */
};

/* clang-format off */
static const struct field fields[FIELDS] = {
	[FIELD_SECOND]  = { "second", 0, 59, 0, 60, NULL },
	[FIELD_MINUTE]  = { "minute", 0, 59, 0, 60, NULL },
	[FIELD_HOUR]    = { "hour", 0, 23, 0, 24, NULL },
	[FIELD_DAY]     = { "day of the month", 1, 31, 1, 31, NULL },
	[FIELD_MONTH]   = { "month", 1, 12, 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec" },
	[FIELD_WEEKDAY] = { "day of the week", 0, 7, 0, 7, "sunmontuewedthufrisat" },
	[FIELD_YEAR]    = { "year", 1, CRON_YEAR_MAX, 0, CRON_YEAR_MAX, NULL },
};

static const struct {
	const char *name, *pattern;
} nicknames[] = {
	{ "@yearly", "0 0 1 1 *" },  { "@annually", "0 0 1 1 *" },
	{ "@monthly", "0 0 1 * *" }, { "@weekly", "0 0 * * 0" },
	{ "@daily", "0 0 * * *" },   { "@midnight", "0 0 * * *" },
	{ "@hourly", "0 * * * *" },
};
/* clang-format on */

struct reader {
	const char *text;
	size_t len, at;
	enum field_kind kind;
	struct cron *cron;
	struct err *err;
};

/* One item of a list: from, from-to, each with /step. */
struct item {
	int from, to, step;
	bool star, single; /* of one value; a star is no single */
};

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return lower(c) >= 'a' && lower(c) <= 'z';
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* The character ahead in lower case; NUL at the end of the text. */
static char
peek(const struct reader *reader)
{
	return reader->at < reader->len ? lower(reader->text[reader->at]) : '\0';
}

static bool
take(struct reader *reader, char c)
{
	if (peek(reader) != c)
		return false;
	reader->at++;
	return true;
}

static bool
at_field_end(const struct reader *reader)
{
	return reader->at >= reader->len || is_space(reader->text[reader->at]);
}

#define refuse(reader, place, format, ...)                                             \
	err_set((reader)->err, ERR_INPUT, "at character %zu: " format, (place) + 1,    \
		__VA_ARGS__)

/* What stands there is not what fits. */
static int
refuse_here(struct reader *reader, const char *expected)
{
	const char *field = fields[reader->kind].name;
	char c = reader->at < reader->len ? reader->text[reader->at] : ' ';

	if (is_space(c))
		return refuse(reader, reader->at, "%s: expected %s", field, expected);
	if (c > ' ' && c < 0x7f)
		return refuse(reader, reader->at, "%s: expected %s, found \"%c\"",
			      field, expected, c);
	return refuse(reader, reader->at, "%s: expected %s, found byte 0x%02x", field,
		      expected, (unsigned char)c);
}

/* The digits ahead; what is past all limits stays so. */
static void
read_number(struct reader *reader, int *out)
{
	int value = 0;

	for (; is_digit(peek(reader)); reader->at++)
		if (value <= CRON_YEAR_MAX)
			value = value * 10 + (peek(reader) - '0');
	*out = value;
}

/* "jan": three letters of the table. */
static int
read_name(struct reader *reader, int *out)
{
	const struct field *field = &fields[reader->kind];
	size_t place = reader->at, left = reader->len - reader->at;

	for (size_t i = 0; left >= 3 && field->names != NULL && field->names[i] != '\0';
	     i += 3) {
		if (lower(reader->text[place]) != field->names[i] ||
		    lower(reader->text[place + 1]) != field->names[i + 1] ||
		    lower(reader->text[place + 2]) != field->names[i + 2])
			continue;
		reader->at += 3;
		*out = field->min + (int)(i / 3);
		return 0;
	}
	return refuse_here(reader, field->names != NULL ? "a number or a name of "
							  "three letters"
							: "a number or *");
}

static int
read_value(struct reader *reader, int *out)
{
	const struct field *field = &fields[reader->kind];
	size_t place = reader->at;

	if (!is_digit(peek(reader)))
		return read_name(reader, out);
	read_number(reader, out);
	if (*out < field->min)
		return refuse(reader, place, "%s %d is less than %d", field->name, *out,
			      field->min);
	if (*out > field->max)
		return refuse(reader, place, "%s %d is more than %d", field->name, *out,
			      field->max);
	return 0;
}

static int
read_step(struct reader *reader, struct item *item)
{
	const struct field *field = &fields[reader->kind];
	size_t place = reader->at;

	if (!take(reader, '/'))
		return 0;
	if (item->single)
		return refuse(reader, place,
			      "%s: a step goes with a range: write %d-%d/... or */...",
			      field->name, item->from, field->max);
	place = reader->at;
	if (!is_digit(peek(reader)))
		return refuse_here(reader, "the number of a step");
	read_number(reader, &item->step);
	if (item->step == 0)
		return refuse(reader, place, "%s: a step of 0 leads nowhere",
			      field->name);
	if (item->step > field->step_max)
		return refuse(reader, place, "%s: a step of %d is more than %d",
			      field->name, item->step, field->step_max);
	return 0;
}

static int
read_range(struct reader *reader, struct item *item)
{
	const struct field *field = &fields[reader->kind];
	size_t place = reader->at, end;

	if (read_value(reader, &item->from) < 0)
		return -1;
	item->to = item->from;
	item->single = true;
	if (!take(reader, '-'))
		return 0;
	item->single = false;
	end = reader->at;
	if (read_value(reader, &item->to) < 0)
		return -1;
	if (reader->kind == FIELD_WEEKDAY && item->to == 0 &&
	    is_letter(reader->text[end]))
		item->to = 7; /* MON-SUN */
	if (item->from > item->to)
		return refuse(reader, place, "%s: %d-%d goes backwards", field->name,
			      item->from, item->to);
	return 0;
}

static int
read_item(struct reader *reader, struct item *item)
{
	const struct field *field = &fields[reader->kind];
	bool day = reader->kind == FIELD_DAY || reader->kind == FIELD_WEEKDAY;

	*item = (struct item){ .step = 1 };
	if (peek(reader) == '?' && !day)
		return refuse(reader, reader->at, "%s: ? stands for days only, write *",
			      field->name);
	if (take(reader, '*') || take(reader, '?')) {
		item->star = true;
		item->from = field->step_from;
		item->to = reader->kind == FIELD_WEEKDAY ? 6 : field->max;
	} else if (read_range(reader, item) < 0) {
		return -1;
	}
	if ((item->star || item->step > 1 || peek(reader) == '/') &&
	    (reader->kind == FIELD_HOUR || reader->kind == FIELD_MINUTE))
		reader->cron->follows_elapsed = true;
	return read_step(reader, item);
}

static void
add(struct cron *cron, enum field_kind kind, int value, uint8_t nth)
{
	uint64_t bit = (uint64_t)1 << (value & 63);

	if (kind == FIELD_SECOND)
		cron->seconds |= bit;
	else if (kind == FIELD_MINUTE)
		cron->minutes |= bit;
	else if (kind == FIELD_HOUR)
		cron->hours |= bit;
	else if (kind == FIELD_DAY)
		cron->days |= (uint32_t)bit;
	else if (kind == FIELD_MONTH)
		cron->months |= bit;
	else if (kind == FIELD_WEEKDAY)
		cron->weekdays[value % 7] |= nth;
	else
		cron->years[value / 64] |= bit;
}

/* Which of the weekdays of a month: "#2", "#L", "L", or all. */
static int
read_nth(struct reader *reader, const struct item *item, uint8_t *nth)
{
	size_t place = reader->at;
	int number;

	*nth = CRON_NTH_ALL;
	if (peek(reader) != '#' && peek(reader) != 'l')
		return 0;
	if (item->star && item->step == 1)
		return refuse(reader, place, "day of the week: %c needs a day, not *",
			      reader->text[place]);
	if (take(reader, 'l') || (take(reader, '#') && take(reader, 'l'))) {
		*nth = 1 << CRON_NTH_LAST;
		return 0;
	}
	if (!is_digit(peek(reader)))
		return refuse_here(reader, "1 to 5 or L behind #");
	place = reader->at;
	read_number(reader, &number);
	if (number < 1 || number > 5)
		return refuse(reader, place,
			      "day of the week: #%d: a month has 1 to 5 of each",
			      number);
	*nth = (uint8_t)(1 << (number - 1));
	return 0;
}

/* L and LW; false: it is neither. */
static bool
read_last(struct reader *reader)
{
	if (reader->kind != FIELD_DAY || !take(reader, 'l'))
		return false;
	if (take(reader, 'w'))
		reader->cron->last_weekday = true;
	else
		reader->cron->last_day = true;
	return true;
}

static int
read_list_item(struct reader *reader)
{
	uint8_t nth = CRON_NTH_ALL;
	struct item item;

	if (read_last(reader))
		return 0;
	if (read_item(reader, &item) < 0)
		return -1;
	if (reader->kind == FIELD_DAY && peek(reader) == 'w') {
		if (!item.single)
			return refuse(reader, reader->at, "%s: W goes with one day",
				      fields[FIELD_DAY].name);
		reader->at++;
		reader->cron->near_days |= (uint32_t)1 << item.from;
		return 0;
	}
	if (reader->kind == FIELD_WEEKDAY && read_nth(reader, &item, &nth) < 0)
		return -1;
	for (int value = item.from; value <= item.to; value += item.step)
		add(reader->cron, reader->kind, value, nth);
	return 0;
}

static int
read_field(struct reader *reader)
{
	size_t start;
	bool star;

	if (reader->kind == FIELD_WEEKDAY && take(reader, '+'))
		reader->cron->both_days = true;
	start = reader->at;
	do {
		if (read_list_item(reader) < 0)
			return -1;
	} while (take(reader, ','));
	if (!at_field_end(reader))
		return refuse_here(reader, "a space or a comma");
	star = reader->at == start + 1 &&
	       (reader->text[start] == '*' || reader->text[start] == '?');
	if (reader->kind == FIELD_DAY)
		reader->cron->days_given = !star;
	else if (reader->kind == FIELD_WEEKDAY)
		reader->cron->weekdays_given = !star;
	else if (reader->kind == FIELD_YEAR)
		reader->cron->every_year = star;
	return 0;
}

static size_t
count_fields(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += !is_space(text[i]) && (i == 0 || is_space(text[i - 1]));
	return count;
}

static int
read_pattern(struct reader *reader)
{
	size_t count = count_fields(reader->text, reader->len);

	if (count < 5 || count > 7)
		return err_set(reader->err, ERR_INPUT,
			       "a cron pattern has 5 fields, 6 with seconds, 7 with "
			       "seconds and years; this has %zu",
			       count);
	reader->cron->every_year = true;
	reader->kind = FIELD_SECOND;
	if (count == 5) {
		reader->cron->seconds = 1;
		reader->kind = FIELD_MINUTE;
	}
	for (; count > 0; count--, reader->kind++) {
		while (is_space(peek(reader)))
			reader->at++;
		if (read_field(reader) < 0)
			return -1;
	}
	return 0;
}

static bool
equal_folded(const char *text, size_t len, const char *name)
{
	size_t i = 0;

	while (i < len && name[i] != '\0' && lower(text[i]) == name[i])
		i++;
	return i == len && name[i] == '\0';
}

/* "@every 90s". */
static int
read_every(struct reader *reader, size_t word)
{
	size_t at = word;

	while (at < reader->len && is_space(reader->text[at]))
		at++;
	if (duration_parse(reader->text + at, reader->len - at, &reader->cron->every,
			   reader->err) < 0)
		return err_in(reader->err, "at character %zu", at + 1);
	if (reader->cron->every < USEC_SECOND)
		return refuse(reader, at, "%s is the least", "1s");
	return 0;
}

static int
read_nickname(struct reader *reader)
{
	const char *name = reader->text + reader->at;
	size_t len = reader->len - reader->at, word = 0;

	while (word < len && !is_space(name[word]))
		word++;
	if (equal_folded(name, word, "@every"))
		return read_every(reader, reader->at + word);
	for (size_t i = 0; i < sizeof nicknames / sizeof nicknames[0]; i++)
		if (equal_folded(name, len, nicknames[i].name)) {
			reader->text = nicknames[i].pattern;
			reader->len = strlen(reader->text);
			reader->at = 0;
			return read_pattern(reader);
		}
	return refuse(reader, reader->at,
		      "unknown nickname: there are %s, and @every DURATION",
		      "@hourly, @daily (@midnight), @weekly, @monthly and @yearly "
		      "(@annually)");
}

int
cron_parse(const char *text, size_t len, struct cron *out, struct err *err)
{
	struct reader reader = { .text = text, .len = len, .cron = out, .err = err };
	char pattern[HUMAN_SCHEDULE_SIZE];

	memset(out, 0, sizeof *out);
	if (len > CRON_TEXT_MAX)
		return err_set(err, ERR_INPUT, "a schedule has at most %d characters",
			       CRON_TEXT_MAX);
	while (reader.len > 0 && is_space(text[reader.len - 1]))
		reader.len--;
	if (reader.len == 0)
		return err_set(err, ERR_INPUT, "the schedule is empty");
	while (is_space(peek(&reader)))
		reader.at++;
	if (is_letter(peek(&reader))) {
		if (human_schedule(text, reader.len, pattern, err) < 0)
			return -1;
		reader.text = pattern;
		reader.len = strlen(pattern);
		reader.at = 0;
	}
	if (peek(&reader) == '@')
		return read_nickname(&reader);
	return read_pattern(&reader);
}
