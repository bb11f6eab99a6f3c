/* What a request must say to become a WebSocket, and which compression is agreed on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "front/ws_handshake_core.h"

#define GOOD                                                                           \
	"Host: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                     \
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static void
parse(struct http_parser *parser, const char *line, const char *fields)
{
	char text[4096];
	int len = snprintf(text, sizeof text, "%s\r\n%s\r\n", line, fields);
	size_t used;

	http_parser_init(parser, sizeof text);
	assert_int_equal(http_parse(parser, text, (size_t)len, &used), HTTP_HEAD);
}

static enum ws_verdict
judge(const char *line, const char *fields)
{
	struct http_parser parser;
	enum ws_verdict verdict;

	parse(&parser, line, fields);
	verdict = ws_handshake_judge(&parser.head);
	http_parser_fini(&parser);
	return verdict;
}

static void
test_who_asks_rightly(void **state)
{
	(void)state;
	assert_int_equal(judge("GET /ws HTTP/1.1", GOOD), WS_WELCOME);
	assert_int_equal(judge("GET /ws HTTP/1.1",
			       "Host: h\r\nUPGRADE: h2c, WebSocket\r\n"
			       "connection: keep-alive\r\nConnection: x, upgrade\r\n"
			       "Sec-WebSocket-Version: 13\r\n"
			       "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"),
			 WS_WELCOME);
}

static void
test_who_does_not(void **state)
{
	static const struct {
		const char *line, *fields;
		enum ws_verdict verdict;
	} cases[] = {
		{ "GET /ws HTTP/1.1", "Host: h\r\n", WS_NOT_ASKED },
		{ "GET /ws HTTP/1.1", "Host: h\r\nUpgrade: websocket\r\n",
		  WS_NOT_ASKED },
		{ "GET /ws HTTP/1.1",
		  "Host: h\r\nUpgrade: websockets\r\nConnection: Upgrade\r\n",
		  WS_NOT_ASKED },
		{ "HEAD /ws HTTP/1.1", GOOD, WS_NOT_ASKED },
		{ "GET /ws HTTP/1.0", GOOD, WS_BAD_REQUEST },
		{ "GET /ws HTTP/1.1", GOOD "Content-Length: 1\r\n", WS_BAD_REQUEST },
		{ "GET /ws HTTP/1.1",
		  "Host: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
		  WS_BAD_VERSION },
		{ "GET /ws HTTP/1.1",
		  "Host: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		  "Sec-WebSocket-Version: 8\r\n"
		  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
		  WS_BAD_VERSION },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(judge(cases[i].line, cases[i].fields),
				 cases[i].verdict);
}

static void
test_keys(void **state)
{
	static const char *const bad[] = {
		"",
		"dGhlIHNhbXBsZSBub25jZQ=",   /* too short */
		"dGhlIHNhbXBsZSBub25jZQ===", /* too long */
		"dGhlIHNhbXBsZSBub25jZR==",  /* bits that stand for nothing */
		"dGhlIHNhbXBsZSBub25jZQAA",  /* 18 bytes */
		"dGhlIHNhbX sZSBub25jZQ==",
	};
	char fields[500];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(fields, sizeof fields,
			 "Host: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n",
			 bad[i]);
		assert_int_equal(judge("GET /ws HTTP/1.1", fields), WS_BAD_KEY);
	}
}

static void
test_a_key_comes_once(void **state)
{
	static const char text[] =
	    "GET /ws HTTP/1.1\r\n" GOOD
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
	struct http_parser parser;
	size_t used;

	(void)state;
	http_parser_init(&parser, 4096);
	assert_int_equal(http_parse(&parser, text, sizeof text - 1, &used), HTTP_ERROR);
	http_parser_fini(&parser);
}

static bool
deflates(const char *offers)
{
	struct http_parser parser;
	char fields[1000];
	bool result;

	snprintf(fields, sizeof fields, GOOD "%s", offers);
	parse(&parser, "GET /ws HTTP/1.1", fields);
	result = ws_handshake_deflates(&parser.head);
	http_parser_fini(&parser);
	return result;
}

#define OFFER "Sec-WebSocket-Extensions: "
#define PMD   "permessage-deflate"

