/* Lines of a log: levels, what is no entry, and pieces cut anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "front/log_lines_core.h"

#define TRACE "{\"level\":\"trace\",\"message\":\"t\"}"
#define INFO  "{\"level\":\"info\",\"message\":\"i\"}"
#define FATAL "{\"level\":\"fatal\",\"message\":\"f\"}"
#define OTHER "{\"level\":\"loud\",\"message\":\"o\"}"
#define NONE  "{\"message\":\"n\"}"

static void
test_levels(void **state)
{
	(void)state;
	assert_int_equal(log_level_of("trace"), 0);
	assert_int_equal(log_level_of("fatal"), 5);
	assert_int_equal(log_level_of("Info"), -1);
	assert_int_equal(log_level_of(""), -1);
}

static void
check(const char *text, int least, const char *expected)
{
	struct buf out = { 0 };
	size_t count = 0;

	log_lines_pick(text, strlen(text), least, ",", &count, &out);
	assert_string_equal(buf_text(&out), expected);
	buf_fini(&out);
}

static void
test_which_are_wanted(void **state)
{
	(void)state;
	check("", 0, "");
	check(TRACE "\n" INFO "\n" FATAL "\n", 0, TRACE "," INFO "," FATAL);
	check(TRACE "\n" INFO "\n" FATAL "\n", 2, INFO "," FATAL);
	check(TRACE "\n" INFO "\n" FATAL "\n", 5, FATAL);
	check(OTHER "\n" NONE "\n", 5, OTHER "," NONE);
	check("\n\nno entry\n[1]\n\"x\"\n{\"level\":\n" INFO "\n", 0, INFO);
	check(INFO, 0, ""); /* its end has not come */
}

static void
test_cut_anywhere(void **state)
{
	static const char text[] = TRACE "\n" INFO "\nbad\n" FATAL "\n" NONE;

	(void)state;
	for (size_t cut = 0; cut < sizeof text; cut++) {
		struct buf rest = { 0 }, out = { 0 };
		size_t count = 0, used;

		buf_add(&rest, text, cut);
		used = log_lines_pick(buf_text(&rest), rest.len, 1, ";", &count, &out);
		buf_consume(&rest, used);
		buf_add(&rest, text + cut, sizeof text - 1 - cut);
		log_lines_pick(buf_text(&rest), rest.len, 1, ";", &count, &out);
		assert_string_equal(buf_text(&out), INFO ";" FATAL);
		assert_int_equal(count, 2);
		buf_fini(&rest);
		buf_fini(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_which_are_wanted),
		cmocka_unit_test(test_cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
