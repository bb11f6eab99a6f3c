/* Regular expressions: a table, the bounds, and the time they take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "lang/regex.h"
#include "text_file.h"

#define PLENTY ((int64_t)1 << 40)

/* "yes", "no", or the error. */
static const char *
match(const char *pattern, const char *text, struct err *err)
{
	int64_t budget = PLENTY;
	struct regex *regex = regex_compile(pattern, strlen(pattern), err);
	enum regex_answer answer;

	if (regex == NULL) {
		assert_int_equal(err->kind, ERR_INPUT);
		return err->text;
	}
	answer = regex_match(regex, text, strlen(text), &budget);
	regex_free(&regex);
	assert_int_not_equal(answer, REGEX_SPENT);
	return answer == REGEX_YES ? "yes" : "no";
}

static void
unescape(char *text)
{
	char *out = text;

	for (; *text != '\0'; text++) {
		if (text[0] == '\\' && text[1] == 'n') {
			*out++ = '\n';
			text++;
		} else {
			*out++ = *text;
		}
	}
	*out = '\0';
}

static int
check_line(char *line, size_t number)
{
	char *pattern = strsep(&line, "\t"), *text = strsep(&line, "\t");
	struct err err = { 0 };
	const char *got;
	bool error;

	if (text == NULL || line == NULL)
		fail_msg("regex.txt:%zu: three fields are needed", number);
	unescape(text);
	error = strncmp(line, "error: ", 7) == 0;
	got = match(pattern, text, &err);
	if (error ? strstr(got, line + 7) != NULL : strcmp(got, line) == 0)
		return 0;
	print_error("regex.txt:%zu: %s: expected %s, got %s\n", number, pattern, line,
		    got);
	return 1;
}

static void
test_table(void **state)
{
	char *text = text_file_read(TESTS_DIR "/tables/regex.txt", NULL);
	char *rest = text, *line;
	size_t number = 0, checked = 0;
	int wrong = 0;

	(void)state;
	assert_non_null(text);
	while ((line = strsep(&rest, "\n")) != NULL) {
		number++;
		if (*line == '#' || (*line == '\0' && rest == NULL))
			continue;
		wrong += check_line(line, number);
		checked++;
	}
	free(text);
	assert_true(checked > 100);
	assert_int_equal(wrong, 0);
}

/* Every general category holds what Unicode says of a few characters each. */
static void
test_categories(void **state)
{
	static const struct {
		const char *in, *not_in;
		const char *name;
	} rows[] = {
		{ "a", "A", "Ll" },
		{ "A", "a", "Lu" },
		{ "ǅ", "a", "Lt" },
		{ "ʰ", "a", "Lm" },
		{ "中", "a", "Lo" },
		{ "\xcc\x81", "a", "Mn" },
		{ "5", "Ⅷ", "Nd" },
		{ "Ⅷ", "5", "Nl" },
		{ "½", "5", "No" },
		{ "_", "-", "Pc" },
		{ "-", "_", "Pd" },
		{ "(", ")", "Ps" },
		{ ")", "(", "Pe" },
		{ "«", "»", "Pi" },
		{ "»", "«", "Pf" },
		{ "!", "a", "Po" },
		{ "+", "$", "Sm" },
		{ "$", "+", "Sc" },
		{ "^", "a", "Sk" },
		{ "©", "a", "So" },
		{ " ", "a", "Zs" },
		{ "\n", "a", "Cc" },
		{ "a", "1", "L" },
		{ "1", "a", "N" },
		{ "\xe2\x80\xa8", " ", "Zl" },
	};
	char pattern[16];
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(pattern, sizeof pattern, "\\p{%s}", rows[i].name);
		assert_string_equal(match(pattern, rows[i].in, &err), "yes");
		assert_string_equal(match(pattern, rows[i].not_in, &err), "no");
	}
}

static char *
many(const char *part, size_t count)
{
	struct buf out = { 0 };

	for (size_t i = 0; i < count; i++)
		buf_str(&out, part);
	return buf_take(&out);
}

/* The work is program times text, whatever the pattern: counted, not measured. */
static void
test_time_is_linear(void **state)
{
	static const char *const patterns[] = { "(a*)*$b", "(a|a)*b", "(a|aa|aaa)*b",
						"(.*)(.*)(.*)(.*)(.*)b", "(x+x+)+y" };
	char *text = many("a", 20000);
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
		struct regex *regex =
		    regex_compile(patterns[i], strlen(patterns[i]), &err);
		int64_t budget = PLENTY;

		assert_non_null(regex);
		assert_int_equal(regex_match(regex, text, 20000, &budget), REGEX_NO);
		assert_true(PLENTY - budget < 3 * 20001 * (int64_t)regex_size(regex));
		regex_free(&regex);
	}
	free(text);
}

static void
test_the_budget_cuts(void **state)
{
	struct err err = { 0 };
	struct regex *regex = regex_compile("(a|b)*c", 7, &err);
	char *text = many("ab", 50000);
	int64_t budget = 10000;

	(void)state;
	assert_int_equal(regex_match(regex, text, 100000, &budget), REGEX_SPENT);
	assert_true(budget > -100);
	regex_free(&regex);
	free(text);
}

static void
test_bounds(void **state)
{
	char *text = many("(", 200);
	struct err err = { 0 };
	struct regex *regex;

	(void)state;
	assert_null(regex_compile(text, 200, &err));
	assert_non_null(strstr(err.text, "more than 100 groups deep"));
	free(text);
	text = many("a", REGEX_TEXT_MAX + 1);
	assert_null(regex_compile(text, REGEX_TEXT_MAX + 1, &err));
	regex = regex_compile(text, REGEX_TEXT_MAX, &err);
	assert_non_null(regex);
	assert_int_equal(regex_size(regex), REGEX_TEXT_MAX + 1);
	regex_free(&regex);
	free(text);
	assert_null(regex_compile("\xff", 1, &err));
	assert_non_null(strstr(err.text, "not UTF-8"));
}

/* Text that is not UTF-8 is no reason to fail, NUL is a character. */
static void
test_any_bytes(void **state)
{
	struct err err = { 0 };
	struct regex *regex = regex_compile("a\\x00.\\x{fffd}$", 15, &err);
	int64_t budget = PLENTY;

	(void)state;
	assert_non_null(regex);
	assert_int_equal(regex_match(regex, "a\0b\xff", 4, &budget), REGEX_YES);
	assert_int_equal(regex_match(regex, "a\0b\xe2\x82", 5, &budget), REGEX_NO);
	regex_free(&regex);
	regex_free(&regex);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_categories),
		cmocka_unit_test(test_time_is_linear),
		cmocka_unit_test(test_the_budget_cuts),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
