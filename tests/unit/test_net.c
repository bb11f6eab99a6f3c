/* Addresses and nets: how they are written, and what is in which. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/net.h"

static void
test_text(void **state)
{
	static const struct {
		const char *text, *again; /* NULL: no address */
	} cases[] = {
		{ "192.0.2.7", "192.0.2.7" },
		{ "::ffff:192.0.2.7", "192.0.2.7" },
		{ "2001:DB8:0:0::1", "2001:db8::1" },
		{ "::", "::" },
		{ "::1", "::1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "", NULL },
		{ "192.0.2", NULL },
		{ "192.0.2.256", NULL },
		{ "192.0.2.07", NULL },
		{ "192.0.2.7 ", NULL },
		{ "0x7f.0.0.1", NULL },
		{ "fe80::1%eth0", NULL },
		{ "[::1]", NULL },
		{ "localhost", NULL },
	};
	unsigned char address[NET_ADDRESS];
	char text[NET_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (net_address(cases[i].text, address) != (cases[i].again != NULL))
			fail_msg("\"%s\"", cases[i].text);
		if (cases[i].again != NULL)
			assert_string_equal(net_text(address, text), cases[i].again);
	}
}

static void
test_sockaddr(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr local = { .sa_family = AF_UNIX };
	unsigned char a[NET_ADDRESS], b[NET_ADDRESS];

	(void)state;
	inet_pton(AF_INET, "192.0.2.7", &in.sin_addr);
	inet_pton(AF_INET6, "::ffff:192.0.2.7", &in6.sin6_addr);
	assert_true(net_sockaddr((struct sockaddr *)&in, a));
	assert_true(net_sockaddr((struct sockaddr *)&in6, b));
	assert_memory_equal(a, b, NET_ADDRESS);
	assert_true(net_is_v4(a));
	assert_false(net_sockaddr(&local, a));
}

static void
test_nets(void **state)
{
	static const struct {
		const char *net, *address;
		bool in;
	} cases[] = {
		{ "10.0.0.0/8", "10.255.0.1", true },
		{ "10.0.0.0/8", "11.0.0.1", false },
		{ "10.1.2.3/8", "10.0.0.1", true },
		{ "192.0.2.7", "192.0.2.7", true },
		{ "192.0.2.7", "192.0.2.6", false },
		{ "192.0.2.6/31", "192.0.2.7", true },
		{ "192.0.2.7/32", "::ffff:192.0.2.7", true },
		{ "0.0.0.0/0", "203.0.113.1", true },
		{ "0.0.0.0/0", "::1", false },
		{ "::/0", "::1", true },
		{ "::/0", "10.0.0.1", false },
		{ "::ffff:10.0.0.0/104", "10.9.9.9", true },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "::1/128", "::1", true },
	};
	unsigned char address[NET_ADDRESS];
	struct net net;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_true(net_parse(cases[i].net, &net));
		assert_true(net_address(cases[i].address, address));
		if (net_has(&net, address) != cases[i].in)
			fail_msg("%s in %s", cases[i].address, cases[i].net);
	}
}

static void
test_what_is_no_net(void **state)
{
	static const char *const cases[] = {
		"",
		"/",
		"/8",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/-1",
		"10.0.0.0/8x",
		"10.0.0.0/ 8",
		"10.0.0.0/+8",
		"::/129",
		"::/0000008",
		"10.0.0.0/8/8",
		"host/8",
		"10.0.0.0/99999999999999999999",
		"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/8",
	};
	struct net net;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (net_parse(cases[i], &net))
			fail_msg("\"%s\" was taken", cases[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_sockaddr),
		cmocka_unit_test(test_nets),
		cmocka_unit_test(test_what_is_no_net),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
