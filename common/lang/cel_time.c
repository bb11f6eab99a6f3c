/* Timestamps and durations as text, and their arithmetic. */
#include "lang/cel_time.h"

#include <stdio.h>
#include <string.h>

#include "lang/cel_arith.h"
#include "zone/zone.h"

#define NANOS ((int64_t)1000000000)

struct reader {
	const char *at, *end;
};

bool
cel_timestamp_in_range(const struct cel_time *time)
{
	return time->seconds >= civil_days(1, 1, 1) * 86400 &&
	       time->seconds < civil_days(10000, 1, 1) * 86400;
}

static bool
is_digit(const struct reader *reader)
{
	return reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9';
}

static bool
skip(struct reader *reader, const char *any)
{
	if (reader->at == reader->end || *reader->at == '\0' ||
	    strchr(any, *reader->at) == NULL)
		return false;
	reader->at++;
	return true;
}

static bool
digits(struct reader *reader, int count, int least, int most, int *out)
{
	*out = 0;
	for (int i = 0; i < count; i++) {
		if (!is_digit(reader))
			return false;
		*out = *out * 10 + (*reader->at++ - '0');
	}
	return *out >= least && *out <= most;
}

static bool
read_offset(struct reader *reader, int64_t *seconds)
{
	bool west = reader->at < reader->end && *reader->at == '-';
	int hours, minutes;

	*seconds = 0;
	if (skip(reader, "Zz"))
		return true;
	if (!skip(reader, "+-") || !digits(reader, 2, 0, 23, &hours) ||
	    !skip(reader, ":") || !digits(reader, 2, 0, 59, &minutes))
		return false;
	*seconds = (hours * 60 + minutes) * (west ? -60 : 60);
	return true;
}

static bool
read_fraction(struct reader *reader, int32_t *nanos)
{
	int32_t unit = (int32_t)NANOS / 10;

	*nanos = 0;
	if (!skip(reader, "."))
		return true;
	if (!is_digit(reader))
		return false;
	for (; is_digit(reader); unit /= 10)
		*nanos += unit * (*reader->at++ - '0');
	return true;
}

bool
cel_timestamp_parse(const char *text, size_t len, struct cel_time *out)
{
	struct reader reader = { text, text + len };
	int year, month, day, hour, minute, second, back[3];
	int64_t offset, days;

	if (!digits(&reader, 4, 1, 9999, &year) || !skip(&reader, "-") ||
	    !digits(&reader, 2, 1, 12, &month) || !skip(&reader, "-") ||
	    !digits(&reader, 2, 1, 31, &day) || !skip(&reader, "Tt ") ||
	    !digits(&reader, 2, 0, 23, &hour) || !skip(&reader, ":") ||
	    !digits(&reader, 2, 0, 59, &minute) || !skip(&reader, ":") ||
	    !digits(&reader, 2, 0, 59, &second) ||
	    !read_fraction(&reader, &out->nanos) || !read_offset(&reader, &offset) ||
	    reader.at != reader.end)
		return false;
	days = civil_days(year, month, day);
	civil_date(days, &back[0], &back[1], &back[2]);
	if (back[1] != month)
		return false; /* 31 April */
	out->seconds = days * 86400 + hour * 3600 + minute * 60 + second - offset;
	return cel_timestamp_in_range(out);
}

static bool
read_unit(struct reader *reader, int64_t *unit)
{
	static const struct {
		const char *name;
		int64_t nanos;
	} units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "\xc2\xb5s", 1000 },
		{ "\xce\xbcs", 1000 },
		{ "ms", 1000000 },
		{ "s", NANOS },
		{ "m", 60 * NANOS },
		{ "h", 3600 * NANOS },
		{ "d", 86400 * NANOS },
		{ "w", 7 * 86400 * NANOS },
	};
	size_t len;

	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		len = strlen(units[i].name);
		if ((size_t)(reader->end - reader->at) < len ||
		    memcmp(reader->at, units[i].name, len) != 0)
			continue;
		reader->at += len;
		*unit = units[i].nanos;
		return true;
	}
	return false;
}

/* "1.5h": the number first, then the unit says what it is worth. */
static bool
read_part(struct reader *reader, __int128 *nanos)
{
	__int128 whole = 0, fraction = 0, scale = 1;
	bool any = is_digit(reader);
	int64_t unit;

	for (; is_digit(reader); reader->at++)
		if (whole < INT64_MAX)
			whole = whole * 10 + (*reader->at - '0');
	if (skip(reader, ".")) {
		any = any || is_digit(reader);
		for (; is_digit(reader); reader->at++) {
			if (scale > NANOS * NANOS)
				continue;
			fraction = fraction * 10 + (*reader->at - '0');
			scale *= 10;
		}
	}
	if (!any || !read_unit(reader, &unit))
		return false;
	*nanos += whole * unit + fraction * unit / scale;
	return *nanos <= INT64_MAX;
}

