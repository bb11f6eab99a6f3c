/* Where secrets are: what may be said of one, what is refused, what equals what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "conf/secrets.h"
#include "conf/yaml.h"

/* The problems as lines. */
static char *
read_text(struct secret_sources *sources, const char *text)
{
	struct problems problems = { 0 };
	struct doc *tree = yaml_parse(text, strlen(text), &problems);
	struct buf lines = { 0 };

	*sources = (struct secret_sources){ 0 };
	assert_non_null(tree);
	secret_sources_read(sources, tree, &problems);
	for (size_t i = 0; i < problems.count; i++)
		buf_printf(&lines, "%d:%d %s\n", problems.list[i].line,
			   problems.list[i].column, problems.list[i].message);
	doc_free(&tree);
	problems_fini(&problems);
	return buf_take(&lines);
}

static void
test_all_of_it(void **state)
{
	struct secret_sources sources, copy = { 0 };
	const struct secret_source *one;
	char *lines = read_text(
	    &sources,
	    "a: { file: /run/secrets/a, refresh: 1h }\n"
	    "b: { env: B_TOKEN }\n"
	    "c-d: { command: [vault, read, '-field=x'], timeout: 3s, environment: "
	    "[VAULT_ADDR] }\n"
	    "e: file:/e\n"
	    "f: 'env:F'\n");

	(void)state;
	assert_string_equal(lines, "");
	free(lines);
	assert_int_equal(sources.count, 5);
	one = secret_source_find(&sources, "a");
	assert_int_equal(one->kind, SECRET_FILE);
	assert_string_equal(one->text, "/run/secrets/a");
	assert_int_equal(one->refresh, 3600 * USEC_SECOND);
	assert_int_equal(secret_source_find(&sources, "b")->kind, SECRET_ENVIRONMENT);
	secret_sources_copy(&copy, &sources);
	secret_sources_fini(&sources);
	one = secret_source_find(&copy, "c-d");
	assert_int_equal(one->kind, SECRET_COMMAND);
	assert_int_equal(one->command.count, 3);
	assert_string_equal(one->command.list[2], "-field=x");
	assert_string_equal(one->environment.list[0], "VAULT_ADDR");
	assert_int_equal(one->timeout, 3 * USEC_SECOND);
	assert_int_equal(one->refresh, 0);
	assert_true(secret_source_equal(one, one));
	assert_string_equal(secret_source_find(&copy, "e")->text, "/e");
	assert_false(secret_source_equal(secret_source_find(&copy, "e"),
					 secret_source_find(&copy, "a")));
	assert_false(secret_source_equal(secret_source_find(&copy, "e"), one));
	assert_null(secret_source_find(&copy, "g"));
	secret_sources_fini(&copy);
}

static const struct {
	const char *text, *problems;
} refused[] = {
	{ "[a]", "1:1 secrets: expected up to 256 names with where they are\n" },
	{ "a: hunter2",
	  "1:4 secrets.a: expected {file: /path}, {env: NAME} or {command: [...]}: the "
	  "secret itself does not stand here\n" },
	{ "a: { file: x }", "1:4 secrets.a: file: expected an absolute path\n" },
	{ "a: { file: /x, env: Y }",
	  "1:4 secrets.a: expected one of file, env and command\n" },
	{ "a: {}", "1:4 secrets.a: expected one of file, env and command\n" },
	{ "a: { env: 'A-B' }",
	  "1:4 secrets.a: env: expected the name of a variable\n" },
	{ "a: { command: [x], environment: [A-B] }",
	  "1:4 secrets.a: environment: expected names of variables\n" },
	{ "a: { command: x }", "1:15 secrets.a.command: expected a list\n" },
	{ "a: { fil: /x }", "1:6 secrets.a.fil: unknown key, did you mean file?\n" },
	{ "1a: { env: A }",
	  "1:1 secrets: expected names of up to 60 letters, digits, underscores or "
	  "dashes that begin with a letter\n" },
	{ "'a b': { env: A }",
	  "1:1 secrets: expected names of up to 60 letters, digits, underscores or "
	  "dashes that begin with a letter\n" },
};

static void
test_what_is_refused(void **state)
{
	struct secret_sources sources;

	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		char *lines = read_text(&sources, refused[i].text);

		assert_string_equal(lines != NULL ? lines : "", refused[i].problems);
		assert_int_equal(sources.count, 0);
		free(lines);
		secret_sources_fini(&sources);
	}
}

static void
test_none(void **state)
{
	struct secret_sources sources = { 0 };
	struct problems problems = { 0 };

	(void)state;
	secret_sources_read(&sources, NULL, &problems);
	assert_int_equal(problems.count, 0);
	assert_null(secret_source_find(&sources, "a"));
	secret_sources_fini(&sources);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_it),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
