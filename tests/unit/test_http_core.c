/*
 * Walks tests/tables/http.txt: every case whole, byte by byte, and cut in two at every
 * place; and what the table cannot say: fields, hosts, queries, reuse of a parser.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "front/http_core.h"

#define HEAD_MAX 32768
#define BODY_MAX 64

/* ---- the table ---- */

static void add_unescaped(struct buf *out, const char **text);

static int
hex(char c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* "N*TEXT}" */
static void
add_repeated(struct buf *out, const char **text)
{
	long count = strtol(*text, (char **)text, 10);
	struct buf once = { 0 };

	assert_int_equal(**text, '*');
	++*text;
	while (**text != '}')
		add_unescaped(&once, text);
	++*text;
	for (long i = 0; i < count; i++)
		buf_add(out, once.data, once.len);
	buf_fini(&once);
}

static void
add_unescaped(struct buf *out, const char **text)
{
	static const char from[] = "rnt0\\", to[] = "\r\n\t\0\\";
	char c = *(*text)++;

	assert_int_not_equal(c, '\0');
	if (c != '\\') {
		buf_char(out, c);
		return;
	}
	c = *(*text)++;
	if (c == '{') {
		add_repeated(out, text);
	} else if (c == 'x') {
		buf_char(out, (char)(hex((*text)[0]) << 4 | hex((*text)[1])));
		*text += 2;
	} else {
		const char *found = strchr(from, c);

		assert_non_null(found);
		assert_int_not_equal(c, '\0');
		buf_char(out, to[found - from]);
	}
}

static void
add_line(struct buf *out, const char *line)
{
	while (*line != '\0' && *line != '\n')
		add_unescaped(out, &line);
}

/* ---- what the parser says, as the table writes it ---- */

struct listener {
	struct http_parser parser;
	struct buf heard, body;
	bool failed;
};

static void
hear_end(struct listener *listener)
{
	const struct http_head *head = &listener->parser.head;

	buf_printf(&listener->heard, "%s %s", http_method(head),
		   target_path(&head->target));
	if (listener->body.len > 0)
		buf_printf(&listener->heard, " + %s", buf_text(&listener->body));
	buf_char(&listener->heard, '\n');
	buf_clear(&listener->body);
	http_parser_next(&listener->parser);
}

static void
hear_error(struct listener *listener)
{
	assert_non_null(listener->parser.why);
	buf_printf(&listener->heard, "%d\n", listener->parser.status);
	listener->failed = true;
}

static void
feed(struct listener *listener, const char *data, size_t len)
{
	struct http_parser *parser = &listener->parser;
	enum http_event event = HTTP_PIECE;

	while (event != HTTP_MORE && !listener->failed) {
		size_t used;

		event = http_parse(parser, data, len, &used);
		assert_true(used <= len);
		data += used;
		len -= used;
		if (event == HTTP_PIECE)
			buf_add(&listener->body, parser->piece, parser->piece_len);
		else if (event == HTTP_END)
			hear_end(listener);
		else if (event == HTTP_ERROR ||
			 (event == HTTP_HEAD && !http_accept_body(parser, BODY_MAX)))
			hear_error(listener);
	}
	assert_true(listener->failed || len == 0);
}

/* In pieces of step bytes; the first one of `first` bytes when that is not 0. */
static char *
hear(const struct buf *raw, size_t first, size_t step)
{
	struct listener listener = { 0 };
	size_t at = 0;

	http_parser_init(&listener.parser, HEAD_MAX);
	while (at < raw->len && !listener.failed) {
		size_t n = at == 0 && first > 0 ? first : step;
		char *piece;

		if (n > raw->len - at)
			n = raw->len - at;
		piece =
		    malloc(n); /* its own, so that a sanitizer sees each byte beyond */
		memcpy(piece, raw->data + at, n);
		feed(&listener, piece, n);
		free(piece);
		at += n;
	}
	if (!listener.failed && http_parser_started(&listener.parser))
		buf_str(&listener.heard, "more\n");
	http_parser_fini(&listener.parser);
	buf_fini(&listener.body);
	return buf_take(&listener.heard);
}

static void
check(const struct buf *raw, const char *expected, int line, size_t first, size_t step)
{
	char *heard = hear(raw, first, step);

	if (strcmp(heard, expected) != 0)
		fail_msg("http.txt:%d, cut at %zu, by %zu: got\n%s instead of\n%s",
			 line, first, step, heard, expected);
	free(heard);
}

static void
check_case(struct buf *raw, struct buf *expected, int line)
{
	size_t cuts = raw->len < 400 ? raw->len : 0;

	check(raw, buf_text(expected), line, 0, SIZE_MAX);
	check(raw, buf_text(expected), line, 0, 1);
	check(raw, buf_text(expected), line, 0, 7);
	for (size_t first = 1; first < cuts; first++)
		check(raw, buf_text(expected), line, first, SIZE_MAX);
	buf_clear(raw);
	buf_clear(expected);
}

static void
test_table(void **state)
{
	FILE *file = fopen(TESTS_DIR "/tables/http.txt", "r");
	struct buf raw = { 0 }, expected = { 0 };
	char line[8192];
	int number = 0, cases = 0;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof line, file) != NULL) {
		number++;
		if (line[0] == '>' && expected.len > 0) {
			check_case(&raw, &expected, number - 1);
			cases++;
		}
		if (line[0] == '>')
			add_line(&raw, line + 2);
		if (line[0] == '=') {
			add_line(&expected, line + 2);
			buf_char(&expected, '\n');
		}
	}
	check_case(&raw, &expected, number);
	fclose(file);
	buf_fini(&raw);
	buf_fini(&expected);
	assert_true(cases > 200);
}

