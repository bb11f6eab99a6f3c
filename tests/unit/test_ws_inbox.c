/* Fragments become messages: whole, packed, too big, and none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "front/ws_inbox.h"

static void
test_fragments(void **state)
{
	struct ws_inbox inbox = { 0 };
	const char *text;
	size_t len;

	(void)state;
	assert_true(ws_inbox_has_room(&inbox, 3));
	ws_inbox_add(&inbox, "abc", 3, 10);
	assert_true(ws_inbox_has_room(&inbox, 0));
	ws_inbox_add(&inbox, "de", 2, 20);
	assert_int_equal(inbox.began_at, 10);
	assert_int_equal(ws_inbox_end(&inbox, NULL, &text, &len), WS_RECEIVED);
	assert_int_equal(len, 5);
	assert_memory_equal(text, "abcde", 5);
	ws_inbox_clear(&inbox);
	assert_int_equal(ws_inbox_end(&inbox, NULL, &text, &len), WS_RECEIVED);
	assert_string_equal(text, "");
	assert_int_equal(len, 0);
	ws_inbox_fini(&inbox);
}

static void
test_room(void **state)
{
	struct ws_inbox inbox = { 0 };

	(void)state;
	assert_true(ws_inbox_has_room(&inbox, WS_MESSAGE_MAX));
	assert_false(ws_inbox_has_room(&inbox, WS_MESSAGE_MAX + 1));
	assert_false(ws_inbox_has_room(&inbox, UINT64_MAX));
	ws_inbox_add(&inbox, "x", 1, 0);
	assert_true(ws_inbox_has_room(&inbox, WS_MESSAGE_MAX - 1));
	assert_false(ws_inbox_has_room(&inbox, WS_MESSAGE_MAX));
	assert_false(ws_inbox_has_room(&inbox, UINT64_MAX)); /* nor around the corner */
	ws_inbox_fini(&inbox);
}

static enum ws_received
receive_packed(const char *data, size_t data_len)
{
	struct ws_deflate *packer = ws_deflate_new();
	struct ws_inbox inbox = { .packed = true };
	struct buf packed = { 0 };
	enum ws_received verdict;
	const char *text;
	size_t len;

	ws_deflate_pack(packer, data, data_len, &packed);
	ws_inbox_add(&inbox, packed.data, packed.len, 0);
	verdict = ws_inbox_end(&inbox, packer, &text, &len);
	if (verdict == WS_RECEIVED) {
		assert_int_equal(len, data_len);
		assert_memory_equal(text, data, len);
	}
	ws_inbox_clear(&inbox);
	ws_inbox_fini(&inbox);
	buf_fini(&packed);
	ws_deflate_free(&packer);
	return verdict;
}

static void
test_packed(void **state)
{
	static char large[WS_MESSAGE_MAX + 1];

	(void)state;
	memset(large, 'x', sizeof large);
	assert_int_equal(receive_packed("Gr\xc3\xbc\xc3\x9f"
					"e",
					7),
			 WS_RECEIVED);
	assert_int_equal(receive_packed(large, WS_MESSAGE_MAX), WS_RECEIVED);
	assert_int_equal(receive_packed(large, sizeof large), WS_RECEIVED_TOO_BIG);
	assert_int_equal(receive_packed("\xff", 1), WS_RECEIVED_BAD);
}

static void
test_badly_packed(void **state)
{
	struct ws_deflate *packer = ws_deflate_new();
	struct ws_inbox inbox = { .packed = true };
	const char *text;
	size_t len;

	(void)state;
	ws_inbox_add(&inbox, "\xff\xff", 2, 0);
	assert_int_equal(ws_inbox_end(&inbox, packer, &text, &len), WS_RECEIVED_BAD);
	ws_inbox_fini(&inbox);
	ws_deflate_free(&packer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_packed),
		cmocka_unit_test(test_badly_packed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
