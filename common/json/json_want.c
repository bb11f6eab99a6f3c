/*
 * What clients send, read with a type and limits and a message that names the member.
 * An absent member and null are the same here: the caller's default stands.
 */
#include <string.h>

#include "json/json.h"

static int
refuse_type(const char *key, const char *expected, const struct json *got,
	    struct err *err)
{
	const char *name = json_type_name(json_type(got));
	bool vowel = strchr("aeiou", name[0]) != NULL;

	return err_set(err, ERR_INPUT, "%s: expected %s, got %s %s", key, expected,
		       vowel ? "an" : "a", name);
}

int
json_want_str(const struct json *object, const char *key, const char **out,
	      struct err *err)
{
	struct json *value = json_get(object, key);

	if (value == NULL)
		return 0;
	if (json_type(value) != JSON_STRING)
		return refuse_type(key, "a string", value, err);
	if (strlen(json_str(value)) != json_str_len(value))
		return err_set(err, ERR_INPUT, "%s: contains a NUL character", key);
	*out = json_str(value);
	return 0;
}

/* json_int cuts and saturates; past 2^53 a double has no fraction. */
static bool
has_fraction(const struct json *json)
{
	double number = json_double(json);

	return number > -0x1p53 && number < 0x1p53 && (double)json_int(json) != number;
}

int
json_want_int(const struct json *object, const char *key, int64_t min, int64_t max,
	      int64_t *out, struct err *err)
{
	struct json *value = json_get(object, key);
	int64_t number;

	if (value == NULL)
		return 0;
	if (json_type(value) != JSON_INT && json_type(value) != JSON_DOUBLE)
		return refuse_type(key, "an integer", value, err);
	if (has_fraction(value))
		return err_set(err, ERR_INPUT,
			       "%s: expected an integer, got a fraction", key);
	number = json_int(value); /* saturated, so that the limits judge it rightly */
	if (number < min)
		return err_set(err, ERR_INPUT, "%s: %lld is less than %lld", key,
			       (long long)number, (long long)min);
	if (number > max)
		return err_set(err, ERR_INPUT, "%s: %lld is more than %lld", key,
			       (long long)number, (long long)max);
	*out = number;
	return 0;
}

int
json_want_bool(const struct json *object, const char *key, bool *out, struct err *err)
{
	struct json *value = json_get(object, key);

	if (value == NULL)
		return 0;
	if (json_type(value) != JSON_BOOL)
		return refuse_type(key, "a boolean", value, err);
	*out = json_bool(value);
	return 0;
}
