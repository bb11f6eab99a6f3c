/* Compressed messages there and back, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "front/ws_deflate.h"

static void
assert_there_and_back(struct ws_deflate *packer, const char *data, size_t len)
{
	struct buf packed = { 0 }, plain = { 0 };

	buf_str(&plain, "before");
	ws_deflate_pack(packer, data, len, &packed);
	assert_int_equal(
	    ws_deflate_unpack(packer, buf_text(&packed), packed.len, len, &plain),
	    WS_INFLATED);
	assert_int_equal(plain.len, 6 + len);
	assert_memory_equal(buf_text(&plain) + 6, data, len);
	buf_fini(&packed);
	buf_fini(&plain);
}

static void
test_there_and_back(void **state)
{
	struct ws_deflate *packer = ws_deflate_new();
	static char large[100000];

	(void)state;
	assert_there_and_back(packer, "", 0);
	assert_there_and_back(packer, "Hello", 5);
	for (size_t i = 0; i < sizeof large; i++)
		large[i] = (char)(i * i >> 3);
	for (size_t len = 16370; len < 16400; len++)
		assert_there_and_back(packer, large, len);
	assert_there_and_back(packer, large, sizeof large);
	assert_there_and_back(packer, "again", 5);
	ws_deflate_free(&packer);
	ws_deflate_free(&packer);
}

/* The examples of RFC 7692, section 7.2.3. */
static void
test_examples(void **state)
{
	static const struct {
		const char *data;
		size_t len;
	} hellos[] = {
		{ "\xf2\x48\xcd\xc9\xc9\x07\x00", 7 },
		{ "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11 }, /* not packed */
		{ "\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8 }, /* a final block */
		{ "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13 },
	};
	struct ws_deflate *packer = ws_deflate_new();

	(void)state;
	for (size_t i = 0; i < sizeof hellos / sizeof *hellos; i++) {
		struct buf plain = { 0 };

		assert_int_equal(ws_deflate_unpack(packer, hellos[i].data,
						   hellos[i].len, 100, &plain),
				 WS_INFLATED);
		assert_string_equal(buf_text(&plain), "Hello");
		buf_fini(&plain);
	}
	ws_deflate_free(&packer);
}

static void
test_too_big(void **state)
{
	struct ws_deflate *packer = ws_deflate_new();
	struct buf packed = { 0 }, plain = { 0 };
	static char zeros[1 << 20];

	(void)state;
	ws_deflate_pack(packer, zeros, sizeof zeros, &packed);
	assert_true(packed.len < 10000);
	assert_int_equal(ws_deflate_unpack(packer, packed.data, packed.len,
					   sizeof zeros - 1, &plain),
			 WS_INFLATED_TOO_BIG);
	buf_fini(&plain);
	assert_int_equal(
	    ws_deflate_unpack(packer, packed.data, packed.len, 1000, &plain),
	    WS_INFLATED_TOO_BIG);
	assert_true(plain.len < 100000); /* not all of it was unpacked */
	buf_fini(&plain);
	buf_fini(&packed);
	ws_deflate_free(&packer);
}

static void
test_bad_data(void **state)
{
	struct ws_deflate *packer = ws_deflate_new();
	struct buf plain = { 0 };

	(void)state;
	assert_int_equal(ws_deflate_unpack(packer, "\xff\xff\xff", 3, 100, &plain),
			 WS_INFLATED_BAD);
	buf_clear(&plain);
	/* behind a final block */
	assert_int_equal(ws_deflate_unpack(packer,
					   "\xf3\x48\xcd\xc9\xc9\x07\x00garbage", 14,
					   100, &plain),
			 WS_INFLATED_BAD);
	buf_fini(&plain);
	ws_deflate_free(&packer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_too_big),
		cmocka_unit_test(test_bad_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
