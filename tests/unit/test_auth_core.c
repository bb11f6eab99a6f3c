/* Keys, roles, and which Host and Origin are believed without one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "front/auth_core.h"

static void
test_roles(void **state)
{
	enum role role;

	(void)state;
	for (int i = ROLE_VIEWER; i < ROLES; i++) {
		assert_true(auth_role_parse(auth_role_name((enum role)i), &role));
		assert_int_equal(role, i);
	}
	assert_false(auth_role_parse("none", &role)); /* nobody is given that */
	assert_false(auth_role_parse("Admin", &role));
	assert_false(auth_role_parse("", &role));
	assert_true(ROLE_NONE < ROLE_VIEWER && ROLE_VIEWER < ROLE_OPERATOR &&
		    ROLE_OPERATOR < ROLE_ADMIN);
}

static void
test_bearer(void **state)
{
	static const char *const good[] = { "Bearer abc", "bearer abc",
					    "BEARER   abc" };
	static const char *const bad[] = {
		"",           "Bearer",      "Bearer ",
		"Bearer a b", "Bearer abc ", "Basic abc",
		"Bearerabc",  "Bearer a,b",  "Bearer \xc3\xbc",
		"Bearer\tabc"
	};
	char text[AUTH_KEY_MAX + 20];
	const char *key;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_true(auth_bearer(good[i], &key, &len));
		assert_int_equal(len, 3);
		assert_memory_equal(key, "abc", 3);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(auth_bearer(bad[i], &key, &len));
	snprintf(text, sizeof text, "Bearer %0*d", AUTH_KEY_MAX, 1);
	assert_true(auth_bearer(text, &key, &len));
	snprintf(text, sizeof text, "Bearer %0*d", AUTH_KEY_MAX + 1, 1);
	assert_false(auth_bearer(text, &key, &len));
}

static void
test_hosts(void **state)
{
	static const char *const good[] = { "localhost",      "LocalHost",
					    "localhost:3456", "127.0.0.1",
					    "127.0.0.1:80",   "127.255.255.255",
					    "127.0.0.0",      "[::1]",
					    "[::1]:3456" };
	static const char *const bad[] = {
		"",
		"localhost.",
		"localhost.evil.example",
		"evil.example",
		"localhos",
		"localhostx",
		"127.0.0.1.evil.example",
		"127.0.0",
		"127.1",
		"127.0.0.1.1",
		"127.0.0.256",
		"127.0.0.",
		"127..0.1",
		"127.0.0.01",
		"0127.0.0.1",
		"0x7f.0.0.1",
		"2130706433",
		"128.0.0.1",
		"12.7.0.0.1",
		"0.0.0.0",
		"[::1",
		"[::2]",
		"[::1]x",
		"[::ffff:127.0.0.1]",
		"[0:0:0:0:0:0:0:1]",
		"::1",
		":80",
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		if (!auth_host_is_loopback(good[i]))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (auth_host_is_loopback(bad[i]))
			fail_msg("%s", bad[i]);
}

static void
test_origins(void **state)
{
	(void)state;
	assert_true(auth_origin_is_own("http://localhost:3456", "localhost:3456"));
	assert_true(auth_origin_is_own("http://[::1]:1", "[::1]:1"));
	assert_true(auth_origin_is_own("HTTP://LOCALHOST", "localhost"));
	assert_false(auth_origin_is_own("null", "localhost"));
	assert_false(auth_origin_is_own("", "localhost"));
	assert_false(auth_origin_is_own("https://localhost", "localhost"));
	assert_false(auth_origin_is_own("http://localhost:1", "localhost:2"));
	assert_false(auth_origin_is_own("http://localhost", "localhost:80"));
	assert_false(auth_origin_is_own("http://localhost.evil", "localhost"));
	assert_false(auth_origin_is_own("http://evil/localhost", "localhost"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_bearer),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_origins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
