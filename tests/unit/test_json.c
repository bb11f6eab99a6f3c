/* JSON: the table of documents, limits, values, equality, getters, what is storable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/xalloc.h"
#include "json/json.h"

#define BAD "\xef\xbf\xbd"

static struct json *
parse(const char *text)
{
	struct json *json = NULL;
	struct err err = { 0 };

	if (json_parse(text, strlen(text), &json, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return json;
}

static void
assert_writes(const struct json *json, const char *expected)
{
	char *text = json_text(json);

	assert_string_equal(text, expected);
	free(text);
}

/* "<0a>" to the byte, for lines of the table. */
static void
read_bytes(const char *text, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		if (i + 3 < len && text[i] == '<' && text[i + 3] == '>' &&
		    hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
			buf_char(out, (char)(hex_value(text[i + 1]) << 4 |
					     hex_value(text[i + 2])));
			i += 3;
		} else {
			buf_char(out, text[i]);
		}
	}
}

static void
check_document(int line, const struct buf *document, bool good,
	       const struct buf *expected)
{
	/* a copy of just this size, so that the sanitizer sees a byte read behind it */
	char *text = xmemdup(buf_text(document), document->len);
	struct json *json = NULL;
	struct err err = { 0 };
	struct buf got = { 0 };
	int status = json_parse(text, document->len, &json, &err);

	if (status == 0)
		json_write(json, &got);
	else
		buf_str(&got, err.text);
	if ((status == 0) != good || strcmp(buf_text(&got), buf_text(expected)) != 0)
		fail_msg("json.txt:%d: got %s", line, buf_text(&got));
	if (status < 0)
		assert_int_equal(err.kind, ERR_INPUT);
	json_unref(&json);
	buf_fini(&got);
	free(text);
}

static void
check_line(int number, const char *line)
{
	const char *document = strchr(line, ' '), *arrow = strstr(line, " ==> ");
	struct buf input = { 0 }, expected = { 0 };

	if (arrow == NULL || document == NULL)
		fail_msg("json.txt:%d: no \" ==> \"", number);
	document += document < arrow;
	read_bytes(document, (size_t)(arrow - document), &input);
	read_bytes(arrow + 5, strlen(arrow + 5), &expected);
	check_document(number, &input, strncmp(line, "yes ", 4) == 0, &expected);
	buf_fini(&input);
	buf_fini(&expected);
}

static void
test_the_table(void **state)
{
	FILE *file = fopen(TESTS_DIR "/tables/json.txt", "r");
	int number = 0, checked = 0;
	char line[1000];

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof line, file) != NULL) {
		number++;
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || line[0] == '\0')
			continue;
		check_line(number, line);
		checked++;
	}
	fclose(file);
	assert_true(checked > 200);
}

/* depth containers inside one another, the two kinds in turn. */
static char *
nested(int depth)
{
	struct buf text = { 0 };

	for (int i = 0; i < depth; i++)
		buf_str(&text, i % 2 == 0 ? "[" : "{\"a\":");
	buf_str(&text, "1");
	for (int i = depth - 1; i >= 0; i--)
		buf_str(&text, i % 2 == 0 ? "]" : "}");
	return buf_take(&text);
}

static void
test_depth_ends_at_the_limit(void **state)
{
	char *good = nested(JSON_DEPTH_MAX), *bad = nested(JSON_DEPTH_MAX + 1);
	struct json *json = parse(good);
	struct err err = { 0 };
	char *deep = malloc(1000000);

	(void)state;
	assert_writes(json, good);
	json_unref(&json);
	assert_int_equal(json_parse(bad, strlen(bad), &json, &err), -1);
	assert_string_equal(err.text, "line 1, column 193: nested too deeply");
	memset(deep, '[', 1000000);
	assert_int_equal(json_parse(deep, 1000000, &json, &err), -1);
	assert_string_equal(err.text, "line 1, column 65: nested too deeply");
	assert_null(json);
	free(good);
	free(bad);
	free(deep);
}

static void
test_numbers_end_at_the_limit(void **state)
{
	struct json *json = NULL;
	struct err err = { 0 };
	char text[403];

	(void)state;
	memset(text, '7', sizeof text);
	assert_int_equal(json_parse(text, 308, &json, &err), 0);
	assert_int_equal(json_type(json), JSON_DOUBLE);
	json_unref(&json);
	assert_int_equal(json_parse(text, 310, &json, &err), -1);
	assert_string_equal(err.text, "line 1, column 1: the number is too large");
	text[1] = '.';
	assert_int_equal(json_parse(text, 400, &json, &err), 0);
	json_unref(&json);
	assert_int_equal(json_parse(text, 401, &json, &err), -1);
	assert_string_equal(err.text, "line 1, column 1: the number is too long");
}

