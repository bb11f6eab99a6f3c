/* CEL: the table of expressions, and what a table cannot say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "lang/cel.h"
#include "text_file.h"
#include "json/json.h"

static struct json *
parse(const char *text)
{
	struct json *json;
	struct err err = { 0 };

	if (json_parse(text, strlen(text), &json, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return json;
}

static bool
lookup(void *context, const char *name, struct json **value)
{
	*value = json_get(context, name);
	return json_has(context, name);
}

/* The result as JSON text, or the error behind "error: "; the caller's. */
static char *
evaluate(const char *text, struct json *context)
{
	struct cel_scope scope = { lookup, context };
	struct err err = { 0 };
	struct cel *cel = cel_compile(text, strlen(text), NULL, &err);
	struct json *value;
	char *out;

	if (cel == NULL || cel_eval(cel, &scope, &value, &err) < 0) {
		assert_int_equal(err.kind, ERR_INPUT);
		cel_free(&cel);
		return xprintf("error: %s", err.text);
	}
	out = json_text(value);
	json_unref(&value);
	cel_free(&cel);
	return out;
}

static bool
as_expected(const char *got, const char *expected)
{
	struct json *a, *b;
	bool same;

	if (strncmp(expected, "error: ", 7) == 0)
		return strncmp(got, "error: ", 7) == 0 &&
		       strstr(got, expected + 7) != NULL;
	if (strncmp(got, "error: ", 7) == 0)
		return false;
	a = parse(got);
	b = parse(expected);
	same = json_type(a) == json_type(b) && json_equal(a, b);
	json_unref(&a);
	json_unref(&b);
	return same;
}

static int
check_line(char *line, size_t number, struct json *context)
{
	char *arrow = NULL, *got;
	int wrong;

	for (char *at = line; (at = strstr(at, " => ")) != NULL; at++)
		arrow = at;
	if (arrow == NULL)
		fail_msg("cel.txt:%zu: no \" => \"", number);
	*arrow = '\0';
	got = evaluate(line, context);
	wrong = !as_expected(got, arrow + 4);
	if (wrong)
		print_error("cel.txt:%zu: %s\n  expected %s\n  got      %s\n", number,
			    line, arrow + 4, got);
	free(got);
	return wrong;
}

static void
test_table(void **state)
{
	char *text = text_file_read(TESTS_DIR "/tables/cel.txt", NULL), *rest = text,
	     *line;
	struct json *context = NULL;
	size_t number = 0, checked = 0;
	int wrong = 0;

	(void)state;
	while ((line = strsep(&rest, "\n")) != NULL) {
		number++;
		if (strncmp(line, "context: ", 9) == 0) {
			json_unref(&context);
			context = parse(line + 9);
		} else if (*line != '#' && *line != '\0') {
			wrong += check_line(line, number, context);
			checked++;
		}
	}
	json_unref(&context);
	free(text);
	assert_true(checked > 300);
	assert_int_equal(wrong, 0);
}

/* "| `CODE` |" at the end of the line, cut off there; NULL when it is none. */
static char *
last_cell(char *line)
{
	size_t len = strlen(line);
	char *start;

	if (len < 6 || strcmp(line + len - 3, "` |") != 0)
		return NULL;
	line[len - 3] = '\0';
	start = strrchr(line, '|');
	if (start == NULL || strncmp(start, "| `", 3) != 0 ||
	    strchr(start + 3, '`') != NULL)
		return NULL;
	start[1] = '\0';
	return start + 3;
}

/* The rows of the page whose last two cells are code: an example and what it gives. */
static void
test_the_examples_of_the_page(void **state)
{
	char *text = text_file_read(TESTS_DIR "/../docs/expressions.md", NULL);
	char *block, *end, *rest = text, *line, *result, *example, *got;
	struct json *context;
	int checked = 0;

	(void)state;
	assert_non_null(text);
	block = strstr(text, "```json\n");
	assert_non_null(block);
	end = strstr(block + 8, "```");
	block = xstrndup(block + 8, (size_t)(end - block - 8));
	context = parse(block);
	free(block);
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (*line != '|' || (result = last_cell(line)) == NULL ||
		    (example = last_cell(line)) == NULL || strlen(line) < 3)
			continue;
		got = evaluate(example, context);
		if (!as_expected(got, result))
			fail_msg("%s gives %s, not %s", example, got, result);
		free(got);
		checked++;
	}
	assert_true(checked > 60);
	json_unref(&context);
	free(text);
}

