/* JSON out of a model's text; what was used, in tokens and money. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "model/answer_core.h"
#include "model/usage_core.h"

struct row {
	const char *text, *json;
};

static const struct row rows[] = {
	{ "{}", "{}" },
	{ " \n{\"a\": 1}\t\r\n", "{\"a\": 1}" },
	{ "[1]", "[1]" },
	{ "5", "5" },
	{ "```json\n{\"a\": 1}\n```", "{\"a\": 1}" },
	{ "```\n[1]\n```", "[1]" },
	{ "Here it is:\n```json\n{\"a\": 1}\n```\nGood luck.", "{\"a\": 1}" },
	{ "Here: ```json\n{\"a\": 1}", "{\"a\": 1}" },
	{ "{\"a\": \"```\"}", "{\"a\": \"```\"}" },
	{ "``` {}", "``` {}" },
	{ "", "" },
	{ "   ", "" },
};

static void
test_what_is_the_json(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *text = xmemdup(rows[i].text, strlen(rows[i].text) + 1);
		struct span span = answer_span(text, strlen(text));
		char *json = xstrndup(span.text, span.len);

		assert_string_equal(json, rows[i].json);
		free(json);
		free(text);
	}
}

static struct usage_sum
sum_of(const struct rate *rate)
{
	struct usage_sum sum = { 0 };

	usage_add(&sum, &(struct usage){ 1000, 100, 400 }, rate);
	usage_add(&sum, &(struct usage){ 0, 0, 50 }, rate);
	sum.rounds = 2;
	return sum;
}

static void
test_sums(void **state)
{
	const struct rate rate = { 3, 15, 0.5 };
	struct usage_sum plain = sum_of(NULL), priced = sum_of(&rate);
	struct json *json = usage_json(&plain);
	char *text = json_text(json);

	(void)state;
	assert_string_equal(text, "{\"inputTokens\":1000,\"outputTokens\":100,"
				  "\"cacheReadTokens\":450,\"rounds\":2}");
	assert_int_equal(usage_tokens(&priced), 1100);
	/* 600 * 3 + 400 * 0.5 + 100 * 15 */
	assert_int_equal(usage_micros(&priced), 3500);
	assert_int_equal(usage_micros(&plain), 0);
	free(text);
	json_unref(&json);
}

static void
test_budgets(void **state)
{
	const struct budget none = { 0 }, tokens = { .tokens = 10 },
			    usd = { .usd = 0.5 };
	struct buf why = { 0 };

	(void)state;
	assert_false(usage_is_over(&none, INT64_MAX, INT64_MAX, "x", &why));
	assert_false(usage_is_over(&tokens, 9, INT64_MAX, "x", &why));
	assert_false(usage_is_over(&usd, INT64_MAX, 499999, "x", &why));
	assert_int_equal(why.len, 0);
	assert_true(usage_is_over(&tokens, 10, 0, "the step", &why));
	assert_string_equal(buf_text(&why), "the step has used 10 of 10 tokens");
	buf_clear(&why);
	assert_true(usage_is_over(&usd, 0, 500000, "the run", &why));
	assert_string_equal(buf_text(&why), "the run has used $0.500000 of $0.500000");
	buf_fini(&why);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_the_json),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_budgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