static void
test_many_keys_are_told_apart(void **state)
{
	struct buf text = { 0 };
	struct json *json = NULL;
	struct err err = { 0 };

	(void)state;
	buf_char(&text, '{');
	for (int i = 0; i < 20000; i++)
		buf_printf(&text, "\"k%d\":{\"k%d\":%d},", i, i, i);
	buf_str(&text, "\"last\":1}");
	assert_int_equal(json_parse(text.data, text.len, &json, &err), 0);
	assert_int_equal(json_count(json), 20001);
	assert_int_equal(json_int(json_get(json_get(json, "k777"), "k777")), 777);
	json_unref(&json);
	text.len -= 8;
	buf_str(&text, "k9999\":1}");
	assert_int_equal(json_parse(text.data, text.len, &json, &err), -1);
	assert_non_null(strstr(err.text, "the key stands here a second time"));
	buf_fini(&text);
}

static void
test_doubles_come_back_the_same(void **state)
{
	uint64_t seed = 9;
	struct json *json, *back;
	double number;
	char *text;

	(void)state;
	for (int i = 0; i < 50000; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		memcpy(&number, &seed, sizeof number);
		if (!isfinite(number))
			continue;
		if (i % 3 == 0)
			number = (double)(seed >> 40) / 1000;
		json = json_new_double(number);
		text = json_text(json);
		back = parse(text);
		assert_int_equal(json_type(back), JSON_DOUBLE);
		number = json_double(back); /* bit by bit, for -0.0 */
		assert_int_equal(signbit(number), signbit(json_double(json)));
		assert_true(number == json_double(json));
		free(text);
		json_unref(&json);
		json_unref(&back);
	}
}

static void
test_building_and_reading(void **state)
{
	struct json *object = json_new_object(), *array = json_new_array(), *copy;

	(void)state;
	json_append(array, json_new_int(INT64_MIN));
	json_append(array, NULL);
	json_append(array, json_new_str_len("a\0b", 3));
	json_append(array, json_new_double(INFINITY));
	json_append(array, json_new_double(NAN));
	json_set(object, "list", array);
	json_set(object, "yes", json_new_bool(true));
	json_set(object, "none", json_new_str(NULL));
	json_set(object, "empty", json_new_str_len(NULL, 0));
	json_set_len(object, "x\0y\xff", 4, json_new_int(1));
	json_set(object, "gone", json_new_int(1));
	json_remove(object, "gone");
	json_set(object, "yes", json_new_bool(false));
	assert_writes(object, "{\"list\":[-9223372036854775808,null,\"a\\u0000b\",null,"
			      "null],\"yes\":false,\"none\":null,\"empty\":\"\",\"x" BAD
			      "y" BAD "\":1}");
	assert_int_equal(json_count(object), 5);
	assert_int_equal(json_count(json_get(object, "list")), 5);
	assert_int_equal(json_str_len(json_at(json_get(object, "list"), 2)), 3);
	assert_memory_equal(json_str(json_at(json_get(object, "list"), 2)), "a\0b", 4);
	assert_true(json_has(object, "none"));
	assert_false(json_has(object, "nothing"));
	assert_true(json_has_len(object, "nonesuch", 4));
	assert_false(json_has_len(object, "none\0", 5));
	assert_ptr_equal(json_get_len(object, "listless", 4), array);
	copy = json_copy(object);
	assert_ptr_not_equal(copy, object);
	assert_true(json_equal(copy, object));
	json_append(json_get(copy, "list"), NULL);
	assert_false(json_equal(copy, object));
	json_unref(&copy);
	assert_null(copy);
	json_unref(&object);
}

static void
test_long_keys_are_found(void **state)
{
	struct json *object = json_new_object();
	char key[1001];

	(void)state;
	memset(key, 'k', sizeof key);
	for (size_t len = 100; len <= 1000; len += 100)
		json_set_len(object, key, len, json_new_int((int64_t)len));
	for (size_t len = 100; len <= 1000; len += 100)
		assert_int_equal(json_int(json_get_len(object, key, len)), len);
	assert_null(json_get_len(object, key, 127));
	assert_null(json_get_len(object, key, 128));
	json_unref(&object);
}

