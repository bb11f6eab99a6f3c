/* JSON Schema: messages and places by the table, and the bounds of work and depth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "lang/schema_regex.h"
#include "text_file.h"
#include "json/schema.h"
#include "json/schema_uri.h"

static struct json *
json_of(const char *text)
{
	struct json *json = NULL;
	struct err err = { 0 };

	if (json_parse(text, strlen(text), &json, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return json;
}

static struct schema *
compile_with(const char *text, const struct schema_options *options,
	     struct problems *problems)
{
	struct json *json = json_of(text);
	struct schema *schema = schema_compile(json, options, problems);

	json_unref(&json); /* nothing of it is kept */
	return schema;
}

static const struct schema_options plain = { .regex = &schema_regex };

static struct schema *
compile(const char *text)
{
	struct problems problems = { 0 };
	struct schema *schema = compile_with(text, &plain, &problems);

	if (schema == NULL)
		fail_msg("%s: %s %s", text, problems.list[0].path,
			 problems.list[0].message);
	problems_fini(&problems);
	return schema;
}

static bool
check_text(const struct schema *schema, const char *text, struct problems *problems)
{
	struct json *json = json_of(text);
	bool good = schema_check(schema, json, "input", problems);

	json_unref(&json);
	return good;
}

/* ---- the table ---- */

struct table {
	struct schema *schema;
	struct buf said, expected;
	char *line; /* that the indented ones belong to */
	bool good, wants_good;
	int wrong, count;
};

static void
add_said(struct table *table, const struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		buf_printf(&table->said, "    %s: %s\n", problems->list[i].path,
			   problems->list[i].message);
}

/* All indented lines were read. */
static void
finish(struct table *table)
{
	if (table->line != NULL &&
	    (table->good != table->wants_good ||
	     strcmp(buf_text(&table->said), buf_text(&table->expected)) != 0)) {
		print_error("%s\n%s", table->line, buf_text(&table->said));
		table->wrong++;
	}
	free(table->line);
	table->line = NULL;
	buf_clear(&table->said);
	buf_clear(&table->expected);
}

static void
read_schema(struct table *table, const struct schema_options *options, const char *text,
	    bool wants_good)
{
	struct problems problems = { 0 };

	schema_free(&table->schema);
	table->schema = compile_with(text, options, &problems);
	table->good = table->schema != NULL;
	table->wants_good = wants_good;
	add_said(table, &problems);
	problems_fini(&problems);
}

static void
read_value(struct table *table, const char *text, bool wants_good)
{
	struct problems problems = { 0 };

	if (table->schema == NULL)
		fail_msg("no schema above: %s", text);
	table->good = check_text(table->schema, text, &problems);
	table->wants_good = wants_good;
	add_said(table, &problems);
	problems_fini(&problems);
}

static void
read_line(struct table *table, const char *line)
{
	static const struct schema_options old = { .regex = &schema_regex,
						   .draft = SCHEMA_7 };
	static const struct schema_options strict = { .regex = &schema_regex,
						      .assert_formats = true };
	static const struct {
		const char *word;
		const struct schema_options *options; /* NULL: a value */
		bool wants_good;
	} kinds[] = {
		{ "schema ", &plain, true }, { "formats ", &strict, true },
		{ "draft7 ", &old, true },   { "broken ", &plain, false },
		{ "broken7 ", &old, false }, { "yes ", NULL, true },
		{ "no ", NULL, false },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		size_t len = strlen(kinds[i].word);

		if (strncmp(line, kinds[i].word, len) != 0)
			continue;
		table->line = xstrdup(line);
		table->count++;
		if (kinds[i].options != NULL)
			read_schema(table, kinds[i].options, line + len,
				    kinds[i].wants_good);
		else
			read_value(table, line + len, kinds[i].wants_good);
		return;
	}
	fail_msg("a line of no kind: %s", line);
}

static void
test_table(void **state)
{
	char *text = text_file_read(TESTS_DIR "/tables/schema.txt", NULL);
	struct table table = { 0 };
	char *rest = text, *line;

	(void)state;
	assert_non_null(text);
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (strncmp(line, "    ", 4) == 0) {
			buf_printf(&table.expected, "%s\n", line);
			continue;
		}
		finish(&table);
		if (line[0] != '\0' && line[0] != '#')
			read_line(&table, line);
	}
	finish(&table);
	assert_int_equal(table.wrong, 0);
	assert_true(table.count > 200);
	schema_free(&table.schema);
	buf_fini(&table.said);
	buf_fini(&table.expected);
	free(text);
}

/* ---- documents and dialects ---- */

