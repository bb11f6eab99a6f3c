/* The one door to libcrypto: hashes, HMAC, constant-time compare, random bytes. */
#ifndef DIGEST_DIGEST_H
#define DIGEST_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#define SHA1_BYTES   20
#define SHA256_BYTES 32
#define SHA256_TEXT  65 /* lower-case hex and the NUL */

struct sha256; /* for data that comes in pieces */

void sha256(const void *data, size_t len, unsigned char out[static SHA256_BYTES]);
char *sha256_text(const void *data, size_t len, char out[static SHA256_TEXT]);
struct sha256 *sha256_new(void);
void sha256_add(struct sha256 *hash, const void *data, size_t len);
void sha256_end(struct sha256 **hash_p, unsigned char out[static SHA256_BYTES]);
void hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
		 unsigned char out[static SHA256_BYTES]);
/* Only where a protocol wants it (RFC 6455): nothing is safe that leans on it. */
void sha1(const void *data, size_t len, unsigned char out[static SHA1_BYTES]);
bool digest_equal(const void *a, const void *b, size_t len); /* constant time */
void digest_random(void *out, size_t len);
char *digest_hex(const void *data, size_t len, char *out); /* 2 * len + 1 bytes */
/* RFC 4648 with padding; (len + 2) / 3 * 4 + 1 bytes. */
char *digest_base64(const void *data, int len, char *out);

#endif