static void
test_offers_that_are_kept(void **state)
{
	static const char *const good[] = {
		OFFER PMD "\r\n",
		OFFER "Permessage-Deflate ; client_max_window_bits\r\n",
		OFFER PMD "; client_max_window_bits=10; server_no_context_takeover; "
			  "client_no_context_takeover\r\n",
		OFFER PMD "; server_max_window_bits=\"15\"\r\n",
		OFFER PMD "; server_max_window_bits=10, " PMD "\r\n",
		OFFER "x-webkit-deflate-frame, " PMD "\r\n",
		OFFER "foo; bar=1\r\n" OFFER PMD "\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(deflates(good[i]));
}

static void
test_offers_that_are_not(void **state)
{
	static const char *const bad[] = {
		"",
		OFFER "\r\n",
		OFFER "deflate-frame\r\n",
		OFFER PMD "; server_max_window_bits=10\r\n",
		OFFER PMD "; server_max_window_bits\r\n",
		OFFER PMD "; client_max_window_bits=7\r\n",
		OFFER PMD "; client_max_window_bits=16\r\n",
		OFFER PMD "; client_max_window_bits=015\r\n",
		OFFER PMD "; server_no_context_takeover=1\r\n",
		OFFER PMD "; unknown\r\n",
		OFFER PMD "; client_max_window_bits; client_max_window_bits\r\n",
		OFFER PMD " foo\r\n",
		OFFER PMD "; server_max_window_bits=\"15\r\n",
		OFFER ";;,,=\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (deflates(bad[i]))
			fail_msg("%s", bad[i]);
}

static void
test_protocols(void **state)
{
	struct http_parser parser;

	(void)state;
	parse(&parser, "GET /ws HTTP/1.1",
	      GOOD "Sec-WebSocket-Protocol: soap, stepmill.v1\r\n");
	assert_true(ws_handshake_wants_protocol(&parser.head));
	http_parser_fini(&parser);
	parse(&parser, "GET /ws HTTP/1.1",
	      GOOD "Sec-WebSocket-Protocol: stepmill.v2\r\n");
	assert_false(ws_handshake_wants_protocol(&parser.head));
	http_parser_fini(&parser);
}

static void
test_names_of_clients(void **state)
{
	char name[WS_CLIENT_NAME_MAX + 2];

	(void)state;
	assert_true(ws_client_name_valid("laptop-1.local_X"));
	assert_false(ws_client_name_valid(""));
	assert_false(ws_client_name_valid("a/b"));
	assert_false(ws_client_name_valid("a b"));
	memset(name, 'n', sizeof name);
	name[WS_CLIENT_NAME_MAX + 1] = '\0';
	assert_false(ws_client_name_valid(name));
	name[WS_CLIENT_NAME_MAX] = '\0';
	assert_true(ws_client_name_valid(name));
}

static void
test_origins(void **state)
{
	char app[] = "https://app.example.com", other[] = "http://b:8080";
	char *const allowed[] = { app, other };

	(void)state;
	assert_true(ws_origin_allowed("http://h:3456", NULL, "h:3456", NULL, 0));
	assert_true(ws_origin_allowed("https://H", NULL, "h", NULL, 0));
	assert_true(
	    ws_origin_allowed("https://app.example.com", NULL, "h", allowed, 2));
	assert_false(
	    ws_origin_allowed("http://app.example.com", NULL, "h", allowed, 2));
	assert_false(
	    ws_origin_allowed("https://app.example.com.evil", NULL, "h", allowed, 2));
	assert_false(ws_origin_allowed("http://h:3457", NULL, "h:3456", NULL, 0));
	assert_false(ws_origin_allowed("null", NULL, "h", allowed, 2));
	assert_false(ws_origin_allowed("http://", NULL, "", NULL, 0));
	assert_false(ws_origin_allowed("", NULL, "h", allowed, 2));
	assert_true(ws_origin_allowed("https://h", "https", "h", allowed, 2));
	assert_false(ws_origin_allowed("http://h", "https", "h", allowed, 2));
	assert_true(ws_origin_allowed("http://h", "http", "h", allowed, 2));
	assert_true(ws_origin_allowed("http://b:8080", "https", "h", allowed, 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_asks_rightly),
		cmocka_unit_test(test_who_does_not),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_a_key_comes_once),
		cmocka_unit_test(test_offers_that_are_kept),
		cmocka_unit_test(test_offers_that_are_not),
		cmocka_unit_test(test_protocols),
		cmocka_unit_test(test_names_of_clients),
		cmocka_unit_test(test_origins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
