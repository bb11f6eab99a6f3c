/* What is asked of a value by itself: its type, its worth, its size. */
#include <stdlib.h>
#include <string.h>

#include "json/schema_check.h"
#include "json/schema_hash.h"
#include "json/schema_number.h"

#define LIST_SHOWN 200 /* bytes of the values of `enum` in a message */

static unsigned
types_of(const struct json *value)
{
	static const unsigned types[JSON_TYPES] = {
		[JSON_NULL] = 1 << TYPE_NULL,
		[JSON_BOOL] = 1 << TYPE_BOOLEAN,
		[JSON_INT] = 1 << TYPE_NUMBER | 1 << TYPE_INTEGER,
		[JSON_DOUBLE] = 1 << TYPE_NUMBER,
		[JSON_STRING] = 1 << TYPE_STRING,
		[JSON_ARRAY] = 1 << TYPE_ARRAY,
		[JSON_OBJECT] = 1 << TYPE_OBJECT,
	};
	unsigned bits = types[json_type(value)];

	if (json_type(value) == JSON_DOUBLE && schema_number_is_whole(value))
		bits |= 1 << TYPE_INTEGER;
	return bits;
}

bool
schema_check_type(const struct frame *frame)
{
	unsigned types = frame->node->types;
	struct buf names = { 0 };

	if (types == 0 || (types & types_of(frame->value)) != 0)
		return true;
	if (!schema_check_tells(frame))
		return false;
	for (unsigned i = 0; i < SCHEMA_TYPES; i++)
		if (types >> i & 1)
			buf_printf(&names, "%s%s", names.len > 0 ? " or " : "",
				   schema_type_names[i]);
	schema_check_fail(frame, frame->where, "expected %s, got %s", buf_text(&names),
			  json_type_name(json_type(frame->value)));
	buf_fini(&names);
	return false;
}

/* ---- enum, const ---- */

static bool
is_listed(const struct frame *frame)
{
	const struct json *list = frame->node->list;

	if (frame->node->hashes != NULL)
		return schema_hash_has(list, frame->node->hashes, frame->value,
				       &frame->check->work);
	schema_check_spend(frame, 1 + (int64_t)json_str_len(frame->value) / 64);
	for (size_t i = 0; i < json_count(list); i++)
		if (json_equal(json_at(list, i), frame->value))
			return true;
	return false;
}

static bool
fail_list(const struct frame *frame)
{
	const struct json *list = frame->node->list;
	struct buf text = { 0 };
	char *shown;

	if (!schema_check_tells(frame))
		return false;
	for (size_t i = 0; i < json_count(list) && text.len < LIST_SHOWN; i++) {
		shown = schema_check_shown(json_at(list, i));
		buf_printf(&text, "%s%s", i > 0 ? ", " : "", shown);
		if (text.len >= LIST_SHOWN && i + 1 < json_count(list))
			buf_str(&text, ", ...");
		free(shown);
	}
	shown = schema_check_shown(frame->value);
	schema_check_fail(frame, frame->where, "expected one of %s, got %s",
			  buf_text(&text), shown);
	free(shown);
	buf_fini(&text);
	return false;
}

static bool
fail_constant(const struct frame *frame)
{
	char *expected, *got;

	if (!schema_check_tells(frame))
		return false;
	expected = schema_check_shown(frame->node->constant);
	got = schema_check_shown(frame->value);
	schema_check_fail(frame, frame->where, "expected %s, got %s%s", expected,
			  strcmp(expected, got) == 0 ? "another: " : "", got);
	free(expected);
	free(got);
	return false;
}

bool
schema_check_value(const struct frame *frame)
{
	const struct node *node = frame->node;
	bool good = true;

	if (node->has_constant) {
		schema_check_spend(frame, node->constant_weight);
		good = json_equal(node->constant, frame->value) || fail_constant(frame);
	}
	if (node->list != NULL)
		good = (is_listed(frame) || fail_list(frame)) && good;
	return good;
}

/* ---- numbers ---- */

static bool
fail_number(const struct frame *frame, const char *what, const struct json *limit)
{
	char *expected, *got;

	if (!schema_check_tells(frame))
		return false;
	expected = json_text(limit);
	got = json_text(frame->value);
	schema_check_fail(frame, frame->where, "expected %s %s, got %s", what, expected,
			  got);
	free(expected);
	free(got);
	return false;
}

bool
schema_check_number(const struct frame *frame)
{
	const struct number_rules *rules = frame->node->number;
	const struct json *value = frame->value;
	bool good = true;

	if (rules == NULL || !schema_number_is(value))
		return true;
	if (rules->min != NULL && schema_number_compare(value, rules->min) < 0)
		good = fail_number(frame, "at least", rules->min);
	if (rules->max != NULL && schema_number_compare(value, rules->max) > 0)
		good = fail_number(frame, "at most", rules->max);
	if (rules->above != NULL && schema_number_compare(value, rules->above) <= 0)
		good = fail_number(frame, "more than", rules->above);
	if (rules->below != NULL && schema_number_compare(value, rules->below) >= 0)
		good = fail_number(frame, "less than", rules->below);
	if (rules->multiple_of != NULL &&
	    !schema_number_divides(value, rules->multiple_of))
		good = fail_number(frame, "a multiple of", rules->multiple_of);
	return good;
}

/* ---- strings ---- */

static int64_t
count_code_points(const char *text, size_t len)
{
	int64_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += (text[i] & 0xc0) != 0x80;
	return count;
}

static bool
check_length(const struct frame *frame, const struct string_rules *rules)
{
	size_t len = json_str_len(frame->value);
	int64_t count;

	if (rules->min == 0 && rules->max == INT64_MAX)
		return true;
	schema_check_spend(frame, (int64_t)len / 16);
	count = count_code_points(json_str(frame->value), len);
	if (count < rules->min)
		return schema_check_fail(frame, frame->where,
					 "expected at least %lld character%s, got %lld",
					 (long long)rules->min,
					 rules->min == 1 ? "" : "s", (long long)count);
	if (count > rules->max)
		return schema_check_fail(frame, frame->where,
					 "expected at most %lld character%s, got %lld",
					 (long long)rules->max,
					 rules->max == 1 ? "" : "s", (long long)count);
	return true;
}

static bool
fail_text(const struct frame *frame, const char *what, const char *name)
{
	char *got;

	if (!schema_check_tells(frame))
		return false;
	got = schema_check_shown(frame->value);
	schema_check_fail(frame, frame->where, "expected %s %.200s, got %s", what, name,
			  got);
	free(got);
	return false;
}

bool
schema_check_string(const struct frame *frame)
{
	const struct string_rules *rules = frame->node->string;
	const char *text = json_str(frame->value);
	size_t len = json_str_len(frame->value);
	bool good;

	if (rules == NULL || text == NULL)
		return true;
	good = check_length(frame, rules);
	if (rules->pattern != NULL &&
	    !schema_check_regex(frame, rules->pattern, text, len))
		good = fail_text(frame, "a text that matches", rules->pattern_text);
	if (rules->format != NULL) {
		schema_check_spend(frame, (int64_t)len / 16);
		if (!schema_format_fits(rules->format, text, len, frame->check->regex))
			good = fail_text(frame, "the format",
					 schema_format_name(rules->format));
	}
	return good;
}
