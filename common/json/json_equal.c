/*
 * When two JSON values are the same: by what they mean, so members in any order, and
 * numbers by their value, exactly, also between integers and doubles.
 */
#include <string.h>

#include "json/json.h"

static bool
number_equal(const struct json *a, const struct json *b)
{
	double number;

	if (json_type(a) == json_type(b))
		return json_type(a) == JSON_INT ? json_int(a) == json_int(b)
						: json_double(a) == json_double(b);
	number = json_type(a) == JSON_DOUBLE ? json_double(a) : json_double(b);
	return number >= -0x1p63 && number < 0x1p63 &&
	       (double)(int64_t)number == number && json_int(a) == json_int(b);
}

static bool
string_equal(const struct json *a, const struct json *b)
{
	return json_str_len(a) == json_str_len(b) &&
	       memcmp(json_str(a), json_str(b), json_str_len(a)) == 0;
}

static bool
array_equal(const struct json *a, const struct json *b)
{
	if (json_count(a) != json_count(b))
		return false;
	for (size_t i = 0; i < json_count(a); i++)
		if (!json_equal(json_at(a, i), json_at(b, i)))
			return false;
	return true;
}

static bool
object_equal(const struct json *a, const struct json *b)
{
	if (json_count(a) != json_count(b))
		return false;
	for (struct json_iter it = json_iter(a); json_next(&it);)
		if (!json_has(b, it.key) || !json_equal(it.value, json_get(b, it.key)))
			return false;
	return true;
}

static bool
is_number(enum json_type type)
{
	return type == JSON_INT || type == JSON_DOUBLE;
}

bool
json_equal(const struct json *a, const struct json *b)
{
	enum json_type type = json_type(a);

	if (a == b)
		return true;
	if (is_number(type) && is_number(json_type(b)))
		return number_equal(a, b);
	if (type != json_type(b))
		return false;
	if (type == JSON_BOOL)
		return json_bool(a) == json_bool(b);
	if (type == JSON_STRING)
		return string_equal(a, b);
	return type == JSON_ARRAY ? array_equal(a, b) : object_equal(a, b);
}
