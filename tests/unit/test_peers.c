/* Who comes from where, and who counts as whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "front/peers.h"

static struct peers *peers;

static int
setup(void **state)
{
	static char *proxies[] = { "10.0.0.0/8", "2001:db8:ff::/48", "127.0.0.9" };
	struct trust trust = trust_new(proxies, 3);

	(void)state;
	peers = peers_new(&trust);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	peers_free(&peers);
	assert_null(peers);
	return 0;
}

static struct peer
from(const char *address)
{
	struct sockaddr_storage storage = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&storage;

	if (inet_pton(AF_INET, address, &in->sin_addr) == 1)
		storage.ss_family = AF_INET;
	else if (inet_pton(AF_INET6, address, &in6->sin6_addr) == 1)
		storage.ss_family = AF_INET6;
	else
		storage.ss_family = AF_UNIX;
	return peers_read(peers, &storage);
}

static void
test_loopback(void **state)
{
	static const char *const here[] = { "127.0.0.1", "127.9.8.7", "::1",
					    "::ffff:127.0.0.1", "unix" };
	static const char *const there[] = { "128.0.0.1", "0.0.0.0",
					     "::", "::ffff:11.0.0.1", "fe80::1" };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		assert_true(from(here[i]).loopback);
		assert_int_equal(from(here[i]).key_len, 0);
		assert_false(from(there[i]).loopback);
		assert_true(from(there[i]).key_len > 0);
	}
	assert_string_equal(from("::ffff:11.0.0.1").address, "11.0.0.1");
	assert_string_equal(from("2001:db8::1").address, "2001:db8::1");
	assert_string_equal(from("x").address, "unix");
}

static void
test_proxies(void **state)
{
	static const char *const proxies[] = { "10.1.2.3", "::ffff:10.0.0.1",
					       "2001:db8:ff::1", "127.0.0.9" };
	unsigned char address[NET_ADDRESS];
	struct peer named;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_true(from(proxies[i]).proxy);
		assert_false(from(proxies[i]).loopback);
		assert_int_equal(from(proxies[i]).key_len, 0);
	}
	assert_false(from("192.0.2.1").proxy);
	assert_false(from("unix").proxy);
	assert_true(net_address("127.0.0.1", address));
	named = peers_named(peers, address);
	assert_false(named.loopback);
	assert_int_equal(named.key_len, 4);
	assert_string_equal(named.address, "127.0.0.1");
}

static void
test_a_proxy_on_a_unix_socket(void **state)
{
	static char *proxies[] = { "unix" };
	struct trust trust = trust_new(proxies, 1);
	struct peers *before = peers;

	(void)state;
	peers = peers_new(&trust);
	assert_true(from("unix").proxy);
	assert_false(from("unix").loopback);
	assert_true(from("127.0.0.1").loopback);
	peers_free(&peers);
	peers = before;
}

static void
test_counts(void **state)
{
	struct peer a = from("192.0.2.1"), b = from("192.0.2.2");
	struct peer mapped = from("::ffff:192.0.2.1");
	struct peer c = from("2001:db8:0:1::1"), same = from("2001:db8:0:1:ffff::9");
	struct peer other = from("2001:db8:0:2::1"), here = from("127.0.0.1");

	(void)state;
	assert_true(peers_add(peers, &a, 2));
	assert_true(peers_add(peers, &mapped, 2));
	assert_false(peers_add(peers, &a, 2));
	assert_int_equal(peers_count(peers, &a), 2);
	assert_int_equal(peers_count(peers, &b), 0);
	assert_false(peers_add(peers, &b, 0));
	assert_int_equal(peers_count(peers, &b), 0);
	assert_true(peers_add(peers, &c, 1));
	assert_false(peers_add(peers, &same, 1));
	assert_int_equal(peers_count(peers, &same), 1);
	assert_int_equal(peers_count(peers, &other), 0);
	assert_true(peers_add(peers, &here, 0));
	assert_int_equal(peers_count(peers, &here), 0);
	peers_remove(peers, &here);
	peers_remove(peers, &a);
	assert_int_equal(peers_count(peers, &a), 1);
	peers_remove(peers, &a);
	assert_int_equal(peers_count(peers, &a), 0);
	peers_remove(peers, &a);
	assert_int_equal(peers_count(peers, &a), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_loopback),
		TEST(test_proxies),
		TEST(test_a_proxy_on_a_unix_socket),
		TEST(test_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
