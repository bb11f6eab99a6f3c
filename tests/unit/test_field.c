/* Values against rows of a table of fields: what is taken, and what is said otherwise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/field.h"
#include "workflow_text.h"

static const char *const colours[] = { "red", "green", NULL };

/* clang-format off */
static const struct field members[] = {
	{ .name = "user", .type = FIELD_TEXT, .required = true, .help = "who" },
	{ 0 },
};

static const struct field table[] = {
	{ .name = "text", .type = FIELD_TEXT, .required = true, .help = "a text" },
	{ .name = "texts", .type = FIELD_TEXTS, .help = "texts" },
	{ .name = "flag", .type = FIELD_FLAG, .help = "a flag" },
	{ .name = "count", .type = FIELD_COUNT, .min = 2, .max = 9, .help = "a count" },
	{ .name = "any_count", .type = FIELD_COUNT, .help = "no maximum" },
	{ .name = "duration", .type = FIELD_DURATION, .help = "a duration" },
	{ .name = "moment", .type = FIELD_MOMENT, .help = "a moment" },
	{ .name = "choice", .type = FIELD_CHOICE, .choices = colours, .help = "one" },
	{ .name = "object", .type = FIELD_OBJECT, .help = "an object" },
	{ .name = "auth", .type = FIELD_OBJECT, .members = members, .help = "with members" },
	{ .name = "pairs", .type = FIELD_PAIRS, .help = "pairs" },
	{ .name = "objects", .type = FIELD_OBJECTS, .help = "objects" },
	{ .name = "any", .type = FIELD_ANY, .help = "anything" },
	{ .name = "left", .type = FIELD_TEXT, .group = 1, .help = "or right" },
	{ .name = "right", .type = FIELD_TEXT, .group = 1, .help = "or left" },
	{ .name = "event", .type = FIELD_TEXT, .later = true, .group = 1 },
	{ 0 },
};

static const struct field one_of[] = {
	{ .name = "for", .type = FIELD_TEXT, .required = true, .group = 1, .help = "f" },
	{ .name = "until", .type = FIELD_TEXT, .required = true, .group = 1, .help = "u" },
	{ 0 },
};

/* The field, its value as JSON, and what is said; NULL: it is taken. */
static const struct {
	const char *name, *value, *said;
} cases[] = {
	{ "text", "\"a\"", NULL },
	{ "text", "\"\"", NULL },
	{ "text", "5", "expected a string, got number" },
	{ "text", "null", "expected a string, got null" },
	{ "texts", "\"a\"", NULL },
	{ "texts", "[\"a\",\"b\"]", NULL },
	{ "texts", "[]", NULL },
	{ "texts", "[\"a\",1]", "expected a list of strings, got number" },
	{ "texts", "1", "expected a string or a list of strings, got number" },
	{ "texts", "null", NULL },
	{ "flag", "true", NULL },
	{ "flag", "\"true\"", "expected true or false, got string" },
	{ "count", "2", NULL },
	{ "count", "9", NULL },
	{ "count", "3.0", NULL },
	{ "count", "1", "1 is less than 2" },
	{ "count", "10", "10 is more than 9" },
	{ "count", "2.5", "expected a whole number, got 2.5" },
	{ "count", "1e300", "expected a whole number, got 1e+300" },
	{ "count", "\"3\"", "expected a whole number, got string" },
	{ "any_count", "9000000000", NULL },
	{ "any_count", "-1", "-1 is less than 0" },
	{ "duration", "1500", NULL },
	{ "duration", "0.5", NULL },
	{ "duration", "\"1h30m\"", NULL },
	{ "duration", "-1", "a duration cannot be negative" },
	{ "duration", "1e18", "a duration is at most 100 years" },
	{ "duration", "[]",
	  "expected milliseconds or a duration such as \"10m\", got array" },
	{ "moment", "\"2026-03-01T09:00:00Z\"", NULL },
	{ "moment", "\"2026-03-01T09:00:00.5+02:00\"", NULL },
	{ "moment", "\"2026-13-01T09:00:00Z\"",
	  "\"2026-13-01T09:00:00Z\" is not a timestamp such as 2026-03-01T09:00:00Z" },
	{ "moment", "\"2026-03-01\"",
	  "\"2026-03-01\" is not a timestamp such as 2026-03-01T09:00:00Z" },
	{ "moment", "1", "expected a timestamp, got number" },
	{ "choice", "\"red\"", NULL },
	{ "choice", "\"blue\"", "\"blue\" is not one of red, green" },
	{ "choice", "1", "expected a string, got number" },
	{ "object", "{}", NULL },
	{ "object", "[]", "expected an object, got array" },
	{ "auth", "{\"user\":\"a\"}", NULL },
	{ "auth", "{}", "\"user\" is required" },
	{ "auth", "{\"user\":1}", "user: expected a string, got number" },
	{ "auth", "{\"usr\":\"a\"}", "unknown key \"usr\"; did you mean \"user\"?" },
	{ "pairs", "{\"a\":\"x\",\"b\":1,\"c\":true,\"d\":1.5,\"e\":null}", NULL },
	{ "pairs", "{\"a\":[]}", "a: expected a string, got array" },
	{ "pairs", "\"a\"", "expected an object, got string" },
	{ "objects", "[{},{}]", NULL },
	{ "objects", "[{},1]", "expected a list of objects, got number" },
	{ "objects", "{}", "expected a list of objects, got object" },
	{ "any", "[1]", NULL },
};
/* clang-format on */