bool
cel_duration_parse(const char *text, size_t len, int64_t *nanos)
{
	struct reader reader = { text, text + len };
	bool negative = len > 0 && *text == '-';
	__int128 sum = 0;

	skip(&reader, "+-");
	*nanos = 0;
	if (reader.end - reader.at == 1 && *reader.at == '0')
		return true;
	if (reader.at == reader.end)
		return false;
	while (reader.at < reader.end)
		if (!read_part(&reader, &sum))
			return false;
	*nanos = negative ? -(int64_t)sum : (int64_t)sum;
	return true;
}

/* ".5", or nothing; without zeros at the end. */
static void
fraction_text(int32_t nanos, char out[16])
{
	size_t len = 10;

	out[0] = '\0';
	if (nanos == 0)
		return;
	snprintf(out, 16, ".%09d", nanos);
	while (out[len - 1] == '0')
		out[--len] = '\0';
}

const char *
cel_timestamp_text(const struct cel_time *time, char out[CEL_TIME_TEXT])
{
	int64_t days = time->seconds / 86400 - (time->seconds % 86400 < 0);
	int rest = (int)(time->seconds - days * 86400), year, month, day;
	char fraction[16];

	civil_date(days, &year, &month, &day);
	fraction_text(time->nanos, fraction);
	snprintf(out, CEL_TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", year, month,
		 day, rest / 3600, rest / 60 % 60, rest % 60, fraction);
	return out;
}

const char *
cel_duration_text(int64_t nanos, char out[CEL_TIME_TEXT])
{
	uint64_t size = nanos < 0 ? -(uint64_t)nanos : (uint64_t)nanos;
	char fraction[16];

	fraction_text((int32_t)(size % (uint64_t)NANOS), fraction);
	snprintf(out, CEL_TIME_TEXT, "%s%llu%ss", nanos < 0 ? "-" : "",
		 (unsigned long long)(size / (uint64_t)NANOS), fraction);
	return out;
}

static struct cel_value
out_of_range(struct cel_run *run, const char *what)
{
	return cel_fail(run, "the %s is out of range", what);
}

static struct cel_value
move_timestamp(struct cel_run *run, const struct cel_time *time, int64_t nanos,
	       int sign)
{
	struct cel_value out = { .kind = CEL_TIMESTAMP };
	__int128 moved =
	    (__int128)time->seconds * NANOS + time->nanos + (__int128)nanos * sign;
	int64_t seconds = (int64_t)(moved / NANOS);
	int32_t rest = (int32_t)(moved % NANOS);

	if (rest < 0) {
		rest += (int32_t)NANOS;
		seconds--;
	}
	out.time = (struct cel_time){ seconds, rest };
	return cel_timestamp_in_range(&out.time) ? out : out_of_range(run, "timestamp");
}

static struct cel_value
between(struct cel_run *run, const struct cel_time *a, const struct cel_time *b)
{
	__int128 nanos =
	    (__int128)(a->seconds - b->seconds) * NANOS + a->nanos - b->nanos;

	if (nanos > INT64_MAX || nanos < INT64_MIN)
		return out_of_range(run, "duration");
	return cel_duration((int64_t)nanos);
}

struct cel_value
cel_time_arith(struct cel_run *run, enum cel_op op, const struct cel_value *a,
	       const struct cel_value *b)
{
	bool add = op == CEL_ADD;
	int64_t nanos;

	if (a->kind == CEL_TIMESTAMP && b->kind == CEL_DURATION)
		return move_timestamp(run, &a->time, b->integer, add ? 1 : -1);
	if (a->kind == CEL_DURATION && b->kind == CEL_TIMESTAMP && add)
		return move_timestamp(run, &b->time, a->integer, 1);
	if (a->kind == CEL_TIMESTAMP && b->kind == CEL_TIMESTAMP && !add)
		return between(run, &a->time, &b->time);
	if (a->kind != CEL_DURATION || b->kind != CEL_DURATION)
		return cel_no_operator(run, op, a, b);
	if (add ? __builtin_add_overflow(a->integer, b->integer, &nanos)
		: __builtin_sub_overflow(a->integer, b->integer, &nanos))
		return out_of_range(run, "duration");
	return cel_duration(nanos);
}
