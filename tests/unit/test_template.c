/* Templates: the table, and what is shared, bounded and reported. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "lang/template.h"
#include "text_file.h"

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

/* The result as JSON text, or the error; the caller's. */
static char *
resolve(const char *text, struct json *context)
{
	struct cel_scope scope = { lookup, context };
	struct err err = { 0 };
	struct json *value = parse(text), *out;
	struct template *template = template_compile(value, NULL, &err);
	char *got;

	json_unref(&value); /* the template holds what it needs */
	if (template == NULL || template_resolve(template, &scope, &out, &err) < 0) {
		assert_int_equal(err.kind, ERR_INPUT);
		template_free(&template);
		return xprintf("error: %s", err.text);
	}
	got = json_text(out);
	json_unref(&out);
	template_free(&template);
	return got;
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
	char *arrow = strstr(line, " => "), *got;
	int wrong;

	if (arrow == NULL)
		fail_msg("template.txt:%zu: no \" => \"", number);
	*arrow = '\0';
	got = resolve(line, context);
	wrong = !as_expected(got, arrow + 4);
	if (wrong)
		print_error("template.txt:%zu: %s\n  expected %s\n  got      %s\n",
			    number, line, arrow + 4, got);
	free(got);
	return wrong;
}

static void
test_table(void **state)
{
	char *text = text_file_read(TESTS_DIR "/tables/template.txt", NULL);
	char *rest = text, *line;
	struct json *context = NULL;
	size_t number = 0, checked = 0;
	int wrong = 0;

	(void)state;
	assert_non_null(text);
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
	assert_true(checked > 50);
	assert_int_equal(wrong, 0);
}

static void
test_constants_cost_a_reference(void **state)
{
	struct json *value = parse("{\"a\": {\"b\": [1]}, \"c\": \"x\"}"), *out;
	struct err err = { 0 };
	struct template *template = template_compile(value, NULL, &err);

	(void)state;
	assert_true(template_is_constant(template));
	assert_int_equal(template_resolve(template, NULL, &out, &err), 0);
	assert_ptr_equal(out, value);
	json_unref(&out);
	template_free(&template);
	template_free(&template);
	json_unref(&value);
}

static void
test_constant_parts_are_shared(void **state)
{
	struct json *value = parse("{\"a\": {\"b\": [1]}, \"c\": \"{{1}}\"}"), *out;
	struct err err = { 0 };
	struct template *template = template_compile(value, NULL, &err);

	(void)state;
	assert_false(template_is_constant(template));
	assert_int_equal(template_resolve(template, NULL, &out, &err), 0);
	assert_ptr_equal(json_get(out, "a"), json_get(value, "a"));
	assert_int_equal(json_int(json_get(out, "c")), 1);
	json_unref(&out);
	template_free(&template);
	json_unref(&value);
}

static void
test_an_escape_is_constant(void **state)
{
	struct json *value = parse("{\"a\": [\"{{{{x}}\"]}"), *out;
	struct err err = { 0 };
	struct template *template = template_compile(value, NULL, &err);
	char *text;

	(void)state;
	assert_true(template_is_constant(template));
	assert_int_equal(template_resolve(template, NULL, &out, &err), 0);
	text = json_text(out);
	assert_string_equal(text, "{\"a\":[\"{{x}}\"]}");
	free(text);
	json_unref(&out);
	template_free(&template);
	json_unref(&value);
}

static void
test_null_is_a_value(void **state)
{
	struct err err = { 0 };
	struct template *template = template_compile(NULL, NULL, &err);
	struct json *out;

	(void)state;
	assert_non_null(template);
	assert_int_equal(template_resolve(template, NULL, &out, &err), 0);
	assert_null(out);
	template_free(&template);
}

static void
test_place_of_a_mistake(void **state)
{
	struct json *value = parse("{\"a\": \"é\\n é {{ 1 +\\n2 $ }}\"}");
	struct cel_place place = { 0, 0 };
	struct err err = { 0 };

	(void)state;
	assert_null(template_compile(value, &place, &err));
	assert_int_equal(place.line, 3);
	assert_int_equal(place.column, 3);
	assert_string_equal(err.text, "a: 3:3: unexpected character \"$\"");
	json_unref(&value);
}

static void
add_ref(void *context, const char *variable, const char *member, const char *field)
{
	struct buf *out = context;

	buf_printf(out, "%s(%s%s%s) ", variable, member != NULL ? member : "-",
		   field != NULL ? "." : "", field != NULL ? field : "");
}

static void
test_refs(void **state)
{
	struct json *value = parse("{\"a\": \"{{steps.x.output}} and {{input}}\", "
				   "\"b\": [\"{{state.k}}\", \"none\"]}");
	struct err err = { 0 };
	struct template *template = template_compile(value, NULL, &err);
	struct buf got = { 0 };

	(void)state;
	template_refs(template, add_ref, &got);
	assert_string_equal(buf_text(&got), "steps(x.output) input(-) state(k) ");
	buf_fini(&got);
	template_free(&template);
	json_unref(&value);
}

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

/* What a resolved value holds must be readable again. */
static void
test_depth_is_bounded(void **state)
{
	char *deep = wrap("[", "1", "]", 40), *text = xprintf("{\"v\": %s}", deep);
	struct json *context = parse(text);
	char *fits = wrap("[", "\"{{v}}\"", "]", 24);
	char *too_deep = wrap("[", "\"{{v}}\"", "]", 25), *got;

	(void)state;
	got = resolve(fits, context);
	assert_int_equal(strncmp(got, "[[[", 3), 0);
	free(got);
	got = resolve(too_deep, context);
	assert_non_null(strstr(got, "with this value it nests deeper than 64"));
	free(got);
	free(fits);
	free(too_deep);
	free(text);
	free(deep);
	json_unref(&context);
}

static void
test_text_is_bounded(void **state)
{
	char *part = wrap("0123456789", "", "", 100000);
	char *text = xprintf("{\"s\": \"%s\"}", part);
	struct json *context = parse(text);
	char *uses = wrap("{{s}}", "", "", 20), *value = xprintf("\"%s\"", uses);
	char *got = resolve(value, context);

	(void)state;
	assert_non_null(strstr(got, "the text is longer than 16777216 bytes"));
	free(got);
	free(value);
	free(uses);
	free(text);
	free(part);
	json_unref(&context);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_constants_cost_a_reference),
		cmocka_unit_test(test_constant_parts_are_shared),
		cmocka_unit_test(test_an_escape_is_constant),
		cmocka_unit_test(test_null_is_a_value),
		cmocka_unit_test(test_place_of_a_mistake),
		cmocka_unit_test(test_refs),
		cmocka_unit_test(test_depth_is_bounded),
		cmocka_unit_test(test_text_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