static void
test_the_wrong_type_reads_as_nothing(void **state)
{
	static const char *const texts[] = { "null",  "true", "1", "1.5",
					     "\"x\"", "[1]",  "{}" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct json *json = parse(texts[i]);
		enum json_type type = json_type(json);
		struct json_iter it = json_iter(json);

		assert_int_equal(type, i);
		assert_int_equal(json_bool(json), type == JSON_BOOL);
		assert_int_equal(json_int(json),
				 type == JSON_INT || type == JSON_DOUBLE);
		assert_true((json_double(json) != 0) ==
			    (type == JSON_INT || type == JSON_DOUBLE));
		assert_int_equal(json_str(json) != NULL, type == JSON_STRING);
		assert_int_equal(json_str_len(json), type == JSON_STRING);
		assert_int_equal(json_count(json), type == JSON_ARRAY);
		assert_int_equal(json_at(json, 0) != NULL, type == JSON_ARRAY);
		assert_null(json_at(json, 1));
		assert_null(json_get(json, "x"));
		assert_false(json_has(json, "x"));
		assert_false(json_next(&it));
		json_remove(json, "x");
		json_unref(&json);
	}
	assert_string_equal(json_type_name(JSON_DOUBLE), "number");
	assert_string_equal(json_type_name(JSON_TYPES), "unknown");
}

static void
test_integers_of_doubles_are_saturated(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
	} cases[] = {
		{ "1.9", 1 },
		{ "-1.9", -1 },
		{ "1e300", INT64_MAX },
		{ "-1e300", INT64_MIN },
		{ "0.5", 0 },
		{ "9223372036854775808", INT64_MAX },
		{ "-9223372036854775809", INT64_MIN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct json *json = parse(cases[i].text);

		assert_true(json_int(json) == cases[i].value);
		json_unref(&json);
	}
}

static void
check_equal(const char *a_text, const char *b_text, bool expected)
{
	struct json *a = parse(a_text), *b = parse(b_text);

	if (json_equal(a, b) != expected || json_equal(b, a) != expected)
		fail_msg("%s and %s", a_text, b_text);
	json_unref(&a);
	json_unref(&b);
}

static void
test_equality(void **state)
{
	(void)state;
	check_equal("null", "null", true);
	check_equal("null", "false", false);
	check_equal("1", "1.0", true);
	check_equal("1", "1.5", false);
	check_equal("1", "true", false);
	check_equal("1", "\"1\"", false);
	check_equal("0", "-0.0", true);
	check_equal("9007199254740993", "9007199254740992.0", false);
	check_equal("9007199254740992", "9007199254740992.0", true);
	check_equal("9223372036854775807", "9223372036854775808", false);
	check_equal("-9223372036854775808", "-9223372036854775808.0", true);
	check_equal("\"a\"", "\"\\u0061\"", true);
	check_equal("\"a\"", "\"a\\u0000\"", false);
	check_equal("\"a\\u0000b\"", "\"a\\u0000c\"", false);
	check_equal("[1,2]", "[1,2.0]", true);
	check_equal("[1,2]", "[2,1]", false);
	check_equal("[1]", "[1,1]", false);
	check_equal("[]", "{}", false);
	check_equal("{\"a\":1,\"b\":[]}", "{\"b\":[],\"a\":1}", true);
	check_equal("{\"a\":null}", "{}", false);
	check_equal("{\"a\":null}", "{\"b\":null}", false);
	check_equal("{\"a\":1}", "{\"a\":2}", false);
}

static void
test_iteration_in_order_with_removal(void **state)
{
	struct json *object = parse("{\"z\":1,\"a\":null,\"m\":3}");
	const char *expected = "zam";

	(void)state;
	for (struct json_iter it = json_iter(object); json_next(&it);) {
		assert_int_equal(it.key_len, 1);
		assert_int_equal(it.key[0], *expected++);
		json_remove(object, it.key);
	}
	assert_int_equal(*expected, '\0');
	assert_writes(object, "{}");
	json_unref(&object);
}

static void
test_references(void **state)
{
	struct json *a = parse("[1]"), *b = json_ref(a);

	(void)state;
	json_unref(&a);
	assert_null(a);
	assert_writes(b, "[1]");
	json_unref(&b);
	json_unref(&b);
	assert_null(json_ref(NULL));
	assert_null(json_copy(NULL));
}

