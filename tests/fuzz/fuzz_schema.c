/*
 * The input is two JSON texts, a schema and a value, a NUL between them; the first byte
 * chooses the draft and whether formats are asserted. Whatever they are: compiling and
 * checking end, problems go with a "no" and with nothing else, the same is said twice,
 * and `not` turns a clear answer around.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lang/schema_regex.h"
#include "json/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct json *
parse(const uint8_t *data, size_t len, bool *good)
{
	struct json *json = NULL;
	struct err err = { 0 };

	*good = len < 100000 && json_parse((const char *)data, len, &json, &err) == 0;
	return json;
}

static void
check_texts(const struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		if (problems->list[i].message[0] == '\0' || problems->list[i].line != 0)
			abort();
}

/* Was there an answer, or did the check break off? */
static bool
is_clear(const struct problems *problems)
{
	static const char *const broken[] = {
		"checking this takes too much work",
		"matching a pattern takes too much work",
		"the schema goes too deep here",
		"the schema refers to itself without end here",
		"there are more problems than are shown",
	};

	for (size_t i = 0; i < problems->count; i++)
		for (size_t k = 0; k < sizeof broken / sizeof broken[0]; k++)
			if (strcmp(problems->list[i].message, broken[k]) == 0)
				return false;
	return true;
}

/* {"not": SCHEMA} of the value: the other answer. */
static void
check_negated(const struct json *json, const struct schema_options *options,
	      const struct json *value, bool good)
{
	struct json *outer = json_new_object();
	struct problems broken = { 0 }, problems = { 0 };
	struct schema *schema;

	json_set(outer, "not", json_copy(json));
	schema = schema_compile(outer, options, &broken);
	if (schema != NULL && schema_check(schema, value, "v", &problems) == good &&
	    is_clear(&problems))
		abort();
	problems_fini(&problems);
	problems_fini(&broken);
	schema_free(&schema);
	json_unref(&outer);
}

/* A reference may mean something else when the schema stands elsewhere. */
static bool
has_names(const char *text, size_t len)
{
	return memmem(text, len, "\"$", 2) != NULL ||
	       memmem(text, len, "\\u", 2) != NULL;
}

static void
check_value(const struct schema *schema, const struct json *value, bool *good,
	    bool *clear)
{
	struct problems problems = { 0 }, again = { 0 };

	*good = schema_check(schema, value, "v", &problems);
	if (*good != (problems.count == 0))
		abort();
	if (schema_check(schema, value, "v", &again) != *good ||
	    again.count != problems.count)
		abort();
	check_texts(&problems);
	*clear = is_clear(&problems);
	problems_fini(&problems);
	problems_fini(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct schema_options options = { .regex = &schema_regex };
	struct problems problems = { 0 };
	struct json *json = NULL, *value = NULL;
	struct schema *schema = NULL;
	const uint8_t *middle;
	bool good, clear, both = false;

	if (len < 2)
		return 0;
	options.draft = (enum schema_draft)(data[0] % SCHEMA_DRAFTS);
	options.assert_formats = (data[0] & 0x20) != 0;
	data++;
	len--;
	middle = memchr(data, '\0', len);
	if (middle == NULL)
		return 0;
	json = parse(data, (size_t)(middle - data), &good);
	if (good)
		value = parse(middle + 1, len - (size_t)(middle - data) - 1, &both);
	if (both)
		schema = schema_compile(json, &options, &problems);
	if (both && (schema == NULL) != (problems.count > 0))
		abort();
	check_texts(&problems);
	if (schema != NULL) {
		check_value(schema, value, &good, &clear);
		if (clear && !has_names((const char *)data, (size_t)(middle - data)))
			check_negated(json, &options, value, good);
	}
	schema_free(&schema);
	problems_fini(&problems);
	json_unref(&json);
	json_unref(&value);
	return 0;
}
