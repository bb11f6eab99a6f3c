/* Where the inputs of a batch lie in its body. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "front/inputs_core.h"

static const struct {
	const char *body, *frame;
	const char *inputs; /* each between bars */
} cases[] = {
	{ "", "", "" },
	{ "{}", "{}", "" },
	{ "{\"inputs\":[]}", "{\"inputs\":[]}", "" },
	{ "{\"inputs\": [ ] }", "{\"inputs\": [] }", "" },
	{ "{\"inputs\":[1]}", "{\"inputs\":[]}", "|1" },
	{ "{\"inputs\":[1,{\"a\":[2,3]} ,\"]\"]}", "{\"inputs\":[]}",
	  "|1|{\"a\":[2,3]} |\"]\"" },
	{ "{\"inputs\":[\"a\\\",\\\\\",\"{[\"]}", "{\"inputs\":[]}",
	  "|\"a\\\",\\\\\"|\"{[\"" },
	/* what the parser shall refuse */
	{ "{\"inputs\":[,]}", "{\"inputs\":[]}", "||" },
	{ "{\"inputs\":[1,]}", "{\"inputs\":[]}", "|1|" },
	{ "{\"inputs\":[ ,1]}", "{\"inputs\":[]}", "| |1" },
	{ "{\"inputs\":[1}", "{\"inputs\":[}", "|1" },
	{ "{\"inputs\":[{]]}", "{\"inputs\":[]}", "|{]" },
	{ "{\"inputs\":[1] [2]}", "{\"inputs\":[] [2]}", "|1" },
	{ "{\"inputs\":[1],\"inputs\":[2]}", "{\"inputs\":[],\"inputs\":[]}", "|1|2" },
	{ "]}{\"inputs\":[1]", "]}{\"inputs\":[]", "|1" },
	{ "{\"inputs\":[1", "{\"inputs\":[", "" },
	{ "{\"inputs\":[\"1]}", "{\"inputs\":[", "" },
	/* other members, and what only looks like the one */
	{ "{\"a\":[1,2],\"inputs\":[3],\"b\":{\"inputs\":[4]}}",
	  "{\"a\":[1,2],\"inputs\":[],\"b\":{\"inputs\":[4]}}", "|3" },
	{ "{\"inputs\":{\"a\":[1]}}", "{\"inputs\":{\"a\":[1]}}", "" },
	{ "{\"a\":\"inputs\",\"b\":[1]}", "{\"a\":\"inputs\",\"b\":[1]}", "" },
	{ "{\"input\":[1]}", "{\"input\":[1]}", "" },
	{ "{\"inputs \":[1]}", "{\"inputs \":[1]}", "" },
	{ "{\"inputsinputs\":[1]}", "{\"inputsinputs\":[1]}", "" },
	{ "{\"\\u0069nputs\":[1]}", "{\"\\u0069nputs\":[1]}", "" },
	{ "[\"inputs\":[1]]", "[\"inputs\":[]]", "|1" },
	{ "{\"inputs\":5,\"a\":[1]}", "{\"inputs\":5,\"a\":[1]}", "" },
};

static void
check(const char *body, size_t piece, const char *frame, const char *wanted)
{
	struct inputs inputs = { .most = 10, .len_max = 100 };
	struct buf found = { 0 };

	for (size_t at = 0; at < strlen(body); at += piece) {
		size_t left = strlen(body) - at;

		assert_int_equal(
		    inputs_add(&inputs, body + at, left < piece ? left : piece),
		    INPUTS_GOOD);
	}
	for (size_t i = 0; i < inputs.count; i++) {
		buf_char(&found, '|');
		buf_add(&found, body + inputs.list[i].at, inputs.list[i].len);
	}
	assert_string_equal(buf_text(&inputs.frame), frame);
	assert_string_equal(buf_text(&found), wanted);
	buf_fini(&found);
	inputs_fini(&inputs);
}

static void
places(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		for (size_t piece = 1; piece < 12; piece++)
			check(cases[i].body, piece, cases[i].frame, cases[i].inputs);
}

static enum inputs_verdict
verdict_of(const char *body)
{
	struct inputs inputs = { .most = 2, .len_max = 5 };
	enum inputs_verdict verdict = inputs_add(&inputs, body, strlen(body));

	inputs_fini(&inputs);
	return verdict;
}

static void
limits(void **state)
{
	char body[INPUTS_FRAME_MAX + 16];

	(void)state;
	assert_int_equal(verdict_of("{\"inputs\":[1,12345]}"), INPUTS_GOOD);
	assert_int_equal(verdict_of("{\"inputs\":[1,2,3]}"), INPUTS_TOO_MANY);
	assert_int_equal(verdict_of("{\"inputs\":[1,2,]}"), INPUTS_TOO_MANY);
	assert_int_equal(verdict_of("{\"inputs\":[123456]}"), INPUTS_TOO_LONG);
	memset(body, ' ', sizeof body);
	body[INPUTS_FRAME_MAX] = '\0';
	assert_int_equal(verdict_of(body), INPUTS_GOOD);
	body[INPUTS_FRAME_MAX] = ' ';
	body[INPUTS_FRAME_MAX + 1] = '\0';
	assert_int_equal(verdict_of(body), INPUTS_FRAME_TOO_LONG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
