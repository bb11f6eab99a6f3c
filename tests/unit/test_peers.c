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
	return peer_read(&storage);
}

static void
test_loopback(void **state)
{
	static const char *const here[] = { "127.0.0.1", "127.9.8.7", "::1",
					    "::ffff:127.0.0.1", "unix" };
	static const char *const there[] = { "128.0.0.1", "0.0.0.0",
					     "::", "::ffff:10.0.0.1", "fe80::1" };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		assert_true(from(here[i]).loopback);
		assert_int_equal(from(here[i]).key_len, 0);
		assert_false(from(there[i]).loopback);
		assert_true(from(there[i]).key_len > 0);
	}
	assert_string_equal(from("::ffff:10.0.0.1").address, "10.0.0.1");
	assert_string_equal(from("2001:db8::1").address, "2001:db8::1");
	assert_string_equal(from("x").address, "unix");
}

static void
test_counts(void **state)
{
	struct peers *peers = peers_new();
	struct peer a = from("192.0.2.1"), b = from("192.0.2.2");
	struct peer mapped = from("::ffff:192.0.2.1");
	struct peer c = from("2001:db8:0:1::1"), same = from("2001:db8:0:1:ffff::9");
	struct peer other = from("2001:db8:0:2::1"), here = from("127.0.0.1");

	(void)state;
	peers_add(peers, &a);
	peers_add(peers, &mapped);
	assert_int_equal(peers_count(peers, &a), 2);
	assert_int_equal(peers_count(peers, &b), 0);
	peers_add(peers, &c);
	assert_int_equal(peers_count(peers, &same), 1);
	assert_int_equal(peers_count(peers, &other), 0);
	peers_add(peers, &here);
	assert_int_equal(peers_count(peers, &here), 0);
	peers_remove(peers, &here);
	peers_remove(peers, &a);
	assert_int_equal(peers_count(peers, &a), 1);
	peers_remove(peers, &a);
	assert_int_equal(peers_count(peers, &a), 0);
	peers_free(&peers);
	assert_null(peers);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