static void
test_place_of_a_mistake(void **state)
{
	struct cel_place place;
	struct err err = { 0 };

	(void)state;
	assert_null(cel_compile("1 +\n  \"é\" $", 12, &place, &err));
	assert_int_equal(place.line, 2);
	assert_int_equal(place.column, 7);
	assert_string_equal(err.text, "2:7: unexpected character \"$\"");
}

static void
test_a_condition_is_a_bool(void **state)
{
	struct json *context = parse("{\"a\": 1}");
	struct cel_scope scope = { lookup, context };
	struct err err = { 0 };
	struct cel *good = cel_compile("a == 1", 6, NULL, &err);
	struct cel *bad = cel_compile("a", 1, NULL, &err);
	bool out = false;

	(void)state;
	assert_int_equal(cel_test(good, &scope, &out, &err), 0);
	assert_true(out);
	assert_int_equal(cel_test(bad, &scope, &out, &err), -1);
	assert_string_equal(err.text,
			    "\"a\" 1:1: a condition is true or false, this is int");
	assert_string_equal(cel_source(good), "a == 1");
	cel_free(&good);
	cel_free(&bad);
	json_unref(&context);
}

static void
test_the_error_names_the_expression_on_one_line(void **state)
{
	struct err err = { 0 };
	struct cel *cel = cel_compile("1 +\n 1 / 0", 10, NULL, &err);
	struct json *out;

	(void)state;
	assert_int_equal(cel_eval(cel, NULL, &out, &err), -1);
	assert_string_equal(err.text, "\"1 +  1 / 0\" 2:4: division by zero");
	assert_null(out);
	cel_free(&cel);
}

static void
test_a_placed_error_stands_apart(void **state)
{
	struct cel_place place = { 0, 0 };
	struct err err = { 0 };
	struct cel *cel = cel_compile("1 +\n 1 / 0", 10, NULL, &err);
	struct json *out;

	(void)state;
	assert_int_equal(cel_eval_placed(cel, NULL, &out, &place, &err), -1);
	assert_string_equal(err.text, "division by zero");
	assert_int_equal(place.line, 2);
	assert_int_equal(place.column, 4);
	cel_free(&cel);
}

static void
add_ref(void *context, const char *variable, const char *member, const char *field)
{
	struct buf *out = context;

	buf_printf(out, "%s(%s%s%s) ", variable, member != NULL ? member : "-",
		   field != NULL ? "." : "", field != NULL ? field : "");
}

static void
expect_refs(const char *text, const char *expected)
{
	struct err err = { 0 };
	struct cel *cel = cel_compile(text, strlen(text), NULL, &err);
	struct buf got = { 0 };

	if (cel == NULL)
		fail_msg("%s: %s", text, err.text);
	cel_refs(cel, add_ref, &got);
	assert_string_equal(buf_text(&got), expected);
	buf_fini(&got);
	cel_free(&cel);
}

static void
test_refs(void **state)
{
	(void)state;
	expect_refs("steps.build.output", "steps(build.output) ");
	expect_refs("steps[\"load-spec\"]", "steps(load-spec) ");
	expect_refs("steps[x].y", "steps(-) x(-) ");
	expect_refs("steps.a[\"error\"].code", "steps(a.error) ");
	expect_refs("steps.a[steps.b.status]", "steps(a) steps(b.status) ");
	expect_refs("has(steps.a.output)", "steps(a.output) ");
	expect_refs("input", "input(-) ");
	expect_refs("has(input.a) && int(input.b) > size(state)",
		    "input(a) input(b) state(-) ");
	expect_refs("input.items.map(x, x.price * rate)", "input(items) rate(-) ");
	expect_refs("input.filter(x, .x > 1)", "input(-) x(-) ");
	expect_refs("[1].all(i, v, i < v) ? math.least(a, 1) : type(1) == int",
		    "a(-) ");
	expect_refs("cel.bind(x, a.b, x.c)", "a(b) ");
	expect_refs("google.protobuf.Timestamp == type(t)", "t(-) ");
	expect_refs("1 + 1", "");
}