/* ---- what a head tells ---- */

static void
read_head(struct http_parser *parser, const char *text)
{
	size_t used;

	http_parser_init(parser, HEAD_MAX);
	assert_int_equal(http_parse(parser, text, strlen(text), &used), HTTP_HEAD);
	assert_int_equal(used, strlen(text));
}

static void
test_fields(void **state)
{
	struct http_parser parser;

	(void)state;
	read_head(&parser, "GET / HTTP/1.1\r\nHost: a:80\r\nX-One: \t a b \t \r\n"
			   "x-one: second\r\nX-Empty:\r\n\r\n");
	assert_string_equal(http_field(&parser.head, "x-ONE"), "a b");
	assert_string_equal(http_field(&parser.head, "X-Empty"), "");
	assert_null(http_field(&parser.head, "X-Other"));
	assert_string_equal(http_host(&parser.head), "a:80");
	assert_false(http_has_body(&parser.head));
	http_parser_fini(&parser);
}

static void
test_host_of_the_absolute_form(void **state)
{
	struct http_parser parser;

	(void)state;
	read_head(&parser, "GET http://b.example/x HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_string_equal(http_host(&parser.head), "b.example");
	http_parser_fini(&parser);
	read_head(&parser, "GET / HTTP/1.0\r\n\r\n");
	assert_string_equal(http_host(&parser.head), "");
	http_parser_fini(&parser);
}

static void
test_keep_alive(void **state)
{
	static const struct {
		const char *text;
		bool keep_alive;
	} cases[] = {
		{ "GET / HTTP/1.1\r\nHost: a\r\n\r\n", true },
		{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: x ,CLOSE,y\r\n\r\n",
		  false },
		{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: "
		  "close\r\n\r\n",
		  false },
		{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false },
	};
	struct http_parser parser;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		read_head(&parser, cases[i].text);
		assert_int_equal(parser.head.keep_alive, cases[i].keep_alive);
		http_parser_fini(&parser);
	}
}

