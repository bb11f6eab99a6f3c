/* What is kept of a long output: head, tail, a count, and never more than the limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "output_core.h"

#define KEEP 1000

static bool
text_of(const char *data, size_t len, size_t piece, struct buf *out)
{
	struct output output;
	bool cut;

	output_init(&output, KEEP);
	for (size_t at = 0; at < len; at += piece)
		output_add(&output, data + at, len - at < piece ? len - at : piece);
	assert_int_equal(output.total, len);
	assert_true(output.head.len + output.tail.len <= KEEP);
	cut = output_text(&output, out);
	assert_true(out->len <= KEEP);
	assert_true(utf8_valid(buf_text(out), out->len));
	assert_int_equal(strlen(buf_text(out)), out->len);
	output_fini(&output);
	return cut;
}

static void
test_short_is_whole(void **state)
{
	static const size_t lens[] = { 0, 1, 499, 500, 501, 999, 1000 };
	char data[1000];

	(void)state;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (char)('a' + i % 26);
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++)
		for (size_t piece = 1; piece < 1200; piece = piece * 3 + 1) {
			struct buf out = { 0 };

			assert_false(text_of(data, lens[i], piece, &out));
			assert_int_equal(out.len, lens[i]);
			if (out.len > 0)
				assert_memory_equal(out.data, data, lens[i]);
			buf_fini(&out);
		}
}

static void
test_long_keeps_both_ends(void **state)
{
	enum { LEN = 12345 };
	char data[LEN], mark[80];

	(void)state;
	for (size_t i = 0; i < LEN; i++)
		data[i] = (char)('a' + i % 23);
	for (size_t piece = 1; piece < 20000; piece = piece * 3 + 1) {
		struct buf out = { 0 };
		const char *found;
		size_t tail;

		assert_true(text_of(data, LEN, piece, &out));
		found = strstr(buf_text(&out), "\n... ");
		assert_non_null(found);
		assert_memory_equal(out.data, data, (size_t)(found - out.data));
		tail = strlen(strstr(found, " ...\n") + 5);
		assert_memory_equal(out.data + out.len - tail, data + LEN - tail, tail);
		snprintf(mark, sizeof mark, "\n... %zu bytes left out ...\n",
			 LEN - (size_t)(found - out.data) - tail);
		assert_int_equal(strncmp(found, mark, strlen(mark)), 0);
		assert_true(tail > 400 && found - out.data > 400);
		buf_fini(&out);
	}
}

/* Characters of every length, the cut at every place in them: no broken one is shown.
 */
static void
test_cuts_between_characters(void **state)
{
	static const char *const chars[] = { "\xc3\xa9", "\xe2\x82\xac",
					     "\xf0\x9f\x98\x80" };

	(void)state;
	for (size_t c = 0; c < 3; c++)
		for (size_t shift = 0; shift < 8; shift++) {
			struct buf data = { 0 }, out = { 0 };

			for (size_t i = 0; i < shift; i++)
				buf_char(&data, 'x');
			while (data.len < 5000 + shift)
				buf_str(&data, chars[c]);
			assert_true(text_of(data.data, data.len, 7, &out));
			assert_null(strstr(buf_text(&out), "\xef\xbf\xbd"));
			buf_fini(&data);
			buf_fini(&out);
		}
}

static void
test_a_character_across_the_middle_stays_whole(void **state)
{
	struct buf data = { 0 }, out = { 0 };

	(void)state;
	for (size_t i = 0; i < KEEP / 2 - 1; i++)
		buf_char(&data, 'x');
	buf_str(&data, "\xe2\x82\xac");
	assert_false(text_of(data.data, data.len, 1, &out));
	assert_string_equal(buf_text(&out), buf_text(&data));
	buf_fini(&data);
	buf_fini(&out);
}

/* Each byte that is no text becomes three: still no more than the limit. */
static void
test_binary_stays_within_the_limit(void **state)
{
	static const size_t lens[] = { 10, 333, 334, 1000, 1001, 100000 };
	char *data = malloc(100000);

	(void)state;
	for (int fill = 0; fill < 256; fill += 51) {
		memset(data, fill, 100000);
		for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
			struct buf out = { 0 };

			text_of(data, lens[i], 64, &out);
			buf_fini(&out);
		}
	}
	free(data);
}

static void
test_a_tiny_limit_is_raised(void **state)
{
	struct output output;
	struct buf out = { 0 };

	(void)state;
	output_init(&output, 1);
	for (int i = 0; i < 1000; i++)
		output_add(&output, "0123456789", 10);
	assert_true(output_text(&output, &out));
	assert_true(out.len <= OUTPUT_KEEP_MIN && out.len > 100);
	output_fini(&output);
	buf_fini(&out);
}

static void
test_last_line(void **state)
{
	static const struct {
		const char *text, *line;
	} rows[] = {
		{ "", "" },
		{ "\n\n", "" },
		{ "one", "one" },
		{ "one\ntwo\n", "two" },
		{ "Error: no\n    at x\n    at y\n\n", "Error: no" },
		{ "   all\n\tindented", "" },
		{ "0123456789abcdef", "0123456789" },
		{ "a\n01234567\xe2\x82\xac", "01234567" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct output output;
		struct buf out = { 0 };

		output_init(&output, KEEP);
		output_add(&output, rows[i].text, strlen(rows[i].text));
		output_last_line(&output, 10, &out);
		assert_string_equal(buf_text(&out), rows[i].line);
		output_fini(&output);
		buf_fini(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short_is_whole),
		cmocka_unit_test(test_long_keeps_both_ends),
		cmocka_unit_test(test_cuts_between_characters),
		cmocka_unit_test(test_a_character_across_the_middle_stays_whole),
		cmocka_unit_test(test_binary_stays_within_the_limit),
		cmocka_unit_test(test_a_tiny_limit_is_raised),
		cmocka_unit_test(test_last_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
