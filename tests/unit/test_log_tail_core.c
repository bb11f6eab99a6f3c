/* The last messages of a log, whatever stands in its file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "log_tail_core.h"

#define LINE(message) "{\"level\":\"info\",\"message\":\"" message "\"}\n"

static const struct {
	const char *text;
	bool cut;
	const char *tail;
} cases[] = {
	{ "", false, "[]" },
	{ "\n", false, "[]" },
	{ LINE("a"), false, "[\"a\"]" },
	{ LINE("a") LINE("b"), false, "[\"a\",\"b\"]" },
	{ LINE("a") LINE("b"), true, "[\"b\"]" }, /* the first may be half a line */
	{ LINE("a"), true, "[]" },
	{ LINE("a") "{\"message\":\"no end", false, "[\"a\"]" },
	{ LINE("a") "not ours\n\n{\"message\":7}\n[1]\n" LINE("b"), false,
	  "[\"a\",\"b\"]" },
};

static void
expect(const char *text, size_t len, bool cut, const char *wanted)
{
	struct json *tail = log_tail(text, len, cut);
	char *got = json_text(tail);

	assert_string_equal(got, wanted);
	free(got);
	json_unref(&tail);
}

static void
test_tails(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		expect(cases[i].text, strlen(cases[i].text), cases[i].cut,
		       cases[i].tail);
}

static void
test_no_more_than_twenty(void **state)
{
	struct buf text = { 0 };
	struct json *tail;

	(void)state;
	for (int i = 0; i < 50; i++)
		buf_printf(&text, "{\"message\":\"%d\"}\n", i);
	tail = log_tail(text.data, text.len, false);
	assert_int_equal(json_count(tail), LOG_TAIL_LINES);
	assert_string_equal(json_str(json_at(tail, 0)), "30");
	assert_string_equal(json_str(json_at(tail, LOG_TAIL_LINES - 1)), "49");
	json_unref(&tail);
	buf_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tails),
		cmocka_unit_test(test_no_more_than_twenty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
