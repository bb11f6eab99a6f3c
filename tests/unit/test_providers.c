/* Providers of models: what may be said of one, what holds unsaid, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "conf/providers.h"
#include "conf/yaml.h"

static int
set_up(void **state)
{
	(void)state;
	unsetenv("ANTHROPIC_API_KEY");
	unsetenv("OPENAI_API_KEY");
	unsetenv("GEMINI_API_KEY");
	return 0;
}

/* The problems as lines. */
static char *
read_text(struct providers *providers, const char *text)
{
	struct problems problems = { 0 };
	struct doc *tree = yaml_parse(text, strlen(text), &problems);
	struct buf lines = { 0 };

	*providers = (struct providers){ 0 };
	assert_non_null(tree);
	providers_read(providers, tree, &problems);
	for (size_t i = 0; i < problems.count; i++)
		buf_printf(&lines, "%d:%d %s\n", problems.list[i].line,
			   problems.list[i].column, problems.list[i].message);
	doc_free(&tree);
	problems_fini(&problems);
	return buf_take(&lines);
}

static void
expect_problems(const char *text, const char *expected)
{
	struct providers providers;
	char *lines = read_text(&providers, text);

	assert_string_equal(lines != NULL ? lines : "", expected);
	free(lines);
	providers_fini(&providers);
}

static const struct provider *
find(const struct providers *providers, const char *name)
{
	return provider_find(providers, name, strlen(name));
}

static void
test_nobody_is_there_without_a_key(void **state)
{
	struct providers providers = { 0 };
	struct problems problems = { 0 };

	(void)state;
	providers_read(&providers, NULL, &problems);
	assert_int_equal(providers.count, 0);
	assert_int_equal(problems.count, 0);
	providers_fini(&providers);
}

static void
test_usual_variables_make_the_usual_ones(void **state)
{
	struct providers providers = { 0 };
	struct problems problems = { 0 };
	const struct provider *one;

	(void)state;
	setenv("ANTHROPIC_API_KEY", "key-a", 1);
	setenv("OPENAI_API_KEY", "key-o", 1);
	providers_read(&providers, NULL, &problems);
	assert_int_equal(providers.count, 3);
	one = find(&providers, "anthropic");
	assert_string_equal(one->base_url, "https://api.anthropic.com");
	assert_string_equal(one->api_key, "key-a");
	assert_int_equal(find(&providers, "openai-responses")->type,
			 PROVIDER_RESPONSES);
	assert_null(find(&providers, "gemini"));
	providers_fini(&providers);
}

static void
test_all_of_it(void **state)
{
	struct providers providers;
	const struct provider *one;
	char *lines;

	(void)state;
	setenv("TEST_PROVIDER_KEY", "from there", 1);
	setenv("OPENAI_API_KEY", "key-o", 1);
	lines = read_text(
	    &providers,
	    "local:\n"
	    "  type: openai\n"
	    "  base_url: http://127.0.0.1:9//\n"
	    "  api_key: env:TEST_PROVIDER_KEY\n"
	    "  timeout: 5s\n"
	    "  structured_output: off\n"
	    "  headers: { x-team: blue, x-key: 'env:TEST_PROVIDER_KEY' }\n"
	    "  prices: { m: { input: 3, output: 1.5 }, n: { cache_read: 1 } }\n"
	    "other: { type: openai }\n"
	    "openai: { base_url: 'http://here' }\n");
	assert_string_equal(lines, "");
	free(lines);
	one = find(&providers, "local");
	assert_int_equal(one->type, PROVIDER_OPENAI);
	assert_string_equal(one->base_url, "http://127.0.0.1:9");
	assert_string_equal(one->api_key, "from there");
	assert_int_equal(one->timeout, 5 * USEC_SECOND);
	assert_false(one->structured_output);
	assert_int_equal(one->headers_count, 2);
	assert_false(one->headers[0].secret);
	assert_true(one->headers[1].secret);
	assert_string_equal(one->headers[1].value, "from there");
	assert_true(provider_price(one, "m")->output == 1.5);
	assert_true(provider_price(one, "m")->cache_read < 0);
	assert_true(provider_price(one, "n")->cache_read == 1);
	assert_null(provider_price(one, "o"));
	/* a key goes to no one who is not called like its owner */
	assert_null(find(&providers, "other")->api_key);
	assert_string_equal(find(&providers, "openai")->api_key, "key-o");
	assert_string_equal(find(&providers, "openai")->base_url, "http://here");
	providers_fini(&providers);
}

static void
test_secrets_are_masked(void **state)
{
	struct providers providers;
	struct mask *mask = mask_new();
	struct buf out = { 0 };
	static const char text[] = "key-a blue from there";

	(void)state;
	setenv("TEST_PROVIDER_KEY", "from there", 1);
	free(read_text(&providers, "x: { type: gemini, api_key: key-a, headers: "
				   "{ a: blue, b: 'env:TEST_PROVIDER_KEY' } }"));
	providers_mask(&providers, mask);
	mask_text(mask, text, strlen(text), &out);
	assert_string_equal(buf_text(&out), "*** blue ***");
	buf_fini(&out);
	mask_free(&mask);
	providers_fini(&providers);
}

static void
test_mistakes(void **state)
{
	(void)state;
	unsetenv("TEST_NO_SUCH");
	expect_problems("[]", "1:1 providers: expected up to 64 names with what they "
			      "are\n");
	expect_problems("a: {}", "1:4 providers.a.type: expected anthropic, openai, "
				 "openai-responses or gemini\n");
	expect_problems("a: 5", "1:4 providers.a: expected keys with values\n"
				"1:4 providers.a.type: expected anthropic, openai, "
				"openai-responses or gemini\n");
	expect_problems("gemini: { base_uri: x }", "1:11 providers.gemini.base_uri: "
						   "unknown key, did you mean "
						   "base_url?\n");
	expect_problems("gemini: { base_url: 'ftp://x' }",
			"1:9 providers.gemini.base_url: expected http:// or https:// "
			"with a host\n");
	expect_problems("gemini: { api_key: 'env:TEST_NO_SUCH' }",
			"1:20 providers.gemini.api_key: the environment has no "
			"TEST_NO_SUCH\n");
	expect_problems("gemini: { headers: { 'a b': c, d: [e], f: \"x\\ny\" } }",
			"1:22 providers.gemini.headers: not the name of a header\n"
			"1:35 providers.gemini.headers.d: expected a text\n"
			"1:43 providers.gemini.headers.f: a control character is not "
			"allowed\n");
	expect_problems("gemini: { prices: { m: { input: x, outptu: 1 }, n: 3 } }",
			"1:33 providers.gemini.prices.m.input: \"x\" is not a number, "
			"like 15 or 0.25\n"
			"1:36 providers.gemini.prices.m.outptu: unknown key, did you "
			"mean output?\n"
			"1:52 providers.gemini.prices.n: expected keys with values\n");
	expect_problems("'a b': { type: openai }",
			"1:1 providers: expected names of up to 64 letters, digits, "
			"dots, dashes or underscores\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nobody_is_there_without_a_key, set_up),
		cmocka_unit_test_setup(test_usual_variables_make_the_usual_ones,
				       set_up),
		cmocka_unit_test_setup(test_all_of_it, set_up),
		cmocka_unit_test_setup(test_secrets_are_masked, set_up),
		cmocka_unit_test_setup(test_mistakes, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
