/*
 * Hashes, HMAC, comparison in constant time, random bytes, from libcrypto. A library
 * that fails at these leaves nothing safe to go on with: the process ends.
 */
#include "digest/digest.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/xalloc.h"

struct sha256 {
	EVP_MD_CTX *context;
};

static void
must(int worked, const char *what)
{
	if (worked != 1)
		bug("libcrypto fails at %s", what);
}

void
sha256(const void *data, size_t len, unsigned char out[static SHA256_BYTES])
{
	must(EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL), "SHA-256");
}

char *
sha256_text(const void *data, size_t len, char out[static SHA256_TEXT])
{
	unsigned char hash[SHA256_BYTES];

	sha256(data, len, hash);
	return digest_hex(hash, sizeof hash, out);
}

struct sha256 *
sha256_new(void)
{
	struct sha256 *hash = xcalloc(1, sizeof *hash);

	hash->context = EVP_MD_CTX_new();
	if (hash->context == NULL)
		bug("libcrypto fails at a context");
	must(EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL), "SHA-256");
	return hash;
}

void
sha256_add(struct sha256 *hash, const void *data, size_t len)
{
	must(EVP_DigestUpdate(hash->context, data, len), "SHA-256");
}

void
sha256_end(struct sha256 **hash_p, unsigned char out[static SHA256_BYTES])
{
	struct sha256 *hash = *hash_p;

	*hash_p = NULL;
	must(EVP_DigestFinal_ex(hash->context, out, NULL), "SHA-256");
	EVP_MD_CTX_free(hash->context);
	free(hash);
}

void
hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
	    unsigned char out[static SHA256_BYTES])
{
	const unsigned char *made;

	if (key_len > INT_MAX)
		bug("an HMAC key of %zu bytes", key_len);
	/* a NULL key would mean "the one of the last call" */
	made = HMAC(EVP_sha256(), key_len > 0 ? key : "", (int)key_len,
		    len > 0 ? data : (const void *)"", len, out, NULL);
	must(made != NULL, "HMAC");
}

void
sha1(const void *data, size_t len, unsigned char out[static SHA1_BYTES])
{
	must(EVP_Digest(data, len, out, NULL, EVP_sha1(), NULL), "SHA-1");
}

bool
digest_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void
digest_random(void *out, size_t len)
{
	if (len > INT_MAX)
		bug("%zu random bytes", len);
	must(RAND_bytes(out, (int)len), "random bytes");
}

char *
digest_hex(const void *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 0xf];
	}
	out[2 * len] = '\0';
	return out;
}

char *
digest_base64(const void *data, int len, char *out)
{
	EVP_EncodeBlock((unsigned char *)out, data, len);
	return out;
}
