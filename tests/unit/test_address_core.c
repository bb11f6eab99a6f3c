/* Which addresses steps may call: the table of tests/tables/address.txt, and the list.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address_core.h"

static char *
trim(char *text)
{
	size_t len;

	while (*text == ' ')
		text++;
	for (len = strlen(text); len > 0 && strchr(" \n", text[len - 1]) != NULL;)
		text[--len] = '\0';
	return text;
}

static int
judge(const char *address, char *list, const char **why)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST,
				  .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char *allow[8], *save = NULL;
	size_t count = 0;
	int allowed;

	if (getaddrinfo(address, "8080", &hints, &found) != 0)
		fail_msg("%s is no address", address);
	if (strcmp(list, "-") != 0)
		for (char *at = strtok_r(list, ",", &save); at != NULL && count < 8;
		     at = strtok_r(NULL, ",", &save))
			allow[count++] = at;
	*why = address_refusal(found->ai_addr);
	allowed = address_allowed(found->ai_addr, allow, count);
	freeaddrinfo(found);
	return allowed;
}

static void
test_table(void **state)
{
	FILE *file = fopen(TESTS_DIR "/tables/address.txt", "r");
	char line[256];
	int rows = 0;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof line, file) != NULL) {
		char *list = strchr(line, '|'), *expected = strrchr(line, '|');
		const char *why;
		bool allowed;

		if (line[0] == '#' || list == NULL)
			continue;
		*list++ = '\0';
		*expected++ = '\0';
		expected = trim(expected);
		allowed = judge(trim(line), trim(list), &why);
		if (allowed != (strcmp(expected, "yes") == 0))
			fail_msg("%s: %s", trim(line), allowed ? "allowed" : "refused");
		if (!allowed && strcmp(why, expected) != 0)
			fail_msg("%s: refused as %s", trim(line), why);
		rows++;
	}
	fclose(file);
	assert_true(rows > 70);
}

static void
test_entries(void **state)
{
	static const char *const good[] = {
		"127.0.0.1", "127.0.0.1:80", "10.0.0.0/8",  "10.0.0.0/8:443",
		"::1",       "[::1]",        "[::1]:65535", "fd00::/8",
		"localhost", "localhost:1",  "0.0.0.0/0",   "::/0"
	};
	static const char *const bad[] = { "",
					   ":",
					   "example.com",
					   "1.2.3",
					   "1.2.3.4.5",
					   "1.2.3.4/33",
					   "1.2.3.4/-1",
					   "1.2.3.4/",
					   "1.2.3.4:0",
					   "1.2.3.4:65536",
					   "1.2.3.4:x",
					   "[::1",
					   "[::1]x",
					   "::1/129",
					   "[]:80",
					   "localhost/8",
					   "256.1.1.1",
					   "1.2.3.4 " };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct err err = { 0 };

		if (address_entry_check(good[i], &err) < 0)
			fail_msg("%s: %s", good[i], err.text);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct err err = { 0 };

		if (address_entry_check(bad[i], &err) == 0)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_int_equal(err.kind, ERR_INPUT);
	}
}

static void
test_a_very_long_entry_is_refused(void **state)
{
	struct err err = { 0 };
	char text[500];

	(void)state;
	memset(text, '1', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_int_equal(address_entry_check(text, &err), -1);
}

static void
test_other_families_are_refused(void **state)
{
	struct sockaddr address = { .sa_family = AF_UNIX };
	char *allow[] = { (char *)"0.0.0.0/0", (char *)"::/0" };

	(void)state;
	assert_non_null(address_refusal(&address));
	assert_false(address_allowed(&address, allow, 2));
}

static void
test_format(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(80) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(443) };
	char text[64];

	(void)state;
	inet_pton(AF_INET, "10.1.2.3", &in.sin_addr);
	inet_pton(AF_INET6, "fe80::1", &in6.sin6_addr);
	assert_string_equal(address_format((void *)&in, text, sizeof text),
			    "10.1.2.3:80");
	assert_string_equal(address_format((void *)&in6, text, sizeof text),
			    "[fe80::1]:443");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_a_very_long_entry_is_refused),
		cmocka_unit_test(test_other_families_are_refused),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