static void
test_wanted_strings(void **state)
{
	struct json *object =
	    parse("{\"s\":\"text\",\"n\":null,\"i\":5,\"o\":{},\"z\":\"a\\u0000b\"}");
	const char *text = "before";
	struct err err = { 0 };

	(void)state;
	assert_int_equal(json_want_str(object, "absent", &text, &err), 0);
	assert_int_equal(json_want_str(object, "n", &text, &err), 0);
	assert_string_equal(text, "before");
	assert_int_equal(json_want_str(object, "i", &text, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_string_equal(err.text, "i: expected a string, got a number");
	assert_int_equal(json_want_str(object, "o", &text, &err), -1);
	assert_string_equal(err.text, "o: expected a string, got an object");
	assert_int_equal(json_want_str(object, "z", &text, &err), -1);
	assert_string_equal(err.text, "z: contains a NUL character");
	assert_string_equal(text, "before");
	assert_int_equal(json_want_str(object, "s", &text, &err), 0);
	assert_string_equal(text, "text");
	json_unref(&object);
}

static void
test_wanted_numbers_and_booleans(void **state)
{
	struct json *object =
	    parse("{\"a\":5,\"b\":5.0,\"c\":5.5,\"d\":1e300,\"e\":\"5\","
		  "\"t\":true,\"f\":-1}");
	int64_t number = 42;
	bool flag = false;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(json_want_int(object, "absent", 0, 9, &number, &err), 0);
	assert_int_equal(number, 42);
	assert_int_equal(json_want_int(object, "a", 0, 9, &number, &err), 0);
	assert_int_equal(number, 5);
	assert_int_equal(json_want_int(object, "b", 5, 5, &number, &err), 0);
	assert_int_equal(json_want_int(object, "a", 0, 4, &number, &err), -1);
	assert_string_equal(err.text, "a: 5 is more than 4");
	assert_int_equal(json_want_int(object, "f", 0, 4, &number, &err), -1);
	assert_string_equal(err.text, "f: -1 is less than 0");
	assert_int_equal(json_want_int(object, "c", 0, 9, &number, &err), -1);
	assert_string_equal(err.text, "c: expected an integer, got a fraction");
	assert_int_equal(json_want_int(object, "d", 0, 9, &number, &err), -1);
	assert_int_equal(json_want_int(object, "e", 0, 9, &number, &err), -1);
	assert_string_equal(err.text, "e: expected an integer, got a string");
	assert_int_equal(number, 5);
	assert_int_equal(json_want_bool(object, "absent", &flag, &err), 0);
	assert_false(flag);
	assert_int_equal(json_want_bool(object, "t", &flag, &err), 0);
	assert_true(flag);
	assert_int_equal(json_want_bool(object, "a", &flag, &err), -1);
	assert_string_equal(err.text, "a: expected a boolean, got a number");
	json_unref(&object);
}

static void
test_storable_values_pass_untouched(void **state)
{
	struct json *json = parse("{\"a\":[1,null,\"x\\u0001\xc3\xa9\",{\"b\":1.5}]}");
	struct json *before = json;
	bool changed = true;

	(void)state;
	json = json_storable(json, &changed);
	assert_false(changed);
	assert_ptr_equal(json, before);
	json_unref(&json);
	assert_null(json_storable(NULL, &changed));
	assert_false(changed);
}

static void
test_unstorable_values_are_repaired(void **state)
{
	struct json *json =
	    parse("{\"a\":[\"x\\u0000y\",1,null,{\"b\":1.5,\"c\":true}]}");
	struct json *held = json_ref(json);
	bool changed = false;

	(void)state;
	json = json_storable(json, &changed);
	assert_true(changed);
	assert_writes(json, "{\"a\":[\"x" BAD "y\",1,null,{\"b\":1.5,\"c\":true}]}");
	assert_writes(held, "{\"a\":[\"x\\u0000y\",1,null,{\"b\":1.5,\"c\":true}]}");
	json_unref(&json);
	json_unref(&held);

	json = json_storable(json_new_str_len("\xed\xa0\x80z", 4), NULL);
	assert_writes(json, "\"" BAD BAD BAD "z\"");
	json_unref(&json);

	json = json_new_object();
	json_set(json, "k\xff", json_new_int(1));
	json = json_storable(json, &changed);
	assert_true(changed);
	assert_true(json_has(json, "k" BAD));
	json_unref(&json);
}

static void
check_scalar(const char *text, bool quoted, const char *expected)
{
	struct doc *doc = doc_new(DOC_SCALAR, 1, 1);
	struct json *json;

	doc->text = xstrdup(text);
	doc->len = strlen(text);
	doc->quoted = quoted;
	json = json_from_doc(doc);
	assert_writes(json, expected);
	json_unref(&json);
	doc_free(&doc);
}

static void
test_the_core_schema_of_yaml(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "", "null" },
		{ "~", "null" },
		{ "null", "null" },
		{ "Null", "null" },
		{ "NULL", "null" },
		{ "nULL", "\"nULL\"" },
		{ "true", "true" },
		{ "True", "true" },
		{ "TRUE", "true" },
		{ "false", "false" },
		{ "False", "false" },
		{ "FALSE", "false" },
		{ "yes", "\"yes\"" },
		{ "on", "\"on\"" },
		{ "no", "\"no\"" },
		{ "tRUE", "\"tRUE\"" },
		{ "0", "0" },
		{ "12", "12" },
		{ "-12", "-12" },
		{ "+12", "12" },
		{ "012", "12" },
		{ "-0", "0" },
		{ "0o14", "12" },
		{ "0x1F", "31" },
		{ "0xff", "255" },
		{ "0o8", "\"0o8\"" },
		{ "0xg", "\"0xg\"" },
		{ "0x", "\"0x\"" },
		{ "0o", "\"0o\"" },
		{ "-0x1", "\"-0x1\"" },
		{ "0b1", "\"0b1\"" },
		{ "1_000", "\"1_000\"" },
		{ "12:30", "\"12:30\"" },
		{ "9223372036854775807", "9223372036854775807" },
		{ "9223372036854775808", "9.223372036854776e+18" },
		{ "-9223372036854775808", "-9223372036854775808" },
		{ "0xffffffffffffffffff", "\"0xffffffffffffffffff\"" },
		{ "1.5", "1.5" },
		{ ".5", "0.5" },
		{ "5.", "5.0" },
		{ "-.5", "-0.5" },
		{ "+1.5", "1.5" },
		{ "1e3", "1000.0" },
		{ "1E-3", "0.001" },
		{ "1.e2", "100.0" },
		{ ".", "\".\"" },
		{ "1e", "\"1e\"" },
		{ "1e+", "\"1e+\"" },
		{ "e3", "\"e3\"" },
		{ "1.5.2", "\"1.5.2\"" },
		{ "1e999", "\"1e999\"" },
		{ ".inf", "\".inf\"" },
		{ "-.inf", "\"-.inf\"" },
		{ ".nan", "\".nan\"" },
		{ "nan", "\"nan\"" },
		{ "inf", "\"inf\"" },
		{ "-", "\"-\"" },
		{ "+", "\"+\"" },
		{ "1 ", "\"1 \"" },
		{ " 1", "\" 1\"" },
		{ "2024-01-01", "\"2024-01-01\"" },
		{ "1h30m", "\"1h30m\"" },
		{ "text", "\"text\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		check_scalar(cases[i].text, false, cases[i].expected);
	check_scalar("true", true, "\"true\"");
	check_scalar("", true, "\"\"");
	check_scalar("12", true, "\"12\"");
}

static void
test_a_document_tree(void **state)
{
	struct doc *map = doc_new(DOC_MAP, 1, 1), *list = doc_new(DOC_LIST, 1, 3);
	struct doc *key = doc_new(DOC_SCALAR, 1, 1), *item = doc_new(DOC_SCALAR, 1, 5);
	struct json *json;

	(void)state;
	item->text = xmemdup("1\0", 2); /* a NUL behind: no number */
	item->len = 2;
	doc_append(list, &item);
	key->text = xstrdup("12");
	key->len = 2;
	doc_put(map, &key, &list);
	json = json_from_doc(map);
	assert_writes(json, "{\"12\":[\"1\\u0000\"]}");
	json_unref(&json);
	doc_free(&map);
	assert_null(json_from_doc(NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_table),
		cmocka_unit_test(test_depth_ends_at_the_limit),
		cmocka_unit_test(test_numbers_end_at_the_limit),
		cmocka_unit_test(test_many_keys_are_told_apart),
		cmocka_unit_test(test_doubles_come_back_the_same),
		cmocka_unit_test(test_building_and_reading),
		cmocka_unit_test(test_long_keys_are_found),
		cmocka_unit_test(test_the_wrong_type_reads_as_nothing),
		cmocka_unit_test(test_integers_of_doubles_are_saturated),
		cmocka_unit_test(test_equality),
		cmocka_unit_test(test_iteration_in_order_with_removal),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_wanted_strings),
		cmocka_unit_test(test_wanted_numbers_and_booleans),
		cmocka_unit_test(test_storable_values_pass_untouched),
		cmocka_unit_test(test_unstorable_values_are_repaired),
		cmocka_unit_test(test_the_core_schema_of_yaml),
		cmocka_unit_test(test_a_document_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
