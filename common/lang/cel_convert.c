/* Conversions: int(), uint(), double(), string(), bool(), bytes(), type(), ... */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "lang/cel_function.h"
#include "lang/cel_text.h"
#include "lang/cel_time.h"

static struct cel_value
out_of_range(struct cel_run *run, const char *what)
{
	return cel_fail(run, "this number is out of the range of %s", what);
}

static struct cel_value
unreadable(struct cel_run *run, const struct cel_value *value, const char *what)
{
	char shown[100];

	return cel_fail(run, "%s is no %s", cel_show(value, shown, sizeof shown), what);
}

/* Digits only, a sign where allowed; the magnitude. */
static bool
read_whole(const struct cel_text *text, bool *negative, uint64_t *out)
{
	size_t at = text->len > 0 && (text->data[0] == '-' || text->data[0] == '+');

	*negative = at == 1 && text->data[0] == '-';
	*out = 0;
	if (at == text->len)
		return false;
	for (; at < text->len; at++)
		if (text->data[at] < '0' || text->data[at] > '9' ||
		    __builtin_mul_overflow(*out, 10U, out) ||
		    __builtin_add_overflow(*out, (uint64_t)(text->data[at] - '0'), out))
			return false;
	return true;
}

static struct cel_value
int_of_text(struct cel_run *run, const struct cel_value *value)
{
	uint64_t size;
	bool negative;

	if (!read_whole(&value->text, &negative, &size) ||
	    size > (uint64_t)INT64_MAX + negative)
		return unreadable(run, value, "int");
	return cel_int((int64_t)(negative ? -size : size));
}

static struct cel_value
fn_int(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_value *value = &args[0];

	switch (value->kind) {
	case CEL_INT:
		return *value;
	case CEL_UINT:
		return value->natural > INT64_MAX ? out_of_range(run, "int")
						  : cel_int((int64_t)value->natural);
	case CEL_DOUBLE:
		return value->real > -0x1p63 && value->real < 0x1p63
			   ? cel_int((int64_t)value->real)
			   : out_of_range(run, "int");
	case CEL_STRING:
		return int_of_text(run, value);
	case CEL_TIMESTAMP:
		return cel_int(value->time.seconds);
	default:
		return cel_no_overload(run, args, count);
	}
}

static struct cel_value
uint_of_text(struct cel_run *run, const struct cel_value *value)
{
	uint64_t size;
	bool negative;

	if (!read_whole(&value->text, &negative, &size) || (negative && size > 0))
		return unreadable(run, value, "uint");
	return cel_uint(size);
}

static struct cel_value
fn_uint(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_value *value = &args[0];

	switch (value->kind) {
	case CEL_UINT:
		return *value;
	case CEL_INT:
		return value->integer < 0 ? out_of_range(run, "uint")
					  : cel_uint((uint64_t)value->integer);
	case CEL_DOUBLE:
		return value->real >= 0 && value->real < 0x1p64
			   ? cel_uint((uint64_t)value->real)
			   : out_of_range(run, "uint");
	case CEL_STRING:
		return uint_of_text(run, value);
	default:
		return cel_no_overload(run, args, count);
	}
}

static bool
is_decimal(const char *text)
{
	size_t whole, fraction = 0;

	text += *text == '-' || *text == '+';
	whole = strspn(text, "0123456789");
	text += whole;
	if (*text == '.') {
		fraction = strspn(text + 1, "0123456789");
		text += 1 + fraction;
	}
	if (whole + fraction == 0)
		return false;
	if (*text == 'e' || *text == 'E') {
		text++;
		text += *text == '-' || *text == '+';
		if (strspn(text, "0123456789") == 0)
			return false;
		text += strspn(text, "0123456789");
	}
	return *text == '\0';
}

static bool
is_special(const char *text, double *out)
{
	bool negative = *text == '-';

	text += *text == '-' || *text == '+';
	if (strcasecmp(text, "nan") == 0)
		*out = (double)NAN;
	else if (strcasecmp(text, "inf") == 0 || strcasecmp(text, "infinity") == 0)
		*out = negative ? (double)-INFINITY : (double)INFINITY;
	else
		return false;
	return true;
}

static struct cel_value
double_of_text(struct cel_run *run, const struct cel_value *value)
{
	char copy[400]; /* the longest double written out has 330 */
	double out;

	if (value->text.len == 0 || value->text.len >= sizeof copy ||
	    memchr(value->text.data, '\0', value->text.len) != NULL)
		return unreadable(run, value, "double");
	memcpy(copy, value->text.data, value->text.len);
	copy[value->text.len] = '\0';
	if (is_special(copy, &out))
		return cel_double(out);
	if (!is_decimal(copy))
		return unreadable(run, value, "double");
	out = strtod(copy, NULL);
	return isinf(out) ? out_of_range(run, "double") : cel_double(out);
}

static struct cel_value
fn_double(struct cel_run *run, const struct cel_value *args, size_t count)
{
	const struct cel_value *value = &args[0];

	switch (value->kind) {
	case CEL_DOUBLE:
		return *value;
	case CEL_INT:
		return cel_double((double)value->integer);
	case CEL_UINT:
		return cel_double((double)value->natural);
	case CEL_STRING:
		return cel_spend(run, 20) ? double_of_text(run, value) : cel_spent(run);
	default:
		return cel_no_overload(run, args, count);
	}
}

