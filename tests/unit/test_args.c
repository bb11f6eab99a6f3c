/* Options and words of a command line: every way to write them, every way to be wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "cli/args.h"

static const struct arg table[] = {
	{ "limit", 'n', "N", "how many" },
	{ "follow", 'f', NULL, "go on" },
	{ "since", 0, "SEQ", "after that" },
	{ "json", 0, NULL, "for programs" },
	{ 0 },
};

/* Reads a line of words parted by single spaces. */
static int
read_line(struct args *args, const char *line, struct err *err)
{
	static char copy[4096];
	static char *argv[ARGS_WORDS_MAX + 80];
	char *rest = copy;
	int argc = 1;

	snprintf(copy, sizeof copy, "%s", line);
	argv[0] = copy + sizeof copy - 1;
	if (*copy != '\0')
		while ((argv[argc] = strsep(&rest, " ")) != NULL)
			argc++;
	*err = (struct err){ 0 };
	return args_read(args, table, argc, argv, err);
}

static void
test_every_way_to_give_a_value(void **state)
{
	static const char *const lines[] = {
		"--limit 7", "--limit=7", "-n 7",         "-n7",
		"a -n 7 b",  "-n 5 -n 7", "--limit 7 --",
	};
	struct args args;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		assert_int_equal(read_line(&args, lines[i], &err), 0);
		assert_string_equal(args_value(&args, "limit"), "7");
		assert_false(args_has(&args, "follow"));
		assert_null(args_value(&args, "since"));
	}
}

static void
test_flags_have_no_value(void **state)
{
	struct args args;
	struct err err;

	(void)state;
	assert_int_equal(read_line(&args, "-f --json", &err), 0);
	assert_true(args_has(&args, "follow"));
	assert_true(args_has(&args, "json"));
	assert_int_equal(args.words_count, 0);
	assert_int_equal(read_line(&args, "--json=yes", &err), -1);
	assert_string_equal(err.text, "--json takes no value");
}

static void
test_words_stand_between_options(void **state)
{
	struct args args;
	struct err err;

	(void)state;
	assert_int_equal(read_line(&args, "one -f two - -- --limit -x", &err), 0);
	assert_int_equal(args.words_count, 5);
	assert_string_equal(args.words[0], "one");
	assert_string_equal(args.words[1], "two");
	assert_string_equal(args.words[2], "-");
	assert_string_equal(args.words[3], "--limit");
	assert_string_equal(args.words[4], "-x");
	assert_null(args_value(&args, "limit"));
}

static void
test_an_empty_value_is_a_value(void **state)
{
	struct args args;
	struct err err;

	(void)state;
	assert_int_equal(read_line(&args, "--since=", &err), 0);
	assert_string_equal(args_value(&args, "since"), "");
	assert_true(args_has(&args, "since"));
}

static void
test_what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *line, *text;
	} cases[] = {
		{ "--limt 7", "unknown option --limt; did you mean --limit?" },
		{ "--limt=7", "unknown option --limt=7; did you mean --limit?" },
		{ "--quux", "unknown option --quux; see --help" },
		{ "-x", "unknown option -x; see --help" },
		{ "-fn", "unknown option -fn; see --help" },
		{ "--limit", "--limit needs a value: N" },
		{ "-n", "--limit needs a value: N" },
		{ "--", "" },
	};
	struct args args;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int result = read_line(&args, cases[i].line, &err);

		assert_int_equal(result, *cases[i].text ? -1 : 0);
		assert_string_equal(err.text, cases[i].text);
		assert_int_equal(err.kind, *cases[i].text ? ERR_INPUT : ERR_NONE);
	}
}

static void
test_words_have_a_limit(void **state)
{
	char line[4 * ARGS_WORDS_MAX] = "";
	struct args args;
	struct err err;

	(void)state;
	for (int i = 0; i < ARGS_WORDS_MAX; i++)
		strcat(line, i > 0 ? " w" : "w");
	assert_int_equal(read_line(&args, line, &err), 0);
	assert_int_equal(args.words_count, ARGS_WORDS_MAX);
	strcat(line, " w");
	assert_int_equal(read_line(&args, line, &err), -1);
	assert_int_equal(err.kind, ERR_INPUT);
}

static void
test_whole_numbers(void **state)
{
	static const struct {
		const char *text;
		long value; /* -1: refused */
	} cases[] = {
		{ "1", 1 },
		{ "100", 100 },
		{ "0", -1 },
		{ "101", -1 },
		{ "", -1 },
		{ "7x", -1 },
		{ "x", -1 },
		{ "1e1", -1 },
		{ " 7", -1 },
		{ "-3", -1 },
		{ "0x10", -1 },
		{ "+7", 7 },
		{ "99999999999999999999", -1 },
	};
	struct err err;
	long value;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		err = (struct err){ 0 };
		value = -1;
		assert_int_equal(count_read("N", cases[i].text, 1, 100, &value, &err),
				 cases[i].value < 0 ? -1 : 0);
		assert_int_equal(value, cases[i].value);
		assert_int_equal(err.kind, cases[i].value < 0 ? ERR_INPUT : ERR_NONE);
	}
}

static void
test_an_absent_number_keeps_the_preset(void **state)
{
	struct args args;
	struct err err;
	long value = 20;

	(void)state;
	read_line(&args, "", &err);
	assert_int_equal(args_count(&args, "limit", 1, 100, &value, &err), 0);
	assert_int_equal(value, 20);
	read_line(&args, "-n 101", &err);
	assert_int_equal(args_count(&args, "limit", 1, 100, &value, &err), -1);
	assert_string_equal(
	    err.text, "--limit: expected a whole number from 1 to 100, got \"101\"");
	assert_int_equal(value, 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_way_to_give_a_value),
		cmocka_unit_test(test_flags_have_no_value),
		cmocka_unit_test(test_words_stand_between_options),
		cmocka_unit_test(test_an_empty_value_is_a_value),
		cmocka_unit_test(test_what_is_wrong_is_said),
		cmocka_unit_test(test_words_have_a_limit),
		cmocka_unit_test(test_whole_numbers),
		cmocka_unit_test(test_an_absent_number_keeps_the_preset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
