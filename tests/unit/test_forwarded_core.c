/* What proxies say about clients, and whom it is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "front/forwarded_core.h"

static struct trust
trusted(void)
{
	static char *entries[] = { "10.0.0.0/8", "2001:db8:ff::/48", "192.0.2.1" };

	return trust_new(entries, 3);
}

static void
parse(struct http_parser *parser, const char *headers)
{
	char text[4000];
	size_t used;

	snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", headers);
	http_parser_init(parser, 8192);
	assert_int_equal(http_parse(parser, text, strlen(text), &used), HTTP_HEAD);
}

#define FOR "X-Forwarded-For: "

static void
test_client(void **state)
{
	static const struct {
		const char *headers, *client; /* NULL: nobody is told */
	} cases[] = {
		{ "", NULL },
		{ FOR "\r\n", NULL },
		{ FOR "unknown\r\n", NULL },
		{ FOR "203.0.113.9\r\n", "203.0.113.9" },
		{ "x-forwarded-for:203.0.113.9 \r\n", "203.0.113.9" },
		{ FOR "1.2.3.4, 203.0.113.9\r\n", "203.0.113.9" },
		{ FOR "1.2.3.4, 203.0.113.9, 10.0.0.1, 192.0.2.1\r\n", "203.0.113.9" },
		{ FOR "1.2.3.4,203.0.113.9\t,\t10.0.0.1\r\n", "203.0.113.9" },
		{ FOR "1.2.3.4\r\n" FOR "203.0.113.9\r\nA: b\r\n" FOR "10.0.0.1\r\n",
		  "203.0.113.9" },
		{ FOR "10.0.0.7, 10.0.0.8\r\n", "10.0.0.7" },
		{ FOR "unknown, 10.0.0.8\r\n", "10.0.0.8" },
		{ FOR "1.2.3.4, , 10.0.0.8\r\n", "10.0.0.8" },
		{ FOR "1.2.3.4, unknown\r\n", NULL },
		{ FOR "1.2.3.4,\r\n", NULL },
		{ FOR "203.0.113.9:4711\r\n", "203.0.113.9" },
		{ FOR "2001:db8::9\r\n", "2001:db8::9" },
		{ FOR "[2001:db8::9]\r\n", "2001:db8::9" },
		{ FOR "[2001:db8::9]:4711, 2001:db8:ff::1\r\n", "2001:db8::9" },
		{ FOR "[2001:db8::9\r\n", NULL },
		{ FOR "::ffff:10.0.0.1\r\n", "10.0.0.1" },
		{ FOR "127.0.0.1\r\n", "127.0.0.1" },
		{ FOR "1.2.3.4.5\r\n", NULL },
		{ FOR "203.0.113.9203.0.113.9203.0.113.9203.0.113.9203.0.113.9\r\n",
		  NULL },
		{ "X-Real-IP: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\n", NULL },
	};
	struct trust trust = trusted();
	unsigned char address[NET_ADDRESS];
	struct http_parser parser;
	char text[NET_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool told;

		parse(&parser, cases[i].headers);
		told = forwarded_client(&trust, &parser.head, address);
		if (told != (cases[i].client != NULL))
			fail_msg("%s", cases[i].headers);
		if (told)
			assert_string_equal(net_text(address, text), cases[i].client);
		http_parser_fini(&parser);
	}
	trust_fini(&trust);
}

/* Where everybody is a proxy, somebody has to be the client in the end. */
static void
test_hops_are_bounded(void **state)
{
	struct trust trust = trusted();
	unsigned char address[NET_ADDRESS];
	struct http_parser parser;
	char headers[4000] = FOR, text[NET_TEXT];

	(void)state;
	for (int i = 0; i < 100; i++)
		snprintf(headers + strlen(headers), sizeof headers - strlen(headers),
			 "10.0.0.%d, ", i);
	strcpy(headers + strlen(headers), "10.0.0.100\r\n");
	parse(&parser, headers);
	assert_true(forwarded_client(&trust, &parser.head, address));
	assert_string_equal(net_text(address, text), "10.0.0.69");
	http_parser_fini(&parser);
	trust_fini(&trust);
}

static void
test_scheme(void **state)
{
	static const struct {
		const char *headers, *scheme;
	} cases[] = {
		{ "", NULL },
		{ "X-Forwarded-Proto: https\r\n", "https" },
		{ "X-Forwarded-Proto: HTTPS\r\n", "https" },
		{ "X-Forwarded-Proto: wss\r\n", "https" },
		{ "X-Forwarded-Proto: http\r\n", "http" },
		{ "X-Forwarded-Proto: ws\r\n", "http" },
		{ "X-Forwarded-Proto: httpsx\r\n", NULL },
		{ "X-Forwarded-Proto:\r\n", NULL },
		{ "X-Forwarded-Proto: https, http\r\n", "http" },
		{ "X-Forwarded-Proto: http , https\r\n", "https" },
		{ "X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n", "http" },
	};
	struct http_parser parser;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *scheme;

		parse(&parser, cases[i].headers);
		scheme = forwarded_scheme(&parser.head);
		if ((scheme == NULL) != (cases[i].scheme == NULL))
			fail_msg("%s", cases[i].headers);
		if (scheme != NULL)
			assert_string_equal(scheme, cases[i].scheme);
		http_parser_fini(&parser);
	}
}

static void
test_traces_of_a_proxy(void **state)
{
	static const char *const traces[] = {
		FOR "1.2.3.4\r\n",         "x-forwarded-proto: http\r\n",
		"X-Forwarded-Host: b\r\n", "X-Real-IP: 1.2.3.4\r\n",
		"forwarded: for=_x\r\n",   "Via: 1.1 x\r\n",
	};
	struct http_parser parser;

	(void)state;
	parse(&parser, "Accept: x\r\nUser-Agent: via\r\n");
	assert_false(forwarded_seen(&parser.head));
	http_parser_fini(&parser);
	for (size_t i = 0; i < sizeof traces / sizeof *traces; i++) {
		parse(&parser, traces[i]);
		assert_true(forwarded_seen(&parser.head));
		http_parser_fini(&parser);
	}
}

static void
test_trust(void **state)
{
	static char *entries[] = { "unix", "10.0.0.0/8" };
	struct trust nobody = trust_new(NULL, 0), trust = trust_new(entries, 2);
	unsigned char address[NET_ADDRESS];

	(void)state;
	assert_true(net_address("10.1.1.1", address));
	assert_true(trust_has(&trust, address));
	assert_true(trust_has(&trust, NULL));
	assert_false(trust_has(&nobody, address));
	assert_false(trust_has(&nobody, NULL));
	trust_fini(&trust);
	assert_false(trust_has(&trust, address));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_client), cmocka_unit_test(test_hops_are_bounded),
		cmocka_unit_test(test_scheme), cmocka_unit_test(test_traces_of_a_proxy),
		cmocka_unit_test(test_trust),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
