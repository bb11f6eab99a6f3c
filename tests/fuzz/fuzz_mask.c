/*
 * The first byte says how long the secret is, the second how long the first piece of
 * the text; then come the secret and the text. After masking, the secret must not stand
 * in the text as it is, unless "***" made it; and a text in two pieces gives the same
 * as in one.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check_pieces(const struct mask *mask, const char *text, size_t len, size_t first,
	     const struct buf *whole)
{
	struct mask_stream stream = { 0 };
	struct buf out = { 0 };

	mask_feed(mask, &stream, text, first, &out);
	mask_feed(mask, &stream, text + first, len - first, &out);
	mask_end(mask, &stream, &out);
	if (out.len != whole->len ||
	    memcmp(buf_text(&out), buf_text(whole), out.len) != 0)
		abort();
	buf_clear(&out);
	mask_cut(mask, text, len, &out);
	mask_stream_fini(&stream);
	buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *secret = (const char *)data + 2, *text;
	struct mask *mask;
	struct buf out = { 0 };
	size_t secret_len, first;

	if (len < 2 || (size_t)data[0] % 32 > len - 2)
		return 0;
	secret_len = data[0] % 32;
	text = secret + secret_len;
	len -= 2 + secret_len;
	first = data[1] < len ? data[1] : len;
	mask = mask_new();
	mask_add(mask, secret, secret_len);
	mask_text(mask, text, len, &out);
	if (secret_len >= 4 && memchr(secret, '*', secret_len) == NULL && out.len > 0 &&
	    memmem(out.data, out.len, secret, secret_len) != NULL)
		abort();
	check_pieces(mask, text, len, first, &out);
	mask_free(&mask);
	buf_fini(&out);
	return 0;
}