static void
test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct field *field = field_find(table, cases[i].name);
		struct json *value = json_of(cases[i].value);
		struct err err = { 0 };
		int result;

		assert_non_null(field);
		result = field_accepts(field, value, FIELD_RESOLVED, &err);
		assert_int_equal(result, cases[i].said == NULL ? 0 : -1);
		if (cases[i].said != NULL) {
			assert_string_equal(err.text, cases[i].said);
			assert_int_equal(err.kind, ERR_INPUT);
		}
		json_unref(&value);
	}
}

/* In a file a template stands for anything; once resolved it is what it is. */
static void
test_templates_of_a_file(void **state)
{
	static const char *const texts[] = { "\"{{a}}\"", "\"{{a}}m\"" };

	(void)state;
	for (const struct field *field = table; field->name != NULL; field++)
		for (size_t i = 0; i < 2; i++) {
			struct json *value = json_of(texts[i]);
			struct err err = { 0 };
			bool text = field->type == FIELD_TEXT ||
				    field->type == FIELD_TEXTS ||
				    field->type == FIELD_ANY;

			assert_int_equal(
			    field_accepts(field, value, FIELD_WRITTEN, &err), 0);
			assert_int_equal(
			    field_accepts(field, value, FIELD_RESOLVED, &err),
			    text ? 0 : -1);
			json_unref(&value);
		}
}

static void
test_templates_inside_lists(void **state)
{
	struct json *texts = json_of("[\"a\",\"{{b}}\"]");
	struct json *objects = json_of("[{},\"{{b}}\"]");
	const struct field *field = field_find(table, "objects");
	struct err err = { 0 };

	(void)state;
	assert_int_equal(field_accepts(field, objects, FIELD_WRITTEN, &err), 0);
	assert_int_equal(field_accepts(field, objects, FIELD_RESOLVED, &err), -1);
	field = field_find(table, "texts");
	assert_int_equal(field_accepts(field, texts, FIELD_RESOLVED, &err), 0);
	json_unref(&texts);
	json_unref(&objects);
}

static void
check_object(const struct field *fields, const char *text, const char *said)
{
	struct json *object = json_of(text);
	struct err err = { 0 };

	if (field_check(fields, object, FIELD_RESOLVED, &err) < 0) {
		if (said == NULL)
			fail_msg("%s: %s", text, err.text);
		assert_string_equal(err.text, said);
	} else if (said != NULL) {
		fail_msg("%s was taken", text);
	}
	json_unref(&object);
}