static void
test_documents_that_were_handed_in(void **state)
{
	struct json *other = json_of("{\"$defs\":{\"a\":{\"type\":\"null\"}}}");
	struct json *bad = json_of("{\"minLength\":\"x\"}");
	struct schema_document documents[] = {
		{ "https://example.com/other.json", other },
		{ "https://example.com/bad.json", bad },
	};
	struct schema_options options = { .documents = documents,
					  .documents_count = 2 };
	struct problems problems = { 0 };
	struct schema *schema =
	    compile_with("{\"$id\":\"https://example.com/top.json\","
			 "\"$ref\":\"other.json#/$defs/a\"}",
			 &options, &problems);

	(void)state;
	json_unref(&other);
	assert_int_equal(problems.count, 0);
	assert_true(check_text(schema, "null", &problems));
	assert_false(check_text(schema, "1", &problems));
	problems_fini(&problems);
	schema_free(&schema);
	options.documents++;
	options.documents_count--;
	assert_null(compile_with("{\"$ref\":\"https://example.com/bad.json\"}",
				 &options, &problems));
	assert_string_equal(problems.list[0].path,
			    "https://example.com/bad.json#/minLength");
	problems_fini(&problems);
	json_unref(&bad);
}

static void
test_vocabularies(void **state)
{
	struct json *meta =
	    json_of("{\"$vocabulary\":{\"https://json-schema.org/draft/2020-12/vocab/"
		    "core\":true,"
		    "\"https://json-schema.org/draft/2020-12/vocab/applicator\":true,"
		    "\"https://example.com/nice\":false}}");
	struct json *strange =
	    json_of("{\"$vocabulary\":{\"https://example.com/needed\":true}}");
	struct schema_document documents[] = { { "https://example.com/meta", meta },
					       { "https://example.com/strange",
						 strange } };
	struct schema_options options = { .documents = documents,
					  .documents_count = 2 };
	struct problems problems = { 0 };
	struct schema *schema =
	    compile_with("{\"$schema\":\"https://example.com/meta\","
			 "\"properties\":{\"a\":{\"minimum\":5},\"b\":false}}",
			 &options, &problems);

	(void)state;
	assert_true(check_text(schema, "{\"a\":1}", &problems));
	assert_false(check_text(schema, "{\"b\":1}", &problems));
	problems_fini(&problems);
	schema_free(&schema);
	assert_null(compile_with("{\"$schema\":\"https://example.com/strange\"}",
				 &options, &problems));
	assert_string_equal(problems.list[0].message,
			    "needs the unknown vocabulary https://example.com/needed");
	problems_fini(&problems);
	json_unref(&meta);
	json_unref(&strange);
}

static void
test_without_an_engine_patterns_are_refused(void **state)
{
	const struct schema_options none = { 0 };
	struct problems problems = { 0 };

	(void)state;
	assert_null(compile_with("{\"pattern\":\"a\"}", &none, &problems));
	assert_string_equal(problems.list[0].message,
			    "patterns are not available here");
	problems_fini(&problems);
}

/* ---- bounds ---- */

static void
test_problems_are_bounded(void **state)
{
	struct schema *schema = compile("{\"items\":{\"type\":\"null\"}}");
	struct problems problems = { 0 };
	struct buf text = { 0 };

	(void)state;
	for (int i = 0; i < 5000; i++)
		buf_str(&text, i == 0 ? "[1" : ",1");
	buf_char(&text, ']');
	assert_false(check_text(schema, buf_text(&text), &problems));
	assert_int_equal(problems.count, SCHEMA_PROBLEMS_MAX);
	/* a full list takes no more, but the answer is the same */
	assert_false(check_text(schema, "[1]", &problems));
	assert_null(compile_with("{\"type\":1}", &plain, &problems));
	problems_fini(&problems);
	schema_free(&schema);
	buf_clear(&text);
	for (int i = 0; i < 5000; i++)
		buf_str(&text, i == 0 ? "{\"allOf\":[1" : ",1");
	buf_str(&text, "]}");
	assert_null(compile_with(buf_text(&text), &plain, &problems));
	assert_int_equal(problems.count, SCHEMA_PROBLEMS_MAX);
	problems_fini(&problems);
	buf_fini(&text);
}

