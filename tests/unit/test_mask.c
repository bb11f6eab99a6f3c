/* Secrets are found as they are, escaped and encoded, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <stdio.h>

#include "base/mask.h"
#include "base/quote.h"

static void
check(const struct mask *mask, const char *text, size_t len, const char *expected)
{
	struct buf out = { 0 };

	mask_text(mask, text, len, &out);
	assert_string_equal(buf_text(&out), expected);
	buf_fini(&out);
}

static struct mask *
mask_of(const char *a, const char *b)
{
	struct mask *mask = mask_new();

	mask_add(mask, a, strlen(a));
	if (b != NULL)
		mask_add(mask, b, strlen(b));
	return mask;
}

static void
check_text(const struct mask *mask, const char *text, const char *expected)
{
	check(mask, text, strlen(text), expected);
}

static void
test_values_as_they_are(void **state)
{
	struct mask *mask = mask_of("hunter22", "hunter22-long");

	(void)state;
	check_text(mask, "", "");
	check_text(mask, "hunter22", "***");
	check_text(mask, "a hunter22 b hunter22", "a *** b ***");
	check_text(mask, "hunter22hunter22", "******");
	check_text(mask, "hhunter22-long!", "h***!"); /* the longest wins */
	check_text(mask, "hunter2", "hunter2");
	check_text(mask, "Hunter22", "Hunter22");
	check(mask, "\0hunter22", 9, "");
	mask_free(&mask);
	assert_null(mask);
	mask_free(&mask);
}

static void
test_short_values_are_left(void **state)
{
	struct mask *mask = mask_of("abc", "abcd");

	(void)state;
	check_text(mask, "abc abcd", "abc ***");
	mask_free(&mask);
}

static void
test_escaped_in_urls(void **state)
{
	struct mask *mask = mask_of("p@ss w\xc3\xb6rd+1", NULL);

	(void)state;
	check_text(mask, "?k=p%40ss%20w%C3%B6rd%2B1&x", "?k=***&x");
	check_text(mask, "?k=p%40ss+w%c3%b6rd%2b1&x", "?k=***&x");
	check_text(mask, "?k=%70%40%73%73 w\xc3\xb6rd+1&x", "?k=***&x");
	check_text(mask, "?k=p%40ss%2", "?k=p%40ss%2");
	check_text(mask, "100% p@ss%", "100% p@ss%");
	mask_free(&mask);
}

static void
test_escaped_in_json(void **state)
{
	struct mask *mask = mask_of("a\"b\\c\n\xc3\xa9\xf0\x9f\x98\x80/z", NULL);
	struct buf quoted = { 0 };

	(void)state;
	quote_json("a\"b\\c\n\xc3\xa9\xf0\x9f\x98\x80/z", 14, &quoted);
	check(mask, quoted.data, quoted.len, "\"***\"");
	check_text(mask, "a\\\"b\\\\c\\n\\u00e9\\uD83D\\uDE00\\/z", "***");
	check_text(mask, "\\u0061\\u0022b\\u005Cc\\u000a\xc3\xa9\\ud83d\\ude00/z",
		   "***");
	check_text(mask,
		   "{\"x\":\"a\\\\\\\"b\\\\\\\\c\\\\n\\\\u00e9\\\\ud83d\\\\ude00/z\"}",
		   "{\"x\":\"***\"}"); /* JSON inside JSON */
	check_text(mask, "a\\\"b\\\\c\\n\\u00e", "a\\\"b\\\\c\\n\\u00e");
	check_text(mask, "a\\\"b\\\\c\\n\\u00e9\\uD83D\\uDE0",
		   "a\\\"b\\\\c\\n\\u00e9\\uD83D\\uDE0");
	buf_fini(&quoted);
	mask_free(&mask);
}

static void
test_backslashes_as_they_are(void **state)
{
	struct mask *mask = mask_of("dom\\\\user\\x", NULL);

	(void)state;
	check_text(mask, "<dom\\\\user\\x>", "<***>");
	check_text(mask, "<dom\\\\\\\\user\\\\x>", "<***>");
	mask_free(&mask);
}

/* "Basic " + base64("user:" + secret) and the like, at each of the three places. */
static void
test_base64_at_any_place(void **state)
{
	struct mask *mask = mask_of("s3cr3t-value", NULL);

	(void)state;
	check_text(mask, "czNjcjN0LXZhbHVl", "***");                 /* alone */
	check_text(mask, "YWJjczNjcjN0LXZhbHVleHl6", "YWJj***eHl6"); /* abc...xyz */
	check_text(mask, "YXMzY3IzdC12YWx1ZXg=", "YX***Xg=");
	check_text(mask, "YWJzM2NyM3QtdmFsdWU=", "YWJ***U=");
	mask_free(&mask);
}

static void
test_base64_for_urls(void **state)
{
	struct mask *mask = mask_of("\xff\xfe\xfb\xef\xbe\xff", NULL);

	(void)state;
	check_text(mask, "//77777/", "***");
	check_text(mask, "__77777_", "***");
	check_text(mask, "__777777", "__777777");
	mask_free(&mask);
	mask = mask_of("a?>b?>", NULL);
	check_text(mask, "YT8-Yj8-", "***");
	check_text(mask, "YT8+Yj8+", "***");
	mask_free(&mask);
}

static void
test_an_empty_mask_changes_nothing(void **state)
{
	struct mask *mask = mask_new();

	(void)state;
	check_text(mask, "any + % \\ text", "any + % \\ text");
	mask_free(&mask);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_as_they_are),
		cmocka_unit_test(test_short_values_are_left),
		cmocka_unit_test(test_escaped_in_urls),
		cmocka_unit_test(test_escaped_in_json),
		cmocka_unit_test(test_backslashes_as_they_are),
		cmocka_unit_test(test_base64_at_any_place),
		cmocka_unit_test(test_base64_for_urls),
		cmocka_unit_test(test_an_empty_mask_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
