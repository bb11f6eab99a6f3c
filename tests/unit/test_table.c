/* Tables and text for terminals: widths, cutting, and nothing that could do harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cli/table.h"
#include "cli/text.h"

static void
check_table(const struct table *table, size_t width, const char *expected)
{
	struct buf out = { 0 };

	table_write(table, width, &out);
	assert_string_equal(buf_text(&out), expected);
	buf_fini(&out);
}

static struct table *
two_rows(void)
{
	static const char *const titles[] = { "RUN", "STATUS", "WHAT" };
	struct table *table = table_new(titles, 3);

	table_add(table, 0, "release-1");
	table_add(table, 1, "DONE");
	table_add(table, 2, "it is a long text");
	table_end_row(table);
	table_add(table, 0, "r-2");
	table_add(table, 2, "x");
	table_end_row(table);
	return table;
}

static void
test_columns_are_as_wide_as_their_widest_cell(void **state)
{
	struct table *table = two_rows();

	(void)state;
	check_table(table, 0,
		    "RUN        STATUS  WHAT\n"
		    "release-1  DONE    it is a long text\n"
		    "r-2                x\n");
	assert_int_equal(table_rows(table), 2);
	table_free(&table);
	assert_null(table);
}

static void
test_the_last_column_is_cut_to_the_screen(void **state)
{
	struct table *table = two_rows();

	(void)state;
	check_table(table, 26,
		    "RUN        STATUS  WHAT\n"
		    "release-1  DONE    it is …\n"
		    "r-2                x\n");
	/* no room at all: one character */
	check_table(table, 5,
		    "RUN        STATUS  W\n"
		    "release-1  DONE    i\n"
		    "r-2                x\n");
	table_free(&table);
}

static void
test_a_cell_given_twice_is_the_second(void **state)
{
	static const char *const titles[] = { "A" };
	struct table *table = table_new(titles, 1);

	(void)state;
	table_add(table, 0, "first");
	table_add(table, 0, "second");
	table_end_row(table);
	check_table(table, 0, "A\nsecond\n");
	table_free(&table);
}

static void
test_an_unfinished_row_is_not_shown(void **state)
{
	static const char *const titles[] = { "A" };
	struct table *table = table_new(titles, 1);

	(void)state;
	table_add(table, 0, "never");
	check_table(table, 0, "A\n");
	assert_int_equal(table_rows(table), 0);
	table_free(&table);
}

static void
test_wide_and_combining_characters(void **state)
{
	static const char *const titles[] = { "A", "B" };
	struct table *table = table_new(titles, 2);

	(void)state;
	assert_int_equal(text_width("abc"), 3);
	assert_int_equal(text_width("größe"), 5);
	assert_int_equal(text_width("日本"), 4);
	assert_int_equal(text_width("e\xcc\x81"), 1); /* e and an accent on it */
	assert_int_equal(text_width("🚀"), 2);
	assert_int_equal(text_width("\xff\xfe"), 2); /* no UTF-8: a column each */
	table_add(table, 0, "日本");
	table_add(table, 1, "x");
	table_end_row(table);
	table_add(table, 0, "abcd");
	table_add(table, 1, "y");
	table_end_row(table);
	check_table(table, 0, "A     B\n日本  x\nabcd  y\n");
	table_free(&table);
}

static void
test_text_is_never_cut_inside_a_character(void **state)
{
	size_t used;

	(void)state;
	assert_int_equal(text_fitting("日本", 3, &used), 3);
	assert_int_equal(used, 2);
	assert_int_equal(text_fitting("日本", 1, &used), 0);
	assert_int_equal(text_fitting("abc", 2, &used), 2);
	assert_int_equal(text_fitting("", 5, &used), 0);
}

static void
test_what_came_from_outside_is_made_harmless(void **state)
{
	static const struct {
		const char *text, *clean;
	} cases[] = {
		{ "plain", "plain" },
		{ "two\nlines\tand\r", "two lines and " },
		{ "\033[2Jgone", "?[2Jgone" },
		{ "a\x07 b\x7f", "a? b?" },
		{ "\xc2\x9b"
		  "31m",
		  "?31m" }, /* CSI in one character */
		{ "\xe2\x80\xae"
		  "txt.exe",
		  "?txt.exe" }, /* right to left */
		{ "\xe2\x81\xa6x", "?x" },
		{ "\xff\xfe", "??" },
		{ "größe 日本", "größe 日本" },
		{ NULL, "" },
	};
	struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf_clear(&out);
		text_clean(cases[i].text, &out);
		assert_string_equal(buf_text(&out), cases[i].clean);
	}
	buf_fini(&out);
}

static void
test_times_for_people(void **state)
{
	static const struct {
		long long ms;
		const char *text;
	} cases[] = {
		{ 0, "0 ms" },
		{ 999, "999 ms" },
		{ 1000, "1.0 s" },
		{ 1250, "1.2 s" },
		{ 59999, "59.9 s" },
		{ 60000, "1 m 0 s" },
		{ 3599999, "59 m 59 s" },
		{ 3600000, "1 h 0 m" },
		{ 90000000, "25 h 0 m" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(text_ms(cases[i].ms, text, sizeof text),
				    cases[i].text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns_are_as_wide_as_their_widest_cell),
		cmocka_unit_test(test_the_last_column_is_cut_to_the_screen),
		cmocka_unit_test(test_a_cell_given_twice_is_the_second),
		cmocka_unit_test(test_an_unfinished_row_is_not_shown),
		cmocka_unit_test(test_wide_and_combining_characters),
		cmocka_unit_test(test_text_is_never_cut_inside_a_character),
		cmocka_unit_test(test_what_came_from_outside_is_made_harmless),
		cmocka_unit_test(test_times_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
