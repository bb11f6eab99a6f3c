/*
 * The first byte says how long the secret is, then come the secret and the text. After
 * masking, the secret must not stand in the text as it is, unless "***" made it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *secret = (const char *)data + 1;
	struct mask *mask;
	struct buf out = { 0 };
	size_t secret_len;

	if (len < 1 || (size_t)data[0] % 32 > len - 1)
		return 0;
	secret_len = data[0] % 32;
	mask = mask_new();
	mask_add(mask, secret, secret_len);
	mask_text(mask, secret + secret_len, len - 1 - secret_len, &out);
	if (secret_len >= 4 && memchr(secret, '*', secret_len) == NULL && out.len > 0 &&
	    memmem(out.data, out.len, secret, secret_len) != NULL)
		abort();
	mask_free(&mask);
	buf_fini(&out);
	return 0;
}
