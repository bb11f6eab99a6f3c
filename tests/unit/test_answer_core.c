/* HTTP answers as the bench reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "bench/answer_core.h"

#define GOOD                                                                           \
	"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\n"                  \
	"Content-Length: 11\r\n\r\n{\"a\": true}"

static void
test_a_whole_answer(void **state)
{
	struct answer_head head;

	(void)state;
	assert_int_equal(answer_read(GOOD "next", strlen(GOOD) + 4, &head),
			 ANSWER_WHOLE);
	assert_int_equal(head.status, 202);
	assert_int_equal(head.body_len, 11);
	assert_int_equal(head.head_len + head.body_len, strlen(GOOD));
	assert_false(head.close);
}

static void
test_every_part_of_it_is_partial(void **state)
{
	struct answer_head head;

	(void)state;
	for (size_t len = 0; len < strlen(GOOD); len++) {
		/* a buffer of its own, so that reading past it is seen */
		char *part = malloc(len + 1);

		memcpy(part, GOOD, len);
		assert_int_equal(answer_read(part, len, &head), ANSWER_PARTIAL);
		free(part);
	}
}

static void
test_fields_in_any_case(void **state)
{
	static const char text[] = "HTTP/1.1 200 OK\r\ncontent-LENGTH:2\r\n"
				   "connection:  Close\r\n\r\n{}";
	struct answer_head head;

	(void)state;
	assert_int_equal(answer_read(text, sizeof text - 1, &head), ANSWER_WHOLE);
	assert_int_equal(head.body_len, 2);
	assert_true(head.close);
}

static void
test_what_is_not_understood(void **state)
{
	static const char *const texts[] = {
		"SSH-2.0-OpenSSH\r\n\r\n",
		"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 20\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n",
		"\r\n\r\n",
	};
	struct answer_head head;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_int_equal(answer_read(texts[i], strlen(texts[i]), &head),
				 ANSWER_BROKEN);
}

static void
test_a_head_has_a_limit(void **state)
{
	struct buf text = { 0 };
	struct answer_head head;

	(void)state;
	while (text.len < ANSWER_HEAD_MAX)
		buf_char(&text, 'x');
	assert_int_equal(answer_read(text.data, text.len, &head), ANSWER_PARTIAL);
	buf_char(&text, 'x');
	assert_int_equal(answer_read(text.data, text.len, &head), ANSWER_BROKEN);
	buf_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_whole_answer),
		cmocka_unit_test(test_every_part_of_it_is_partial),
		cmocka_unit_test(test_fields_in_any_case),
		cmocka_unit_test(test_what_is_not_understood),
		cmocka_unit_test(test_a_head_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
