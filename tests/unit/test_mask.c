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

static void
test_hex(void **state)
{
	struct mask *mask = mask_of("s3cr3t-value", NULL);

	(void)state;
	check_text(mask, "<7333637233742d76616c7565>", "<***>");
	check_text(mask, "7333637233742D76616C7565", "***");
	check_text(mask, "73336372\n33742d76\n616c7565", "***");
	check_text(mask, "7333637233742d76616c75", "7333637233742d76616c75");
	mask_free(&mask);
}

/* As `base64` prints it: lines of 76 characters, wherever the secret begins. */
static void
test_base64_in_lines(void **state)
{
	struct mask *mask = mask_of("a-secret-of-thirty-two-bytes-xyz", NULL);

	(void)state;
	check_text(mask, "YS1zZWNyZXQtb2YtdGhpcnR5\nLXR3by1ieXRlcy14eXo=", "***o=");
	check_text(mask, "YS1zZWNyZXQtb2YtdGhpcnR5\r\nLXR3by1ieXRlcy14eXo=", "***o=");
	check_text(mask,
		   "xx YS1z\nZWNyZXQtb2YtdGhpcnR5LXR3by1ieXRlcy14eXo=", "xx ***o=");
	check_text(mask, "xx YS\n1zZWNyZXQtb2YtdGhpcnR5LXR3by1ieXRlcy14eXo=",
		   "xx YS\n1z***o="); /* three bytes of it at most */
	mask_free(&mask);
}

static const char pem[] = "-----BEGIN PRIVATE KEY-----\r\n"
			  "MIIEvQIBADANBgkq\r\n"
			  "hkiG9w0BAQEFAASC\r\n"
			  "short\r\n"
			  "-----END PRIVATE KEY-----\n";

static void
test_lines_of_a_key(void **state)
{
	struct mask *mask = mask_of(pem, NULL);

	(void)state;
	check_text(mask, pem, "***");
	check_text(mask, "x hkiG9w0BAQEFAASC y", "x *** y");
	check_text(mask, "MIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\nshort",
		   "***\n***\nshort");
	check_text(mask, "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----");
	mask_free(&mask);
}

static void
test_what_is_forgotten(void **state)
{
	struct mask *mask = mask_of("12345678", "hunter22");

	(void)state;
	assert_true(mask_has_number(mask));
	assert_false(mask_is_empty(mask));
	assert_true(mask_finds(mask, "a hunter22", 10));
	assert_false(mask_finds(mask, "a hunter2", 9));
	assert_true(mask_finds_long(mask, "12345678 hunter22", 17, 8));
	assert_false(mask_finds_long(mask, "12345678 hunter22", 17, 9));
	assert_false(mask_finds_long(NULL, "hunter22", 8, 1));
	mask_clear(mask);
	assert_true(mask_is_empty(mask));
	assert_true(mask_is_empty(NULL));
	assert_false(mask_has_number(mask));
	check_text(mask, "12345678 hunter22", "12345678 hunter22");
	mask_free(&mask);
}

/* What nobody could add again stays; of very many only the last ones. */
static void
test_what_is_learnt_stays(void **state)
{
	struct mask *mask = mask_of("hunter22", NULL);
	char text[32];

	(void)state;
	mask_learn(mask, "token-of-a-server", 17);
	mask_learn(mask, "abc", 3);
	check_text(mask, "hunter22 token-of-a-server abc", "*** *** abc");
	mask_clear(mask);
	check_text(mask, "hunter22 token-of-a-server", "hunter22 ***");
	for (int i = 0; i < 64; i++) {
		snprintf(text, sizeof text, "another-token-%d-", i);
		mask_learn(mask, text, strlen(text));
	}
	mask_clear(mask);
	check_text(mask, "token-of-a-server another-token-0- another-token-63-",
		   "token-of-a-server *** ***");
	mask_free(&mask);
}

