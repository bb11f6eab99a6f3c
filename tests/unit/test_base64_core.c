/* base64, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base64_core.h"

static void
test_the_standards_own(void **state)
{
	static const struct {
		const char *plain, *coded;
	} rows[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf coded = { 0 }, plain = { 0 };
		struct err err = { 0 };

		base64_write(rows[i].plain, strlen(rows[i].plain), &coded);
		assert_string_equal(buf_text(&coded), rows[i].coded);
		assert_int_equal(base64_read(coded.data, coded.len, &plain, &err), 0);
		assert_string_equal(buf_text(&plain), rows[i].plain);
		buf_fini(&coded);
		buf_fini(&plain);
	}
}

static void
test_all_bytes(void **state)
{
	unsigned char bytes[256];
	struct buf coded = { 0 }, plain = { 0 };
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i < 256; i++)
		bytes[i] = (unsigned char)i;
	for (size_t len = 0; len <= sizeof bytes; len++) {
		buf_clear(&coded);
		buf_clear(&plain);
		base64_write(bytes, len, &coded);
		assert_int_equal(base64_read(buf_text(&coded), coded.len, &plain, &err),
				 0);
		assert_int_equal(plain.len, len);
		if (len > 0)
			assert_memory_equal(plain.data, bytes, len);
	}
	buf_fini(&coded);
	buf_fini(&plain);
}

static void
test_line_breaks_are_skipped(void **state)
{
	struct buf plain = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(base64_read("Zm\r\n9v\nYg=\n=\n", 13, &plain, &err), 0);
	assert_string_equal(buf_text(&plain), "foob");
	buf_fini(&plain);
}

static void
test_what_is_refused(void **state)
{
	static const char *const bad[] = {
		"Z",        "Zg",   "Zg=",  "Zg===", "Z===",  "====", "=",
		"Zg==Zg==", "Zh==", "Zm9=", "Zm 9",  "Zm9v!", "Zm-_", "Zm9v="
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct buf plain = { 0 };
		struct err err = { 0 };
		int result = base64_read(bad[i], strlen(bad[i]), &plain, &err);

		/* Without padding at all it is taken: no bit is in doubt. */
		if (strcmp(bad[i], "Zg") == 0)
			assert_int_equal(result, 0);
		else if (result == 0)
			fail_msg("%s was taken", bad[i]);
		buf_fini(&plain);
	}
	assert_int_equal(
	    base64_read("Zm\0v", 4, &(struct buf){ 0 }, &(struct err){ 0 }), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_standards_own),
		cmocka_unit_test(test_all_bytes),
		cmocka_unit_test(test_line_breaks_are_skipped),
		cmocka_unit_test(test_what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