/* The lines that the official cases test with messages only. */
static void
test_white_space_and_comments(void **state)
{
	static const char *const ways[] = {
		"[ 17 ] [ 0 ] == ( 18 - 1 ) && ! false ? 1 : 2",
		"\t[\t17\t]\t[\t0\t]==(18\t-\t1)&&!\tfalse\t?\t1\t:\t2\t",
		"[\n17\n]\n[\n0\n]\n==\n(\n18\n-\n1\n)\n&&\n!\nfalse\n?\n1\n:\n2\n",
		"[\f17\f]\f[\f0\f]\f==\f(\f18\f-\f1\f)\f&&\f!\ffalse\f?\f1\f:\f2\f",
		"[\r17\r]\r[\r0\r]\r==\r(\r18\r-\r1\r)\r&&\r!\rfalse\r?\r1\r:\r2\r",
		"[// @\n17// @\n][0]// ]\n== (18 // '\n - 1) && !false ? 1 : 2 // @",
	};
	char *got;

	(void)state;
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		got = evaluate(ways[i], NULL);
		assert_string_equal(got, "1");
		free(got);
	}
}

static char *
repeat(const char *head, const char *part, size_t count, const char *tail)
{
	struct buf out = { 0 };

	buf_str(&out, head);
	for (size_t i = 0; i < count; i++)
		buf_str(&out, part);
	buf_str(&out, tail);
	return buf_take(&out);
}

static void
expect(char *text, struct json *context, const char *expected)
{
	char *got = evaluate(text, context);

	if (!as_expected(got, expected))
		fail_msg("%.60s: expected %s, got %s", text, expected, got);
	free(got);
	free(text);
}

/* Text around text, count times. */
static char *
wrap(const char *open, const char *middle, const char *close, size_t count)
{
	struct buf out = { 0 };

	for (size_t i = 0; i < count; i++)
		buf_str(&out, open);
	buf_str(&out, middle);
	for (size_t i = 0; i < count; i++)
		buf_str(&out, close);
	return buf_take(&out);
}

