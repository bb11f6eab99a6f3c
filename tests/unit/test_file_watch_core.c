/* Files under a watch: which count, what is news, and when they have been left alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "file_watch_core.h"

static void
test_news(void **state)
{
	const struct file_seen a = { 1, 2, 3 }, later = { 2, 2, 3 },
			       longer = { 1, 3, 3 }, other = { 1, 2, 4 };

	(void)state;
	assert_int_equal(file_news(NULL, NULL), FILE_NO_NEWS);
	assert_int_equal(file_news(NULL, &a), FILE_CREATED);
	assert_int_equal(file_news(&a, NULL), FILE_GONE);
	assert_int_equal(file_news(&a, &a), FILE_NO_NEWS);
	assert_int_equal(file_news(&a, &later), FILE_MODIFIED);
	assert_int_equal(file_news(&a, &longer), FILE_MODIFIED);
	assert_int_equal(file_news(&a, &other), FILE_MODIFIED);
}

static const struct {
	const char *paths[3], *patterns[4], *path;
	bool wants, enters;
} rows[] = {
	{ { "." }, { NULL }, "a", true, true },
	{ { "." }, { NULL }, "a/b", true, true },
	{ { "." }, { NULL }, ".", true, true },
	{ { "." }, { NULL }, ".git/x", false, false },
	{ { "." }, { NULL }, "a/.b", false, false },
	{ { "in" }, { NULL }, "in/a", true, true },
	{ { "in" }, { NULL }, "in", true, true },
	{ { "in" }, { NULL }, "inn/a", false, false },
	{ { "in" }, { NULL }, "a/in", false, false },
	{ { "in", "out/x" }, { NULL }, "out/x/y", true, true },
	{ { "in", "out/x" }, { NULL }, "out", false, false },
	{ { ".agent/in" }, { NULL }, ".agent/in/a", true, true },
	{ { ".agent/in" }, { NULL }, ".agent/in/.a", false, false },
	{ { "." }, { "*.csv" }, "a/b.csv", true, true },
	{ { "." }, { "*.csv" }, "a/b.txt", false, true },
	{ { "." }, { "*.csv", "!tmp*" }, "tmp.csv", false, true },
	{ { "." }, { "!tmp*" }, "a", true, true },
	{ { "." }, { "!tmp*" }, "tmp1", false, true },
	{ { "." }, { "!tmp*" }, ".a", false, false },
	{ { "." }, { "a/*.md", "b/**" }, "b/c/d", true, true },
	{ { "." }, { ".env", "*" }, "a/.env", true, false },
	{ { "." }, { "**/.github/*" }, ".github/a", true, true },
	{ { "." }, { "**/.*/**" }, ".agent/workflows/executions/1/x", false, false },
	{ { ".agent" }, { NULL }, ".agent/workflows/executions", false, false },
	{ { ".agent" }, { NULL }, ".agent/workflows/executions2", true, true },
};

static size_t
count(const char *const *texts)
{
	size_t n = 0;

	while (texts[n] != NULL)
		n++;
	return n;
}

static void
test_what_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct trigger_watch watch = {
			.paths = { (char **)rows[i].paths, count(rows[i].paths) },
			.patterns = { (char **)rows[i].patterns,
				      count(rows[i].patterns) },
		};

		if (file_watch_wants(&watch, rows[i].path) != rows[i].wants)
			fail_msg("row %zu: %s is wanted, or not", i, rows[i].path);
		if (strcmp(rows[i].path, "a/.env") != 0 &&
		    file_watch_enters(&watch, rows[i].path) != rows[i].enters)
			fail_msg("row %zu: %s is entered, or not", i, rows[i].path);
	}
}

static void
check_take(struct debounce *debounce, usec_t now, const char *expected)
{
	char *path = debounce_take(debounce, now);

	if (expected == NULL)
		assert_null(path);
	else
		assert_string_equal(path, expected);
	free(path);
}

static void
test_debounce(void **state)
{
	struct debounce debounce;

	(void)state;
	debounce_init(&debounce, 100);
	assert_int_equal(debounce_next(&debounce), USEC_NEVER);
	debounce_touch(&debounce, "a", 10);
	debounce_touch(&debounce, "b", 20);
	assert_int_equal(debounce_next(&debounce), 110);
	debounce_touch(&debounce, "a", 50);
	assert_int_equal(debounce_count(&debounce), 2);
	assert_int_equal(debounce_next(&debounce), 120);
	check_take(&debounce, 119, NULL);
	check_take(&debounce, 120, "b");
	check_take(&debounce, 120, NULL);
	check_take(&debounce, 150, "a");
	assert_int_equal(debounce_count(&debounce), 0);
	debounce_touch(&debounce, "c", 60);
	debounce_fini(&debounce);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_news),
		cmocka_unit_test(test_what_counts),
		cmocka_unit_test(test_debounce),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