static struct cel_value
fn_string(struct cel_run *run, const struct cel_value *args, size_t count)
{
	char room[CEL_SCALAR_TEXT];
	const char *text;
	size_t len;

	if (args[0].kind == CEL_STRING)
		return args[0];
	if (args[0].kind == CEL_BYTES) {
		if (!cel_spend(run, args[0].text.len / 16))
			return cel_spent(run);
		return utf8_valid(args[0].text.data, args[0].text.len)
			   ? cel_text(CEL_STRING, args[0].text.data, args[0].text.len)
			   : cel_fail(run, "these bytes are not UTF-8");
	}
	if (!cel_spend(run, args[0].kind == CEL_INT ? 5 : 60))
		return cel_spent(run);
	text = cel_scalar_text(&args[0], room, &len);
	if (text == NULL || args[0].kind == CEL_NULL)
		return cel_no_overload(run, args, count);
	return cel_new_text(run, CEL_STRING, text, len);
}

static struct cel_value
fn_bytes(struct cel_run *run, const struct cel_value *args, size_t count)
{
	if (args[0].kind != CEL_STRING && args[0].kind != CEL_BYTES)
		return cel_no_overload(run, args, count);
	return cel_text(CEL_BYTES, args[0].text.data, args[0].text.len);
}

static struct cel_value
fn_bool(struct cel_run *run, const struct cel_value *args, size_t count)
{
	static const char *const words[] = { "true",  "True",  "TRUE",  "t", "1",
					     "false", "False", "FALSE", "f", "0" };
	const struct cel_text *text = &args[0].text;

	if (args[0].kind == CEL_BOOL)
		return args[0];
	if (args[0].kind != CEL_STRING)
		return cel_no_overload(run, args, count);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strlen(words[i]) == text->len &&
		    memcmp(words[i], text->data, text->len) == 0)
			return cel_bool(i < 5);
	return unreadable(run, &args[0], "bool");
}

static struct cel_value
fn_dyn(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)run;
	(void)count;
	return args[0];
}

static struct cel_value
fn_type(struct cel_run *run, const struct cel_value *args, size_t count)
{
	(void)run;
	(void)count;
	return (struct cel_value){ .kind = CEL_TYPE, .type = args[0].kind };
}

static struct cel_value
fn_timestamp(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct cel_value out = { .kind = CEL_TIMESTAMP };

	if (args[0].kind == CEL_TIMESTAMP)
		return args[0];
	if (args[0].kind == CEL_INT) {
		out.time.seconds = args[0].integer;
		return cel_timestamp_in_range(&out.time)
			   ? out
			   : cel_fail(run, "the timestamp is out of range");
	}
	if (args[0].kind != CEL_STRING)
		return cel_no_overload(run, args, count);
	if (!cel_spend(run, 5))
		return cel_spent(run);
	if (args[0].text.len > CEL_TIME_TEXT ||
	    !cel_timestamp_parse(args[0].text.data, args[0].text.len, &out.time))
		return unreadable(run, &args[0],
				  "timestamp between the years 1 and 9999; write "
				  "\"2030-12-31T23:59:00Z\"");
	return out;
}

static struct cel_value
fn_duration(struct cel_run *run, const struct cel_value *args, size_t count)
{
	int64_t nanos;

	if (args[0].kind == CEL_DURATION)
		return args[0];
	if (args[0].kind != CEL_STRING)
		return cel_no_overload(run, args, count);
	if (!cel_spend(run, args[0].text.len / 16) ||
	    !cel_duration_parse(args[0].text.data, args[0].text.len, &nanos))
		return unreadable(run, &args[0],
				  "duration up to 292 years; write \"1h30m\"");
	return cel_duration(nanos);
}

static struct cel_value
fn_base64_encode(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct buf built = { 0 };

	if (args[0].kind != CEL_BYTES && args[0].kind != CEL_STRING)
		return cel_no_overload(run, args, count);
	if (!cel_spend(run, args[0].text.len / 8))
		return cel_spent(run);
	cel_base64(args[0].text.data, args[0].text.len, &built);
	return cel_take_text(run, &built);
}

static struct cel_value
fn_base64_decode(struct cel_run *run, const struct cel_value *args, size_t count)
{
	struct buf built = { 0 };
	struct cel_value value;

	if (args[0].kind != CEL_STRING)
		return cel_no_overload(run, args, count);
	if (!cel_spend(run, args[0].text.len / 8))
		return cel_spent(run);
	if (!cel_base64_read(args[0].text.data, args[0].text.len, &built)) {
		buf_fini(&built);
		return unreadable(run, &args[0], "base64");
	}
	value = cel_take_text(run, &built);
	if (value.kind == CEL_STRING)
		value.kind = CEL_BYTES;
	return value;
}

#define FROM(name, fn, usage)                                                          \
	{                                                                              \
		name, true, false, 1, 1, fn, usage, 0                                  \
	}

const struct cel_function cel_convert_functions[] = {
	FROM("int", fn_int, "int(number|string|timestamp)"),
	FROM("uint", fn_uint, "uint(number|string)"),
	FROM("double", fn_double, "double(number|string)"),
	FROM("string", fn_string, "string(value); lists and maps have no text"),
	FROM("bytes", fn_bytes, "bytes(string)"),
	FROM("bool", fn_bool, "bool(string)"),
	FROM("dyn", fn_dyn, "dyn(value)"),
	FROM("type", fn_type, "type(value)"),
	FROM("timestamp", fn_timestamp, "timestamp(string|int)"),
	FROM("duration", fn_duration, "duration(string)"),
	FROM("base64.encode", fn_base64_encode, "base64.encode(bytes|string)"),
	FROM("base64.decode", fn_base64_decode, "base64.decode(string)"),
	{ 0 },
};
