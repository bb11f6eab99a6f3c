/* The fields of an http step as a request: escaping, headers, bodies, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actions/http_form_core.h"

static struct json *
parse(const char *text)
{
	struct json *json = NULL;
	struct err err = { 0 };

	if (json_parse(text, strlen(text), &json, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return json;
}

/* "METHOD URL|header|header|...|>body" */
static char *
form_text(const struct http_form *form)
{
	struct buf out = { 0 };

	buf_printf(&out, "%s %s", form->method, form->url);
	for (size_t i = 0; i < form->headers_count; i++)
		buf_printf(&out, "|%s", form->headers[i]);
	if (form->has_body)
		buf_printf(&out, "|>%s", buf_text(&form->body));
	return buf_take(&out);
}

static const struct {
	const char *fields, *expected; /* "!..." : the error holds this */
} rows[] = {
	{ "{\"url\":\"http://a/\"}", "GET http://a/" },
	{ "{\"url\":\"http://a\",\"method\":\"PUT\",\"body\":\"x\"}",
	  "PUT http://a|Content-Type: text/plain; charset=utf-8|>x" },
	{ "{\"url\":\"http://a\",\"method\":\"POST\",\"json\":{\"k\":[1,null]}}",
	  "POST http://a|Content-Type: application/json|>{\"k\":[1,null]}" },
	{ "{\"url\":\"http://a\",\"json\":null}",
	  "GET http://a|Content-Type: application/json|>null" },
	{ "{\"url\":\"http://a\",\"json\":1,\"headers\":{\"content-type\":\"x/y\"}}",
	  "GET http://a|content-type: x/y|>1" },
	{ "{\"url\":\"http://a\",\"headers\":{\"A\":\"1\",\"B\":2,\"C\":true,"
	  "\"D\":null,\"E\":\"\"}}",
	  "GET http://a|A: 1|B: 2|C: true|E;" },
	{ "{\"url\":\"http://a\",\"auth\":{\"bearer\":\"t\"}}",
	  "GET http://a|Authorization: Bearer t" },
	{ "{\"url\":\"http://a\",\"auth\":{\"basic\":{\"username\":\"Aladdin\","
	  "\"password\":\"open sesame\"}}}",
	  "GET http://a|Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" },
	{ "{\"url\":\"http://a\",\"auth\":{\"bearer\":\"t\"},"
	  "\"headers\":{\"authorization\":\"mine\"}}",
	  "GET http://a|authorization: mine" },
	/* what is put into the URL */
	{ "{\"url\":\"http://a\",\"query\":{\"q\":\"a b&c=d#e?/%\"}}",
	  "GET http://a?q=a%20b%26c%3Dd%23e%3F%2F%25" },
	{ "{\"url\":\"http://a?x=1\",\"query\":{\"y\":2,\"z\":false}}",
	  "GET http://a?x=1&y=2&z=false" },
	{ "{\"url\":\"http://a?\",\"query\":{\"y\":2}}", "GET http://a?y=2" },
	{ "{\"url\":\"http://a?x&\",\"query\":{\"y\":2}}", "GET http://a?x&y=2" },
	{ "{\"url\":\"http://a/p#frag?no\",\"query\":{\"y\":\"\\u00e9\"}}",
	  "GET http://a/p?y=%C3%A9#frag?no" },
	{ "{\"url\":\"http://a\",\"query\":{\"a&b\":null,\"c d\":\"1\\u0000\\n\"}}",
	  "GET http://a?c%20d=1%00%0A" },
	{ "{\"url\":\"http://a\",\"query\":{}}", "GET http://a" },
	/* refusals */
	{ "{\"url\":\"file:///etc/passwd\"}", "!has to begin with http" },
	{ "{\"url\":\"\"}", "!has to begin with http" },
	{ "{\"url\":\"http://a\\u0000b\"}", "!holds a NUL" },
	{ "{\"url\":\"http://a\",\"headers\":{\"A\":\"x\\r\\nB: y\"}}",
	  "!control character" },
	{ "{\"url\":\"http://a\",\"headers\":{\"A\":\"x\\u0000\"}}",
	  "!control character" },
	{ "{\"url\":\"http://a\",\"headers\":{\"A: B\":\"x\"}}",
	  "!no name of a header" },
	{ "{\"url\":\"http://a\",\"headers\":{\"\":\"x\"}}", "!no name of a header" },
	{ "{\"url\":\"http://a\",\"headers\":{\"content-length\":\"5\"}}",
	  "!set by the engine" },
	{ "{\"url\":\"http://a\",\"headers\":{\"Transfer-Encoding\":\"x\"}}",
	  "!set by the engine" },
	{ "{\"url\":\"http://a\",\"auth\":{\"bearer\":\"t\\n\"}}",
	  "!control character" },
};

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct json *fields = parse(rows[i].fields);
		struct http_form form;
		struct err err = { 0 };
		int result = http_form_read(&form, fields, &err);
		char *text;

		if ((result < 0) != (rows[i].expected[0] == '!'))
			fail_msg("%s: %d %s", rows[i].fields, result, err.text);
		if (result < 0) {
			if (strstr(err.text, rows[i].expected + 1) == NULL)
				fail_msg("%s: %s", rows[i].fields, err.text);
		} else {
			text = form_text(&form);
			assert_string_equal(text, rows[i].expected);
			free(text);
			http_form_fini(&form);
		}
		json_unref(&fields);
	}
}

static void
test_redirects(void **state)
{
	static const struct {
		const char *fields;
		bool follows;
	} cases[] = {
		{ "{\"url\":\"http://a\"}", true },
		{ "{\"url\":\"http://a\",\"followRedirects\":true}", true },
		{ "{\"url\":\"http://a\",\"followRedirects\":false}", false },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct json *fields = parse(cases[i].fields);
		struct http_form form;
		struct err err = { 0 };

		assert_int_equal(http_form_read(&form, fields, &err), 0);
		assert_int_equal(form.follow_redirects, cases[i].follows);
		http_form_fini(&form);
		json_unref(&fields);
	}
}

static void
test_adding(void **state)
{
	struct json *headers = parse("{\"X-Mine\":\"1\"}"), *body = parse("[1]");
	struct http_form form;
	struct err err = { 0 };
	char *text;

	(void)state;
	assert_int_equal(http_form_post(&form, "http://a", body, headers, &err), 0);
	assert_int_equal(http_form_add(&form, "x-mine", "2", &err), 0);
	assert_int_equal(http_form_add(&form, "Other", "3", &err), 0);
	assert_true(http_form_has(&form, "OTHER"));
	assert_false(http_form_has(&form, "Othe"));
	text = form_text(&form);
	assert_string_equal(text, "POST http://a|X-Mine: 1|Content-Type: "
				  "application/json|Other: 3|>[1]");
	free(text);
	http_form_fini(&form);
	json_unref(&headers);
	json_unref(&body);
}

static void
test_too_many_headers(void **state)
{
	struct json *headers = json_new_object();
	struct http_form form;
	struct err err = { 0 };
	char name[16];

	(void)state;
	for (int i = 0; i < 101; i++) {
		snprintf(name, sizeof name, "H%d", i);
		json_set(headers, name, json_new_int(i));
	}
	assert_int_equal(http_form_post(&form, "http://a", NULL, headers, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	json_unref(&headers);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_redirects),
		cmocka_unit_test(test_adding),
		cmocka_unit_test(test_too_many_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
