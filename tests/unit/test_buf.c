/* Buffers: always terminated, growing, taken and consumed; the printed helpers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/quote.h"
#include "base/xalloc.h"

static void
test_an_empty_buffer_is_text(void **state)
{
	struct buf buf = { 0 };
	char *text;

	(void)state;
	assert_string_equal(buf_text(&buf), "");
	buf_add(&buf, NULL, 0);
	buf_clear(&buf);
	buf_consume(&buf, 0);
	text = buf_take(&buf);
	assert_string_equal(text, "");
	free(text);
	buf_fini(&buf);
}

static void
test_adding_keeps_the_nul_behind(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	for (size_t i = 0; i < 5000; i++) {
		buf_char(&buf, (char)('a' + i % 26));
		assert_int_equal(buf.len, i + 1);
		assert_int_equal(buf.data[buf.len], '\0');
		assert_true(buf.capacity > buf.len);
	}
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(buf.data[i], 'a' + i % 26);
	buf_fini(&buf);
	assert_null(buf.data);
}

static void
test_nul_bytes_are_data(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	buf_add(&buf, "a\0b", 3);
	buf_str(&buf, "c");
	assert_int_equal(buf.len, 4);
	assert_memory_equal(buf.data, "a\0bc", 5);
	buf_fini(&buf);
}

static void
test_printf_of_any_length(void **state)
{
	struct buf buf = { 0 };
	char wide[400];

	(void)state;
	memset(wide, 'x', sizeof wide - 1);
	wide[sizeof wide - 1] = '\0';
	for (int len = 0; len < 399; len++) {
		buf_clear(&buf);
		buf_printf(&buf, "%.*s", len, wide);
		assert_int_equal(buf.len, len);
		assert_int_equal(strlen(buf.data), len);
	}
	buf_clear(&buf);
	buf_printf(&buf, "%d-%s", 7, "y");
	buf_printf(&buf, "+%d", 8);
	assert_string_equal(buf.data, "7-y+8");
	buf_fini(&buf);
}

static void
test_reserve_and_grow(void **state)
{
	struct buf buf = { 0 };
	char *room;

	(void)state;
	buf_str(&buf, "ab");
	room = buf_reserve(&buf, 1000);
	assert_ptr_equal(room, buf.data + 2);
	memset(room, 'z', 1000);
	buf_grow(&buf, 500);
	assert_int_equal(buf.len, 502);
	assert_int_equal(buf.data[502], '\0');
	buf_fini(&buf);
}

static void
test_consume_drops_from_the_front(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	buf_str(&buf, "hello world");
	buf_consume(&buf, 6);
	assert_string_equal(buf.data, "world");
	buf_consume(&buf, 5);
	assert_int_equal(buf.len, 0);
	assert_string_equal(buf.data, "");
	buf_fini(&buf);
}

static void
test_take_gives_the_text_away(void **state)
{
	struct buf buf = { 0 };
	char *text;

	(void)state;
	buf_str(&buf, "mine");
	text = buf_take(&buf);
	assert_string_equal(text, "mine");
	assert_null(buf.data);
	assert_int_equal(buf.len, 0);
	free(text);
}

static void
check_quote(const char *text, size_t len, const char *expected)
{
	struct buf buf = { 0 };

	quote_json(text, len, &buf);
	assert_string_equal(buf_text(&buf), expected);
	buf_fini(&buf);
}

static void
test_quoting_is_always_json(void **state)
{
	(void)state;
	check_quote("", 0, "\"\"");
	check_quote("a\"\\/\b\f\n\r\t", 9, "\"a\\\"\\\\/\\b\\f\\n\\r\\t\"");
	check_quote("\x00\x1f\x7f", 3, "\"\\u0000\\u001f\\u007f\"");
	check_quote("\xc3\xa4\xf0\x9f\x98\x80", 6, "\"\xc3\xa4\xf0\x9f\x98\x80\"");
	check_quote("\xff\xc3", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void
test_allocation_helpers(void **state)
{
	char *a = xprintf("%d/%s", 5, "x"), *b = xstrndup("abc\0d", 5);
	int *numbers = xcalloc(3, sizeof *numbers);

	(void)state;
	assert_string_equal(a, "5/x");
	assert_memory_equal(b, "abc\0d", 6);
	assert_int_equal(numbers[2], 0);
	numbers = xrealloc(numbers, 100, sizeof *numbers);
	assert_null(xstrdup(NULL));
	free(a);
	free(b);
	free(numbers);
	free(xmalloc(0));
	free(xmemdup("", 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_buffer_is_text),
		cmocka_unit_test(test_adding_keeps_the_nul_behind),
		cmocka_unit_test(test_nul_bytes_are_data),
		cmocka_unit_test(test_printf_of_any_length),
		cmocka_unit_test(test_reserve_and_grow),
		cmocka_unit_test(test_consume_drops_from_the_front),
		cmocka_unit_test(test_take_gives_the_text_away),
		cmocka_unit_test(test_quoting_is_always_json),
		cmocka_unit_test(test_allocation_helpers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