static void
test_depth_is_bounded(void **state)
{
	static const char *const pairs[][2] = {
		{ "(", ")" },
		{ "[", "]" },
		{ "{1:", "}" },
		{ "int(", ")" },
		{ "[1].all(x,", ")" },
		{ "a[", "]" },
		{ "true ? (", ") : 1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		expect(wrap(pairs[i][0], "1", pairs[i][1], CEL_DEPTH_MAX + 1), NULL,
		       "error: nested deeper than 64");
	expect(wrap("(", "1", ")", CEL_DEPTH_MAX - 1), NULL, "1");
	expect(wrap("(", "1", "", 60000), NULL, "error: nested deeper than 64");
	expect(wrap("-", "1", "", 60000), NULL, "1");
	expect(wrap("!", "true", "", 59999), NULL, "false");
}

static void
test_chains_are_longer_than_depth(void **state)
{
	(void)state;
	expect(repeat("1", " + 1", 500, ""), NULL, "501");
	expect(repeat("1", " + 1", 600, ""), NULL,
	       "error: nested or chained more than 512 times");
	expect(repeat("true", " && true", 5000, ""), NULL, "true");
	expect(repeat("false", " || false", 5000, ""), NULL, "false");
	expect(repeat("", "false ? 1 : ", 400, "2"), NULL, "2");
	expect(repeat("''", " + 'abc'", 400, " == ''"), NULL, "false");
}

static void
test_cost_is_bounded(void **state)
{
	static const char many[] = ".map(a, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]";
	struct buf out = { 0 };
	char *text;

	(void)state;
	buf_str(&out, "[1]");
	for (int i = 0; i < 8; i++)
		buf_str(&out, many);
	for (int i = 0; i < 8; i++)
		buf_char(&out, ')');
	expect(buf_take(&out), NULL, "error: too expensive");

	/* what is used up stays used up: nothing absorbs it */
	text = wrap("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(a, ", "true", ")", 8);
	buf_printf(&out, "%s || true", text);
	free(text);
	expect(buf_take(&out), NULL, "error: too expensive");
}

/* Doubling by binding: small in memory, endless when written out. */
static void
test_the_result_is_bounded(void **state)
{
	struct json *context;
	struct buf out = { 0 };
	char *text;

	(void)state;
	for (int i = 0; i < 40; i++)
		buf_printf(&out, "cel.bind(a, [a, a], ");
	text = wrap("", buf_text(&out), "", 1);
	buf_clear(&out);
	buf_printf(&out, "cel.bind(a, 1, %sa%s", text, ")");
	for (int i = 0; i < 40; i++)
		buf_char(&out, ')');
	free(text);
	expect(buf_take(&out), NULL, "error: too expensive");

	/* a large variable is given by reference, but not many times over */
	text = repeat("{\"s\": \"", "0123456789", 100000, "\"}");
	context = parse(text);
	free(text);
	expect(xstrdup("size(s)"), context, "1000000");
	expect(repeat("[", "s, ", 30, "s]"), context, "error: too expensive");
	expect(repeat("s", " + s", 30, ""), context, "error: too expensive");
	json_unref(&context);
}

static void
test_the_result_can_be_read_again(void **state)
{
	struct json *context;
	char *text = wrap("[", "1", "]", 62), *deep;

	(void)state;
	deep = xprintf("{\"a\": %s}", text);
	context = parse(deep);
	expect(xstrdup("[[a]] != []"), context, "true");
	expect(xstrdup("[a][0] == a"), context, "true");
	expect(xstrdup("[[[a]]]"), context, "error: the result nests deeper than 64");
	free(text);
	free(deep);
	json_unref(&context);
}

static void
test_sizes_of_text(void **state)
{
	struct err err = { 0 };
	char *text = repeat("'", "x", CEL_TEXT_MAX, "'");

	(void)state;
	assert_null(cel_compile(text, strlen(text), NULL, &err));
	assert_non_null(strstr(err.text, "65536"));
	free(text);
	assert_null(cel_compile("\xff", 1, NULL, &err));
	assert_non_null(strstr(err.text, "UTF-8"));
	assert_null(cel_compile("a\0b", 3, NULL, &err));
	assert_non_null(strstr(err.text, "unexpected byte 0x00"));
}

static bool
null_lookup(void *context, const char *name, struct json **value)
{
	(*(int *)context)++;
	*value = NULL;
	return strcmp(name, "x") == 0;
}

static void
test_a_variable_may_be_null(void **state)
{
	int asked = 0;
	struct cel_scope scope = { null_lookup, &asked };
	struct err err = { 0 };
	struct cel *cel = cel_compile("x == null", 9, NULL, &err);
	bool out = false;

	(void)state;
	assert_int_equal(cel_test(cel, &scope, &out, &err), 0);
	assert_true(out);
	assert_int_equal(asked, 1);
	cel_free(&cel);
	cel_free(&cel);
}

/* The value that is given out outlives the scope. */
static void
test_the_result_is_the_callers(void **state)
{
	struct json *context = parse("{\"a\": {\"b\": [1, 2]}}"), *out;
	struct cel_scope scope = { lookup, context };
	struct err err = { 0 };
	struct cel *cel = cel_compile("[a.b, a]", 8, NULL, &err);
	char *text;

	(void)state;
	assert_int_equal(cel_eval(cel, &scope, &out, &err), 0);
	json_unref(&context);
	cel_free(&cel);
	text = json_text(out);
	assert_string_equal(text, "[[1,2],{\"b\":[1,2]}]");
	free(text);
	json_unref(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_the_examples_of_the_page),
		cmocka_unit_test(test_place_of_a_mistake),
		cmocka_unit_test(test_a_condition_is_a_bool),
		cmocka_unit_test(test_the_error_names_the_expression_on_one_line),
		cmocka_unit_test(test_a_placed_error_stands_apart),
		cmocka_unit_test(test_refs),
		cmocka_unit_test(test_white_space_and_comments),
		cmocka_unit_test(test_depth_is_bounded),
		cmocka_unit_test(test_chains_are_longer_than_depth),
		cmocka_unit_test(test_cost_is_bounded),
		cmocka_unit_test(test_the_result_is_bounded),
		cmocka_unit_test(test_the_result_can_be_read_again),
		cmocka_unit_test(test_sizes_of_text),
		cmocka_unit_test(test_a_variable_may_be_null),
		cmocka_unit_test(test_the_result_is_the_callers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
