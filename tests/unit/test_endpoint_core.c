/* Where to listen: what http.listen may say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pool/endpoint_core.h"

static const struct {
	const char *text;
	const char *host, *port, *path; /* all NULL: refused */
} cases[] = {
	{ "127.0.0.1:3456", "127.0.0.1", "3456", NULL },
	{ "localhost:0", "localhost", "0", NULL },
	{ "*:80", "*", "80", NULL },
	{ "[::1]:3456", "::1", "3456", NULL },
	{ "[fe80::1%eth0]:65535", "fe80::1%eth0", "65535", NULL },
	{ "my-host.example_x:1", "my-host.example_x", "1", NULL },
	{ "unix:/run/stepmill.sock", NULL, NULL, "/run/stepmill.sock" },
	{ " \t127.0.0.1:1 ", "127.0.0.1", "1", NULL },

	{ "", NULL, NULL, NULL },
	{ " , ", NULL, NULL, NULL },
	{ "3456", NULL, NULL, NULL },
	{ ":3456", NULL, NULL, NULL },
	{ "host:", NULL, NULL, NULL },
	{ "host:65536", NULL, NULL, NULL },
	{ "host:123456", NULL, NULL, NULL },
	{ "host:-1", NULL, NULL, NULL },
	{ "host:8o", NULL, NULL, NULL },
	{ "::1:80", NULL, NULL, NULL },
	{ "[::1:80", NULL, NULL, NULL },
	{ "[]:80", NULL, NULL, NULL },
	{ "[*]:80", NULL, NULL, NULL },
	{ "[::1]", NULL, NULL, NULL },
	{ "ho\nst:80", NULL, NULL, NULL },
	{ "ho/st:80", NULL, NULL, NULL },
	{ "unix:", NULL, NULL, NULL },
	{ "unix:relative", NULL, NULL, NULL },
};

static void
check(size_t i)
{
	struct endpoint list[ENDPOINTS_MOST];
	struct err err = { 0 };
	int count = endpoints_parse(cases[i].text, strlen(cases[i].text), list, &err);

	if (cases[i].host == NULL && cases[i].path == NULL) {
		if (count >= 0)
			fail_msg("\"%s\" was taken", cases[i].text);
		assert_int_equal(err.kind, ERR_INPUT);
		return;
	}
	if (count != 1)
		fail_msg("\"%s\": %s", cases[i].text, err.text);
	assert_int_equal(list[0].local, cases[i].path != NULL);
	if (list[0].local) {
		assert_string_equal(list[0].path, cases[i].path);
	} else {
		assert_string_equal(list[0].host, cases[i].host);
		assert_string_equal(list[0].port, cases[i].port);
	}
}

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		check(i);
}

static void
test_lists(void **state)
{
	static const char text[] = "127.0.0.1:1,[::1]:2, unix:/a unix:/b,";
	struct endpoint list[ENDPOINTS_MOST];
	struct err err = { 0 };

	(void)state;
	assert_int_equal(endpoints_parse(text, strlen(text), list, &err), 4);
	assert_string_equal(list[1].host, "::1");
	assert_string_equal(list[3].path, "/b");
	assert_int_equal(
	    endpoints_parse("a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1,a:1", 35, list, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
}

static void
test_lengths(void **state)
{
	struct endpoint list[ENDPOINTS_MOST];
	struct err err = { 0 };
	char text[400];

	(void)state;
	snprintf(text, sizeof text, "unix:/%0*d", ENDPOINT_PATH_MAX - 1, 1);
	assert_int_equal(endpoints_parse(text, strlen(text), list, &err), 1);
	snprintf(text, sizeof text, "unix:/%0*d", ENDPOINT_PATH_MAX, 1);
	assert_int_equal(endpoints_parse(text, strlen(text), list, &err), -1);
	snprintf(text, sizeof text, "%0*d:80", ENDPOINT_HOST_MAX, 1);
	assert_int_equal(endpoints_parse(text, strlen(text), list, &err), 1);
	snprintf(text, sizeof text, "%0*d:80", ENDPOINT_HOST_MAX + 1, 1);
	assert_int_equal(endpoints_parse(text, strlen(text), list, &err), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