static void
test_whole_objects(void **state)
{
	(void)state;
	check_object(table, "{\"text\":\"a\",\"left\":\"b\"}", NULL);
	check_object(table, "{}", "\"text\" is required");
	check_object(table, "null", "\"text\" is required");
	check_object(table, "[]", "expected an object, got array");
	check_object(table, "{\"text\":\"a\",\"flag\":1}",
		     "flag: expected true or false, got number");
	check_object(table, "{\"text\":\"a\",\"auth\":{\"user\":[]}}",
		     "auth: user: expected a string, got array");
	check_object(table, "{\"text\":\"a\",\"zzzzzz\":1}", "unknown key \"zzzzzz\"");
	check_object(table, "{\"txt\":\"a\"}",
		     "unknown key \"txt\"; did you mean \"text\"?");
	check_object(table, "{\"text\":\"a\",\"left\":\"b\",\"right\":\"c\"}",
		     "\"left\" and \"right\" exclude each other");
	check_object(table, "{\"text\":\"a\",\"event\":\"push\"}",
		     "\"event\" is not available in this version");
	check_object(one_of, "{\"until\":\"a\"}", NULL);
	check_object(one_of, "{\"for\":\"a\"}", NULL);
	check_object(one_of, "null", "\"for\" or \"until\" is required");
}

static void
test_durations_and_moments(void **state)
{
	static const struct {
		const char *text;
		usec_t value;
	} durations[] = { { "1500", 1500 * USEC_MS },
			  { "0.25", 250 },
			  { "\"10m\"", 600 * USEC_SECOND },
			  { "0", 0 } },
	  moments[] = { { "\"1970-01-01T00:00:01Z\"", USEC_SECOND },
			{ "\"2026-03-01T09:00:00.250+01:00\"",
			  1772352000 * USEC_SECOND + 250 * USEC_MS },
			{ "\"1969-12-31T23:59:59Z\"", -USEC_SECOND } };

	(void)state;
	for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++) {
		struct json *json = json_of(durations[i].text);
		struct err err = { 0 };
		usec_t value = -1;

		assert_int_equal(field_duration(json, &value, &err), 0);
		assert_int_equal(value, durations[i].value);
		json_unref(&json);
	}
	for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
		struct json *json = json_of(moments[i].text);
		struct err err = { 0 };
		usec_t value = -1;

		assert_int_equal(field_moment(json, &value, &err), 0);
		assert_int_equal(value, moments[i].value);
		json_unref(&json);
	}
}

static void
test_names_of_types(void **state)
{
	(void)state;
	for (int i = 0; i < FIELD_TYPES; i++)
		assert_string_not_equal(field_type_name((enum field_type)i), "unknown");
	assert_string_equal(field_type_name(FIELD_TYPES), "unknown");
}

static void
test_the_page(void **state)
{
	struct buf page = { 0 };

	(void)state;
	field_document(one_of, &page);
	assert_string_equal(buf_text(&page), "| `for` | text | one of | f |\n"
					     "| `until` | text | one of | u |\n");
	buf_clear(&page);
	field_document(members, &page);
	assert_string_equal(buf_text(&page), "| `user` | text | yes | who |\n");
	buf_clear(&page);
	field_document(table, &page);
	assert_null(strstr(buf_text(&page), "event"));
	assert_non_null(
	    strstr(buf_text(&page), "| `flag` | true or false |  | a flag |\n"));
	buf_fini(&page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_templates_of_a_file),
		cmocka_unit_test(test_templates_inside_lists),
		cmocka_unit_test(test_whole_objects),
		cmocka_unit_test(test_durations_and_moments),
		cmocka_unit_test(test_names_of_types),
		cmocka_unit_test(test_the_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
