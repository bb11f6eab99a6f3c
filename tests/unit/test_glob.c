/* Patterns of paths, as a table: tests/tables/glob.txt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/usec.h"
#include "lang/glob.h"
#include "text_file.h"

static void
check_error(const char *pattern, const char *expected)
{
	struct err err = { 0 };

	glob_check(pattern, strlen(pattern), &err);
	if (strcmp(expected, err.kind == ERR_NONE ? "none" : err.text) != 0)
		fail_msg("%s: %s", pattern, err.text);
}

static void
check_match(const char *pattern, const char *path, bool expected)
{
	struct err err = { 0 };

	if (glob_check(pattern, strlen(pattern), &err) < 0)
		fail_msg("%s: %s", pattern, err.text);
	if (glob_match(pattern, path) != expected)
		fail_msg("%s, %s: expected %s", pattern, path, expected ? "yes" : "no");
}

static void
check_line(char *line)
{
	char *result = strstr(line, " -> "), *path;

	assert_non_null(result);
	*result = '\0';
	result += 4;
	if (strncmp(result, "error: ", 7) == 0) {
		check_error(line, result + 7);
		return;
	}
	path = strstr(line, ", ");
	assert_non_null(path);
	*path = '\0';
	check_match(line, path + 2, strcmp(result, "yes") == 0);
}

static void
test_table(void **state)
{
	char *text = text_file_read(TESTS_DIR "/tables/glob.txt", NULL), *rest = text;
	char *line;
	int count = 0;

	(void)state;
	assert_non_null(text);
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (*line == '#' || *line == '\0')
			continue;
		check_line(line);
		count++;
	}
	assert_true(count > 40);
	free(text);
}

static void
test_limits(void **state)
{
	char pattern[GLOB_MAX + 2];
	struct err err = { 0 };

	(void)state;
	memset(pattern, 'a', sizeof pattern);
	pattern[GLOB_MAX + 1] = '\0';
	assert_int_equal(glob_check(pattern, GLOB_MAX + 1, &err), -1);
	assert_int_equal(glob_check(pattern, GLOB_MAX, &err), 0);
	assert_int_equal(glob_check("a\0b", 3, &err), -1);
	assert_int_equal(glob_check("\xff", 1, &err), -1);
}

/* As many stars as there can be, on a path of which every character could be any. */
static void
test_cost(void **state)
{
	char pattern[GLOB_MAX + 1], path[4001];

	(void)state;
	for (size_t i = 0; i < GLOB_MAX; i++)
		pattern[i] = "**/a/"[i % 5];
	pattern[GLOB_MAX - 1] = 'b';
	pattern[GLOB_MAX] = '\0';
	for (size_t i = 0; i < sizeof path - 1; i++)
		path[i] = "a/"[i % 2];
	path[sizeof path - 2] = 'a';
	path[sizeof path - 1] = '\0';
	assert_false(glob_match(pattern, path));
	for (size_t i = 0; i < GLOB_MAX - 1; i++)
		pattern[i] = "*a"[i % 2];
	memset(path, 'a', sizeof path - 1);
	assert_false(glob_match(pattern, path));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