static void
test_target(void **state)
{
	struct http_parser parser;
	const struct target *target = &parser.head.target;
	static const char expected[] = "a\0"
				       "1\0b\0x y+\0a\0"
				       "2\0c\0\0\0d\0";
	const char *words;
	size_t len;

	(void)state;
	read_head(&parser,
		  "GET /api/%C3%BCber%20all/?a=1&b=x+y%2B&a=2&c&=d&& HTTP/1.1\r\n"
		  "Host: a\r\n\r\n");
	assert_int_equal(target->segments_count, 3);
	assert_string_equal(target_segment(target, 0), "api");
	assert_string_equal(target_segment(target, 1), "\xc3\xbc"
						       "ber all");
	assert_string_equal(target_segment(target, 2), "");
	assert_string_equal(target_path(target), "/api/%C3%BCber%20all/");
	assert_string_equal(target_query(target, "a"), "1");
	assert_string_equal(target_query(target, "b"), "x y+");
	assert_string_equal(target_query(target, "c"), "");
	assert_string_equal(target_query(target, ""), "d");
	assert_null(target_query(target, "e"));
	words = target_query_words(target, &len);
	assert_int_equal(len, sizeof expected - 1);
	assert_memory_equal(words, expected, len);
	http_parser_fini(&parser);
}

/* A short request after a long one sees nothing of it. */
static void
test_next(void **state)
{
	static const char first[] = "POST /aaaaaaaaaa?x=1 HTTP/1.1\r\nHost: a\r\n"
				    "X-Secret: y\r\nContent-Length: 1\r\n\r\nb";
	static const char second[] = "GET / HTTP/1.1\r\nHost: b\r\n\r\n";
	struct http_parser parser;
	size_t used;

	(void)state;
	http_parser_init(&parser, HEAD_MAX);
	assert_int_equal(http_parse(&parser, first, strlen(first), &used), HTTP_HEAD);
	assert_int_equal(used, strlen(first) - 1);
	assert_true(http_accept_body(&parser, 1));
	assert_int_equal(http_parse(&parser, "b", 1, &used), HTTP_PIECE);
	assert_int_equal(http_parse(&parser, "", 0, &used), HTTP_END);
	http_parser_next(&parser);
	assert_false(http_parser_started(&parser));
	assert_int_equal(http_parse(&parser, second, strlen(second), &used), HTTP_HEAD);
	assert_null(http_field(&parser.head, "X-Secret"));
	assert_null(target_query(&parser.head.target, "x"));
	target_query_words(&parser.head.target, &used);
	assert_int_equal(used, 0);
	assert_string_equal(http_host(&parser.head), "b");
	assert_int_equal(parser.head.content_length, 0);
	http_parser_fini(&parser);
}

/* Also when the rest of the head is wrong, or never comes: the refusal has no body. */
static void
test_head_is_known_before_the_head_is(void **state)
{
	static const struct {
		const char *text;
		bool is_head;
	} cases[] = {
		{ "HEA", false },
		{ "HEAD", false }, /* it may become HEADS */
		{ "HEAD ", true },
		{ "HEAD  / HTTP/1.1\r\n", true },
		{ "HEAD / HTTP/1.1\r\nHost: a\r\nX : y\r\n", true },
		{ "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", true },
		{ "HEADS / HTTP/1.1\r\nHost: a\r\nX : y\r\n", false },
		{ "head / HTTP/1.1\r\nHost: a\r\nX : y\r\n", false },
		{ "\x16HEAD ", false },
	};
	struct http_parser parser;
	size_t used;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		http_parser_init(&parser, HEAD_MAX);
		http_parse(&parser, cases[i].text, strlen(cases[i].text), &used);
		assert_int_equal(http_parser_is_head(&parser), cases[i].is_head);
		http_parser_next(&parser);
		assert_false(http_parser_is_head(&parser));
		http_parser_fini(&parser);
	}
}

static void
test_errors_stay(void **state)
{
	struct http_parser parser;
	size_t used;

	(void)state;
	http_parser_init(&parser, HEAD_MAX);
	assert_int_equal(http_parse(&parser, "\x16", 1, &used), HTTP_ERROR);
	assert_int_equal(used, 0);
	assert_int_equal(http_parse(&parser, "GET", 3, &used), HTTP_ERROR);
	assert_int_equal(used, 0);
	assert_int_equal(http_parse(&parser, NULL, 0, &used), HTTP_ERROR);
	assert_int_equal(parser.status, 400);
	http_parser_fini(&parser);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_host_of_the_absolute_form),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_errors_stay),
		cmocka_unit_test(test_head_is_known_before_the_head_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