/* Each definition asks twice for the next: 2^60 ways to the last. */
static void
test_work_is_bounded(void **state)
{
	struct problems problems = { 0 };
	struct buf text = { 0 };
	struct schema *schema;

	(void)state;
	buf_str(&text, "{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
	for (int i = 0; i < 60; i++)
		buf_printf(&text,
			   "\"d%d\":{\"allOf\":[{\"$ref\":\"#/$defs/d%d\"},"
			   "{\"$ref\":\"#/$defs/d%d\"}]},",
			   i, i + 1, i + 1);
	buf_str(&text, "\"d60\":{}}}");
	schema = compile(buf_text(&text));
	assert_false(check_text(schema, "1", &problems));
	assert_int_equal(problems.count, 1);
	assert_string_equal(problems.list[0].message,
			    "checking this takes too much work");
	problems_fini(&problems);
	schema_free(&schema);
	buf_fini(&text);
}

static void
test_depth_is_bounded(void **state)
{
	struct problems problems = { 0 };
	struct buf text = { 0 };
	struct schema *schema;

	(void)state;
	buf_str(&text, "{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
	for (int i = 0; i < SCHEMA_DEPTH_MAX + 10; i++)
		buf_printf(&text, "\"d%d\":{\"anyOf\":[{\"$ref\":\"#/$defs/d%d\"}]},",
			   i, i + 1);
	buf_printf(&text, "\"d%d\":{}}}", SCHEMA_DEPTH_MAX + 10);
	schema = compile(buf_text(&text));
	assert_false(check_text(schema, "1", &problems));
	assert_string_equal(problems.list[problems.count - 1].message,
			    "the schema goes too deep here");
	problems_fini(&problems);
	schema_free(&schema);
	buf_fini(&text);
}

static void
test_patterns_are_bounded(void **state)
{
	struct problems problems = { 0 };
	struct buf text = { 0 };

	(void)state;
	buf_str(&text, "{\"allOf\":[true");
	for (int i = 0; i < 100; i++)
		buf_str(&text, ",{\"pattern\":\"(abcde){900}\"}");
	buf_str(&text, "]}");
	assert_null(compile_with(buf_text(&text), &plain, &problems));
	assert_string_equal(problems.list[0].message,
			    "all patterns together are too large");
	problems_fini(&problems);
	buf_fini(&text);
}

/* 200,000 items, all different, and the last one twice: not one with all others. */
static void
test_many_items_are_told_apart(void **state)
{
	struct schema *schema = compile("{\"uniqueItems\":true}");
	struct json *array = json_new_array();
	struct problems problems = { 0 };

	(void)state;
	for (int i = 0; i < 200000; i++)
		json_append(array, json_new_int(i));
	assert_true(schema_check(schema, array, "list", &problems));
	json_append(array, json_new_double(77));
	assert_false(schema_check(schema, array, "list", &problems));
	assert_string_equal(problems.list[0].path, "list");
	assert_string_equal(
	    problems.list[0].message,
	    "expected items that differ, but [77] and [200000] are the same");
	problems_fini(&problems);
	json_unref(&array);
	schema_free(&schema);
}

/* ---- rooms ---- */

static void
test_uris(void **state)
{
	/* RFC 3986, 5.4 and some of ours */
	static const struct {
		const char *base, *reference, *expected;
	} cases[] = {
		{ "http://a/b/c/d;p?q", "g:h", "g:h" },
		{ "http://a/b/c/d;p?q", "g", "http://a/b/c/g" },
		{ "http://a/b/c/d;p?q", "./g", "http://a/b/c/g" },
		{ "http://a/b/c/d;p?q", "g/", "http://a/b/c/g/" },
		{ "http://a/b/c/d;p?q", "/g", "http://a/g" },
		{ "http://a/b/c/d;p?q", "//g", "http://g" },
		{ "http://a/b/c/d;p?q", "?y", "http://a/b/c/d;p?y" },
		{ "http://a/b/c/d;p?q", "g?y", "http://a/b/c/g?y" },
		{ "http://a/b/c/d;p?q", "", "http://a/b/c/d;p?q" },
		{ "http://a/b/c/d;p?q", ".", "http://a/b/c/" },
		{ "http://a/b/c/d;p?q", "..", "http://a/b/" },
		{ "http://a/b/c/d;p?q", "../g", "http://a/b/g" },
		{ "http://a/b/c/d;p?q", "../../g", "http://a/g" },
		{ "http://a/b/c/d;p?q", "../../../g", "http://a/g" },
		{ "http://a/b/c/d;p?q", "/./g", "http://a/g" },
		{ "http://a/b/c/d;p?q", "g.", "http://a/b/c/g." },
		{ "http://a/b/c/d;p?q", "..g", "http://a/b/c/..g" },
		{ "http://a/b/c/d;p?q", "./g/.", "http://a/b/c/g/" },
		{ "http://a", "g", "http://a/g" },
		{ "", "g", "g" },
		{ "urn:a:b", "", "urn:a:b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *got = schema_uri_resolve(cases[i].base, cases[i].reference,
					       strlen(cases[i].reference));

		assert_string_equal(got, cases[i].expected);
		free(got);
	}
}

static void
test_patterns(void **state)
{
	static const struct {
		const char *pattern, *expected; /* in RE2's words, or the error */
	} cases[] = {
		{ "^a+[^b-d]$", "^a+[^b-d]$" },
		{ "a.b", "a[^\\n\\r\\x{2028}\\x{2029}]b" },
		{ "[.[]", "[.\\[]" },
		{ "[]a[^]", "[^\\x{0}-\\x{10ffff}]a[\\x{0}-\\x{10ffff}]" },
		{ "\\d\\W\\t\\/\\$\\-\\_", "\\d\\W\\t\\/\\$\\-_" },
		{ "\\u0041\\x42\\cJ\\0", "\\x{41}\\x{42}\\x{a}\\x{0}" },
		{ "\\u{1f600}\\ud83d\\ude00\\ud83d", "\\x{1f600}\\x{1f600}\\x{fffd}" },
		{ "\\b[\\b]", "\\b[\\x{8}]" },
		{ "\\p{Letter}\\P{gc=Lu}\\p{Nd}", "\\p{L}\\P{Lu}\\p{Nd}" },
		{ "(?<a>b)(?:c)", "(?P<a>b)(?:c)" },
		{ "\\ä", "ä" },
		{ "ä\\a", "character 2: there is no such escape" },
		{ "\\", "character 1: nothing stands behind the \\" },
		{ "\\u12", "character 1: expected four hex digits behind \\u" },
		{ "\\u{110000}",
		  "character 1: expected a character's number, as in \\u{1f600}" },
		{ "\\x1", "character 1: expected two hex digits behind \\x" },
		{ "\\c1", "character 1: expected a letter behind \\c" },
		{ "\\01", "character 1: characters are not written in octal digits" },
		{ "\\pL", "character 1: expected a category in braces, as in \\p{L}" },
		{ "\\p{L", "character 1: the } of the category is missing" },
		{ "[\\B]", "character 2: \\B has no meaning in a class" },
		{ "(?<=a)", "character 1: looking ahead and behind is not available" },
		{ "(a)\\1",
		  "character 4: references back (\\1, \\k) are not available" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf out = { 0 };
		struct err err = { 0 };
		int status = schema_regex_translate(
		    cases[i].pattern, strlen(cases[i].pattern), &out, &err);

		assert_string_equal(status == 0 ? buf_text(&out) : err.text,
				    cases[i].expected);
		buf_fini(&out);
	}
}

/* What \s and \S mean must not depend on where they stand. */
static void
test_spaces(void **state)
{
	static const char *const patterns[] = { "^\\s$", "^[\\s]$", "^\\S$", "^[\\S]$",
						"^[^\\s]$" };
	static const struct {
		const char *text;
		bool space;
	} cases[] = {
		{ " ", true },
		{ "\t", true },
		{ "\v", true },
		{ "\xc2\xa0", true },
		{ "\xe2\x80\x89", true },
		{ "\xe2\x80\xa9", true },
		{ "\xe3\x80\x80", true },
		{ "\xef\xbb\xbf", true },
		{ "a", false },
		{ "\x1f", false },
		{ "\xc2\x85", false },
		{ "\xe2\x80\x8b", false },
		{ "\xf0\x9f\x98\x80", false },
	};

	(void)state;
	for (size_t p = 0; p < sizeof patterns / sizeof patterns[0]; p++) {
		struct err err = { 0 };
		void *regex =
		    schema_regex.compile(patterns[p], strlen(patterns[p]), &err);

		assert_non_null(regex);
		for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
			int64_t budget = 10000;

			assert_int_equal(schema_regex.match(regex, cases[i].text,
							    strlen(cases[i].text),
							    &budget),
					 cases[i].space == (p < 2));
		}
		schema_regex.free(regex);
	}
}

static void
test_a_spent_budget_is_told(void **state)
{
	struct err err = { 0 };
	void *regex = schema_regex.compile("a*b", 3, &err);
	int64_t budget = 3;

	(void)state;
	assert_int_equal(schema_regex.match(regex, "aaaaaaaaaaaa", 12, &budget), -1);
	schema_regex.free(regex);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_documents_that_were_handed_in),
		cmocka_unit_test(test_vocabularies),
		cmocka_unit_test(test_without_an_engine_patterns_are_refused),
		cmocka_unit_test(test_problems_are_bounded),
		cmocka_unit_test(test_work_is_bounded),
		cmocka_unit_test(test_depth_is_bounded),
		cmocka_unit_test(test_patterns_are_bounded),
		cmocka_unit_test(test_many_items_are_told_apart),
		cmocka_unit_test(test_uris),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_spaces),
		cmocka_unit_test(test_a_spent_budget_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
