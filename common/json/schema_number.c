/*
 * Numbers are compared by their exact values. For multiples a double stands for the
 * shortest decimal that reads back as it, because that is what people wrote: 0.0075 is
 * 75 * 10^-4, and the rest is arithmetic with whole numbers below 2^64.
 */
#include "json/schema_number.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned __int128 wide;

struct decimal {
	uint64_t digits;
	int exponent;
};

bool
schema_number_is(const struct json *json)
{
	return json_type(json) == JSON_INT || json_type(json) == JSON_DOUBLE;
}

bool
schema_number_is_whole(const struct json *json)
{
	double number = json_double(json);

	if (json_type(json) != JSON_DOUBLE)
		return json_type(json) == JSON_INT;
	if (number >= 0x1p53 || number <= -0x1p53)
		return true; /* a double of this size has no fraction */
	return (double)(int64_t)number == number;
}

static int
compare_doubles(double a, double b)
{
	return (a > b) - (a < b);
}

static int
compare_int_double(int64_t a, double b)
{
	int64_t whole;

	if (b >= 0x1p63)
		return -1;
	if (b < -0x1p63)
		return 1;
	whole = (int64_t)b;
	if (a != whole)
		return a > whole ? 1 : -1;
	return compare_doubles(0, b - (double)whole);
}

int
schema_number_compare(const struct json *a, const struct json *b)
{
	bool int_a = json_type(a) == JSON_INT, int_b = json_type(b) == JSON_INT;

	if (int_a && int_b)
		return (json_int(a) > json_int(b)) - (json_int(a) < json_int(b));
	if (int_a)
		return compare_int_double(json_int(a), json_double(b));
	if (int_b)
		return -compare_int_double(json_int(b), json_double(a));
	return compare_doubles(json_double(a), json_double(b));
}

/* "-1.25e-07" is 125 * 10^-9; the sign does not matter here. */
static struct decimal
read_decimal(const char *text)
{
	struct decimal out = { 0 };
	bool behind = false;

	for (; *text != '\0' && *text != 'e'; text++) {
		if (*text == '.')
			behind = true;
		if (*text < '0' || *text > '9')
			continue;
		out.digits = out.digits * 10 + (uint64_t)(*text - '0');
		out.exponent -= behind;
	}
	if (*text == 'e')
		out.exponent += atoi(text + 1);
	return out;
}

static struct decimal
decimal_of(const struct json *json)
{
	struct decimal out = { 0 };
	char text[40];

	if (json_type(json) == JSON_INT) {
		out.digits = (uint64_t)json_int(json);
		if (json_int(json) < 0)
			out.digits = 0 - out.digits;
	} else {
		for (int precision = 14; precision <= 16; precision++) {
			snprintf(text, sizeof text, "%.*e", precision,
				 json_double(json));
			if (strtod(text, NULL) == json_double(json))
				break;
		}
		out = read_decimal(text);
	}
	while (out.digits != 0 && out.digits % 10 == 0) {
		out.digits /= 10;
		out.exponent++;
	}
	return out;
}

static uint64_t
power_of_ten_modulo(int exponent, uint64_t modulus)
{
	wide power = 1 % modulus, base = 10 % modulus;

	for (; exponent > 0; exponent >>= 1) {
		if (exponent & 1)
			power = power * base % modulus;
		base = base * base % modulus;
	}
	return (uint64_t)power;
}

bool
schema_number_divides(const struct json *a, const struct json *b)
{
	struct decimal value = decimal_of(a), step = decimal_of(b);
	int shift = value.exponent - step.exponent;

	if (value.digits == 0)
		return true;
	if (step.digits == 0)
		return false;
	if (shift >= 0) /* value.digits * 10^shift over step.digits */
		return (wide)(value.digits % step.digits) *
			   power_of_ten_modulo(shift, step.digits) % step.digits ==
		       0;
	return false; /* the value has no 0 at its end, the step has */
}
