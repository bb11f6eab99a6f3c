/* UTF-8: every code point there and back, every broken form refused and repaired. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define BAD "\xef\xbf\xbd"

static void
test_every_code_point_there_and_back(void **state)
{
	char bytes[4];
	uint32_t back;
	size_t len;

	(void)state;
	for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
		if (cp >= 0xd800 && cp < 0xe000)
			continue;
		len = utf8_encode(cp, bytes);
		back = 0x110000;
		if (utf8_decode(bytes, len, &back) != len || back != cp ||
		    !utf8_valid(bytes, len))
			fail_msg("U+%04X", cp);
		for (size_t cut = 0; cut < len; cut++)
			if (utf8_decode(bytes, cut, &back) != 0)
				fail_msg("U+%04X cut to %zu", cp, cut);
	}
}

static void
test_what_is_no_code_point_is_written_as_the_replacement(void **state)
{
	char bytes[4];

	(void)state;
	assert_int_equal(utf8_encode(0xd800, bytes), 3);
	assert_memory_equal(bytes, BAD, 3);
	assert_int_equal(utf8_encode(0x110000, bytes), 3);
	assert_memory_equal(bytes, BAD, 3);
}

static void
test_broken_forms_are_refused(void **state)
{
	static const char *const texts[] = {
		"\x80",
		"\xbf",
		"\xc0\x80",
		"\xc1\xbf",
		"\xc3",
		"\xc3(",
		"\xe0\x80\x80",
		"\xe0\x9f\xbf",
		"\xe2\x82",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xf0\x80\x80\x80",
		"\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xf0\x9f\x98",
		"\xff",
		"\xfe",
		"\xf8\x88\x80\x80\x80",
	};
	uint32_t cp;
	char text[40];

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_int_equal(utf8_decode(texts[i], strlen(texts[i]), &cp), 0);
		for (size_t before = 0; before < 20; before++) {
			memset(text, 'a', sizeof text);
			memcpy(text + before, texts[i], strlen(texts[i]));
			assert_false(utf8_valid(text, before + strlen(texts[i])));
			assert_false(utf8_valid(text, sizeof text));
		}
	}
	assert_true(utf8_valid("", 0));
	assert_true(utf8_valid("a\0b", 3));
}

static void
check_repair(const char *text, size_t len, const char *expected)
{
	struct buf out = { 0 };

	utf8_repair(text, len, &out);
	assert_string_equal(buf_text(&out), expected);
	assert_true(utf8_valid(buf_text(&out), out.len));
	buf_fini(&out);
}

static void
test_repair(void **state)
{
	(void)state;
	check_repair("", 0, "");
	check_repair("gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f");
	check_repair("a\0b", 3, "a" BAD "b");
	check_repair("\xff\xfe", 2, BAD BAD);
	check_repair("\xed\xa0\x80", 3, BAD BAD BAD);
	check_repair("x\xe2\x82", 3, "x" BAD BAD);
	check_repair("\xe2\x82\xac\xe2", 4, "\xe2\x82\xac" BAD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_code_point_there_and_back),
		cmocka_unit_test(
		    test_what_is_no_code_point_is_written_as_the_replacement),
		cmocka_unit_test(test_broken_forms_are_refused),
		cmocka_unit_test(test_repair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
