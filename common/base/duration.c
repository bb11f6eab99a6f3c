/*
 * Durations as people write them. The units have to fall ("1h30m", not "30m1h"),
 * because anything else is more often a slip than a wish. What is finer than a
 * microsecond is cut.
 */
#include "base/duration.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define YEARS_100 ((usec_t)36525 * 86400 * USEC_SECOND)

struct unit {
	const char *name;
	usec_t size;
};

static const struct unit units[] = {
	{ "w", 604800 * USEC_SECOND },
	{ "d", 86400 * USEC_SECOND },
	{ "h", 3600 * USEC_SECOND },
	{ "m", 60 * USEC_SECOND },
	{ "s", USEC_SECOND },
	{ "ms", USEC_MS },
	{ "us", 1 },
};
#define UNITS (sizeof units / sizeof units[0])

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The number at *at in millionths; -1 when there is none or it is past all limits. */
static __int128
read_number(const char *text, size_t len, size_t *at)
{
	__int128 value = 0;
	int64_t fraction_unit = 1000000;
	size_t start = *at;

	for (; *at < len && is_digit(text[*at]); (*at)++) {
		value = value * 10 + (text[*at] - '0');
		if (value > YEARS_100)
			return -1;
	}
	value *= fraction_unit;
	if (*at == start)
		return -1;
	if (*at + 1 < len && text[*at] == '.' && is_digit(text[*at + 1])) {
		for ((*at)++; *at < len && is_digit(text[*at]); (*at)++) {
			fraction_unit /= 10;
			value += (text[*at] - '0') * fraction_unit;
		}
	}
	return value;
}

/* The unit at *at, or UNITS. */
static size_t
read_unit(const char *text, size_t len, size_t *at)
{
	size_t start = *at, unit;

	while (*at < len && text[*at] >= 'a' && text[*at] <= 'z')
		(*at)++;
	for (unit = 0; unit < UNITS; unit++)
		if (strlen(units[unit].name) == *at - start &&
		    memcmp(units[unit].name, text + start, *at - start) == 0)
			break;
	return unit;
}

static int
refuse(const char *text, size_t len, const char *why, struct err *err)
{
	return err_set(err, ERR_INPUT, "\"%.*s\" is not a duration: %s",
		       (int)(len < 60 ? len : 60), text, why);
}

int
duration_parse(const char *text, size_t len, usec_t *out, struct err *err)
{
	size_t at = 0, unit, least = 0;
	__int128 number, sum = 0;

	if (len == 0)
		return refuse(text, len, "it is empty", err);
	while (at < len) {
		number = read_number(text, len, &at);
		if (number < 0)
			return refuse(text, len,
				      "expected numbers with units, like 1h30m", err);
		if (at == len)
			return refuse(text, len, "a number lacks its unit, like 10s",
				      err);
		unit = read_unit(text, len, &at);
		if (unit == UNITS)
			return refuse(text, len, "units are w, d, h, m, s, ms, us",
				      err);
		if (unit < least)
			return refuse(text, len, "larger units come first, each once",
				      err);
		least = unit + 1;
		sum += number * units[unit].size / 1000000;
		if (sum > YEARS_100)
			return refuse(text, len, "it is more than 100 years", err);
	}
	*out = (usec_t)sum;
	return 0;
}

/* "1.5s": the rest in the largest unit under a minute that makes it a short number. */
static void
format_rest(usec_t rest, char *out, size_t size)
{
	size_t unit = rest >= USEC_SECOND ? 4 : rest >= USEC_MS ? 5 : 6;
	int digits = unit == 4 ? 6 : unit == 5 ? 3 : 0;
	int len;

	len = snprintf(out, size, "%lld", (long long)(rest / units[unit].size));
	rest %= units[unit].size;
	if (rest > 0) {
		len += snprintf(out + len, size - (size_t)len, ".%0*lld", digits,
				(long long)rest);
		while (out[len - 1] == '0')
			len--;
	}
	snprintf(out + len, size - (size_t)len, "%s", units[unit].name);
}

char *
duration_format(usec_t duration, char *out, size_t size)
{
	char text[64] = "", rest_text[32];
	uint64_t rest = duration < 0 ? -(uint64_t)duration : (uint64_t)duration;
	size_t len = 0;

	if (duration < 0)
		text[len++] = '-';
	for (size_t unit = 0; unit < 4; unit++) {
		uint64_t unit_size = (uint64_t)units[unit].size;

		if (rest < unit_size || (unit == 0 && rest % unit_size != 0))
			continue; /* weeks only when they say it all: "8d", not "1w1d"
				   */
		len += (size_t)snprintf(text + len, sizeof text - len, "%llu%s",
					(unsigned long long)(rest / unit_size),
					units[unit].name);
		rest %= unit_size;
	}
	if (rest > 0) {
		format_rest((usec_t)rest, rest_text, sizeof rest_text);
		snprintf(text + len, sizeof text - len, "%s", rest_text);
	} else if (len == 0) {
		snprintf(text, sizeof text, "0s");
	}
	snprintf(out, size, "%s", text);
	return out;
}
