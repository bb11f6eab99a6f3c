/* Hashes and HMAC against published vectors; comparison; random bytes; hex. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "digest/digest.h"

/* FIPS 180-4 examples */
static void
test_sha256_vectors(void **state)
{
	char text[SHA256_TEXT];

	(void)state;
	assert_string_equal(
	    sha256_text("", 0, text),
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_string_equal(
	    sha256_text(NULL, 0, text),
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_string_equal(
	    sha256_text("abc", 3, text),
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_string_equal(
	    sha256_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
			text),
	    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void
test_pieces_hash_like_the_whole(void **state)
{
	unsigned char data[1000], whole[SHA256_BYTES], pieces[SHA256_BYTES];
	struct sha256 *hash;

	(void)state;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)(i * 7);
	sha256(data, sizeof data, whole);
	for (size_t step = 1; step < sizeof data; step += 97) {
		hash = sha256_new();
		for (size_t at = 0; at < sizeof data; at += step)
			sha256_add(hash, data + at,
				   at + step < sizeof data ? step : sizeof data - at);
		sha256_end(&hash, pieces);
		assert_null(hash);
		assert_true(digest_equal(whole, pieces, sizeof whole));
	}
}

static void
check_hmac(const void *key, size_t key_len, const void *data, size_t len,
	   const char *expected)
{
	unsigned char out[SHA256_BYTES];
	char text[SHA256_TEXT];

	hmac_sha256(key, key_len, data, len, out);
	assert_string_equal(digest_hex(out, sizeof out, text), expected);
}

/* RFC 4231, cases 1, 2 and 6; and the empty key, which libcrypto would take for "as
 * before" */
static void
test_hmac_vectors(void **state)
{
	unsigned char key[131];

	(void)state;
	memset(key, 0x0b, 20);
	check_hmac(key, 20, "Hi There", 8,
		   "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	check_hmac("Jefe", 4, "what do ya want for nothing?", 28,
		   "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	check_hmac(key, sizeof key,
		   "Test Using Larger Than Block-Size Key - Hash Key First", 54,
		   "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	check_hmac(NULL, 0, NULL, 0,
		   "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void
test_equality_looks_at_every_byte(void **state)
{
	unsigned char a[32] = { 0 }, b[32] = { 0 };

	(void)state;
	assert_true(digest_equal(a, b, sizeof a));
	assert_true(digest_equal(a, b, 0));
	for (size_t i = 0; i < sizeof a; i++) {
		b[i] = 1;
		assert_false(digest_equal(a, b, sizeof a));
		b[i] = 0;
	}
}

static void
test_random_bytes_differ(void **state)
{
	unsigned char a[32] = { 0 }, b[32] = { 0 }, none[32] = { 0 };

	(void)state;
	digest_random(a, sizeof a);
	digest_random(b, sizeof b);
	assert_memory_not_equal(a, b, sizeof a);
	assert_memory_not_equal(a, none, sizeof a);
}

static void
test_hex(void **state)
{
	char out[9];

	(void)state;
	assert_string_equal(digest_hex("\x00\x0f\xa0\xff", 4, out), "000fa0ff");
	assert_string_equal(digest_hex("", 0, out), "");
}

/* The example of RFC 6455, section 1.3. */
static void
test_sha1_and_base64(void **state)
{
	static const char text[] =
	    "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char hash[SHA1_BYTES];
	char out[(SHA1_BYTES + 2) / 3 * 4 + 1];

	(void)state;
	sha1(text, sizeof text - 1, hash);
	assert_string_equal(digest_base64(hash, sizeof hash, out),
			    "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	assert_string_equal(digest_base64("", 0, out), "");
	assert_string_equal(digest_base64("a", 1, out), "YQ==");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256_vectors),
		cmocka_unit_test(test_pieces_hash_like_the_whole),
		cmocka_unit_test(test_hmac_vectors),
		cmocka_unit_test(test_equality_looks_at_every_byte),
		cmocka_unit_test(test_random_bytes_differ),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_sha1_and_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
