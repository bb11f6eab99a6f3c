/* Calls of agents: each value is part of exactly one argument, whatever is in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "agent/call_core.h"
#include "agent/prompt_core.h"
#include "base/xalloc.h"

static struct json *
parse(const char *text)
{
	struct json *json = NULL;
	struct err err = { 0 };

	assert_int_equal(json_parse(text, strlen(text), &json, &err), 0);
	return json;
}

/* The words, each in brackets. */
static void
expect(const char *command, const struct call_values *values, const char *expected)
{
	struct json *json = parse(command);
	struct buf text = { 0 };
	struct err err = { 0 };
	char **words = call_words(json, values, &err);

	assert_non_null(words);
	for (char **at = words; *at != NULL; at++)
		buf_printf(&text, "[%s]", *at);
	assert_string_equal(buf_text(&text), expected);
	buf_fini(&text);
	call_free(&words);
	json_unref(&json);
}

static void
test_words(void **state)
{
	static const char command[] = "[\"a\", [\"-m\", \"{model}\"], [\"-r\", "
				      "\"{session}\"], \"{permissions}\", "
				      "\"--p={prompt}\", \"{\\\"x\\\":{y}}\"]";
	struct json *permissions = parse("[\"--mode\", \"plan\"]");

	(void)state;
	expect(command, &(struct call_values){ .prompt = "do it" },
	       "[a][--p=do it][{\"x\":{y}}]");
	expect(command,
	       &(struct call_values){ .prompt = "-x '$(id)' {model}\n;",
				      .model = "m",
				      .session = "s",
				      .permissions = permissions },
	       "[a][-m][m][-r][s][--mode][plan][--p=-x '$(id)' {model}\n;]"
	       "[{\"x\":{y}}]");
	expect("[\"a\", \"{prompt}\"]", &(struct call_values){ .prompt = "" }, "[a][]");
	expect("[\"a\", \"{prompt}\", \"b{schema}\"]", &(struct call_values){ 0 },
	       "[a]");
	expect("[\"a\", [\"{permissions}\", \"{session}{model}\"]]",
	       &(struct call_values){ .session = "1", .model = "2" },
	       "[a][{permissions}][12]");
	json_unref(&permissions);
}

static void
test_what_is_longer_than_an_argument_is_refused(void **state)
{
	struct json *command = parse("[\"a\", \"{prompt}\"]");
	char *prompt = xmalloc(CALL_WORD_MAX + 2), **words;
	struct err err = { 0 };

	(void)state;
	memset(prompt, 'p', CALL_WORD_MAX + 1);
	prompt[CALL_WORD_MAX + 1] = '\0';
	assert_null(
	    call_words(command, &(struct call_values){ .prompt = prompt }, &err));
	assert_int_equal(err.kind, ERR_LIMIT);
	prompt[CALL_WORD_MAX] = '\0';
	words = call_words(command, &(struct call_values){ .prompt = prompt }, &err);
	assert_int_equal(strlen(words[1]), CALL_WORD_MAX);
	call_free(&words);
	json_unref(&command);
	free(prompt);
}

static void
test_prompts(void **state)
{
	struct json *schema = parse("{\"type\": \"object\"}");
	struct buf text = { 0 };

	(void)state;
	prompt_ask("Do\0it", 5, NULL, &text);
	assert_memory_equal(text.data, "Do\0it", 6);
	buf_clear(&text);
	prompt_ask("Do it", 5, schema, &text);
	assert_non_null(strstr(buf_text(&text), "{\"type\":\"object\"}"));
	buf_clear(&text);
	prompt_failure("output_schema", "output.a: missing", "{}", true, &text);
	assert_non_null(strstr(buf_text(&text), "output.a: missing"));
	assert_non_null(strstr(buf_text(&text), "and answered:\n{}"));
	buf_clear(&text);
	prompt_failure("exit_status", "\"x\" ended with exit status 3", NULL, false,
		       &text);
	assert_non_null(strstr(buf_text(&text), "(exit_status):\n\"x\" ended"));
	buf_fini(&text);
	json_unref(&schema);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_what_is_longer_than_an_argument_is_refused),
		cmocka_unit_test(test_prompts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
