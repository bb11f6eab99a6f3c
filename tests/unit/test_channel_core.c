/* The channel of a program without a descriptor: lines in any pieces, and messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "channel/line_core.h"
#include "channel/message_core.h"

/* ---- lines ---- */

static void
on_line(void *context, const char *text, size_t len, bool whole, bool last)
{
	struct buf *said = context;

	buf_add(said, text, len);
	buf_str(said, whole ? "|" : last ? "$" : "~");
}

static void
feed(const char *text, size_t piece, size_t max, struct buf *said)
{
	struct lines lines;
	size_t len = strlen(text);

	buf_clear(said);
	lines_init(&lines, max);
	for (size_t at = 0; at < len; at += piece)
		lines_add(&lines, text + at, len - at < piece ? len - at : piece,
			  on_line, said);
	lines_end(&lines, on_line, said);
	lines_fini(&lines);
}

static void
test_lines(void **state)
{
	struct buf said = { 0 };

	(void)state;
	for (size_t piece = 1; piece < 12; piece++) {
		feed("a\n\nbc\nd", piece, 100, &said);
		assert_string_equal(buf_text(&said), "a||bc|d$");
		feed("", piece, 100, &said);
		assert_string_equal(buf_text(&said), "");
		feed("1234\n", piece, 4, &said);
		assert_string_equal(buf_text(&said), "1234|");
	}
	buf_fini(&said);
}

/* All of it is told, no piece is larger than the limit, and it is never called whole.
 */
static void
test_a_line_that_is_too_long_comes_in_pieces(void **state)
{
	struct buf said = { 0 };

	(void)state;
	feed("12345678901\nnext\n", 100, 4, &said);
	assert_string_equal(buf_text(&said), "1234~5678~901$next|");
	feed("12345", 100, 4, &said);
	assert_string_equal(buf_text(&said), "1234~5$");
	buf_fini(&said);
}

/* ---- messages ---- */

static void
test_what_is_a_message(void **state)
{
	static const struct {
		const char *line;
		enum message_kind kind;
		const char *method;
		enum rpc_code code;
	} cases[] = {
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":{}}",
		  MESSAGE_CALL, "a", 0 },
		{ "  {\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"a.b\"}",
		  MESSAGE_CALL, "a.b", 0 },
		{ "{\"jsonrpc\":\"2.0\",\"method\":\"a\"}", MESSAGE_CALL, "a", 0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", MESSAGE_ANSWER, NULL,
		  0 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{}}", MESSAGE_ANSWER, NULL,
		  0 },
		{ "{\"a\":1}", MESSAGE_NONE, NULL, 0 },
		{ "", MESSAGE_NONE, NULL, 0 },
		{ "hello", MESSAGE_NONE, NULL, 0 },
		{ "[{\"jsonrpc\":\"2.0\"}]", MESSAGE_NONE, NULL, 0 },
		{ "{\"jsonrpc\":\"1.0\",\"method\":\"a\"}", MESSAGE_NONE, NULL, 0 },
		{ "{\"jsonrpc\":2.0,\"method\":\"a\"}", MESSAGE_NONE, NULL, 0 },
		{ "{\"jsonrpc\":\"2.0\",\"method\":", MESSAGE_BAD, NULL, RPC_PARSE },
		{ "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"a\"}", MESSAGE_BAD, NULL,
		  RPC_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":5}", MESSAGE_BAD, NULL,
		  RPC_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1}", MESSAGE_BAD, NULL, RPC_REQUEST },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\",\"params\":[1]}",
		  MESSAGE_BAD, NULL, RPC_PARAMS },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\\u0000b\"}",
		  MESSAGE_BAD, NULL, RPC_METHOD },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct message message;

		message_read(&message, cases[i].line, strlen(cases[i].line));
		assert_int_equal(message.kind, cases[i].kind);
		if (cases[i].kind == MESSAGE_CALL)
			assert_string_equal(message.method, cases[i].method);
		if (cases[i].kind == MESSAGE_BAD)
			assert_int_equal(message.code, cases[i].code);
		message_fini(&message);
	}
}

static void
test_answers(void **state)
{
	struct json *id = json_new_str("a\"b"), *value = json_new_object();
	struct buf out = { 0 };

	(void)state;
	json_set(value, "k", json_new_int(1));
	message_result(&out, id, value);
	message_result(&out, NULL, NULL);
	message_error(&out, id, RPC_FAILED, "no\n", value);
	message_error(&out, NULL, RPC_PARSE, "what?", NULL);
	message_notify(&out, "suspend", NULL);
	message_notify(&out, "cancel", value);
	assert_string_equal(
	    buf_text(&out),
	    "{\"jsonrpc\":\"2.0\",\"id\":\"a\\\"b\",\"result\":{\"k\":1}}\n"
	    "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":null}\n"
	    "{\"jsonrpc\":\"2.0\",\"id\":\"a\\\"b\",\"error\":{\"code\":-32010,"
	    "\"message\":\"no\\n\",\"data\":{\"k\":1}}}\n"
	    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,"
	    "\"message\":\"what?\"}}\n"
	    "{\"jsonrpc\":\"2.0\",\"method\":\"suspend\"}\n"
	    "{\"jsonrpc\":\"2.0\",\"method\":\"cancel\",\"params\":{\"k\":1}}\n");
	json_unref(&id);
	json_unref(&value);
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_a_line_that_is_too_long_comes_in_pieces),
		cmocka_unit_test(test_what_is_a_message),
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