static void
check_cut(const struct mask *mask, const char *text, const char *expected)
{
	struct buf out = { 0 };

	mask_cut(mask, text, strlen(text), &out);
	assert_string_equal(buf_text(&out), expected);
	buf_fini(&out);
}

/* Four bytes of a secret at an end tell that there was one. */
static void
test_parts_of_a_longer_text(void **state)
{
	struct mask *mask = mask_of("hunter22", NULL);

	(void)state;
	check_cut(mask, "a hunt", "a ***");
	check_cut(mask, "a hun", "a hun");
	check_cut(mask, "er22 b", "*** b");
	check_cut(mask, "r22 b", "r22 b");
	check_cut(mask, "unter22 hunter22 hunter2", "*** *** ***");
	check_cut(mask, "", "");
	mask_free(&mask);
}

/* ---- in pieces ---- */

/* Cut in two at each place, and byte by byte: always the same as in one piece. */
static void
check_pieces(const struct mask *mask, const char *text)
{
	struct buf whole = { 0 }, out = { 0 };
	struct mask_stream stream = { 0 };
	size_t len = strlen(text);

	mask_text(mask, text, len, &whole);
	for (size_t at = 0; at <= len; at++) {
		buf_clear(&out);
		mask_feed(mask, &stream, text, at, &out);
		mask_feed(mask, &stream, text + at, len - at, &out);
		mask_end(mask, &stream, &out);
		assert_string_equal(buf_text(&out), buf_text(&whole));
	}
	buf_clear(&out);
	for (size_t at = 0; at < len; at++)
		mask_feed(mask, &stream, text + at, 1, &out);
	mask_end(mask, &stream, &out);
	assert_string_equal(buf_text(&out), buf_text(&whole));
	mask_stream_fini(&stream);
	buf_fini(&out);
	buf_fini(&whole);
}

static void
test_any_pieces(void **state)
{
	static const char *const texts[] = {
		"hunter22 and hunter22-long and hunter2 and hunter22-lon",
		"k=hunter%322&j=%68unter22 \\u0068unter22 \\\\u0068unter22 h\\",
		"aHVudGVyMjI= aHVudGVyMjIt\nbG9uZw== 68756e7465723232 100% \\ %4",
		"p@ss+word p%40ss%20word p@ss\\u0020word p%40ss+wor",
	};
	struct mask *mask = mask_of("hunter22", "hunter22-long");

	(void)state;
	mask_add(mask, "p@ss word", 9);
	mask_add(mask, pem, sizeof pem - 1);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		check_pieces(mask, texts[i]);
	check_pieces(mask, pem);
	mask_free(&mask);
}

/* What cannot be one is not held back. */
static void
test_a_stream_gives_out_what_it_can(void **state)
{
	struct mask *mask = mask_of("hunter22", NULL);
	struct mask_stream stream = { 0 };
	struct buf out = { 0 };

	(void)state;
	mask_feed(mask, &stream, "say hunt\n", 9, &out);
	assert_string_equal(buf_text(&out), "say hunt\n");
	mask_feed(mask, &stream, "say hunt", 8, &out);
	assert_string_equal(buf_text(&out), "say hunt\nsay ");
	mask_feed(mask, &stream, "er22!", 5, &out);
	assert_string_equal(buf_text(&out), "say hunt\nsay ***!");
	mask_clear(
	    mask); /* what is held is given out when nothing is secret any more */
	mask_feed(mask, &stream, "hunter22", 8, &out);
	assert_string_equal(buf_text(&out), "say hunt\nsay ***!hunter22");
	mask_stream_fini(&stream);
	buf_fini(&out);
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
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_base64_in_lines),
		cmocka_unit_test(test_lines_of_a_key),
		cmocka_unit_test(test_what_is_forgotten),
		cmocka_unit_test(test_what_is_learnt_stays),
		cmocka_unit_test(test_parts_of_a_longer_text),
		cmocka_unit_test(test_any_pieces),
		cmocka_unit_test(test_a_stream_gives_out_what_it_can),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
