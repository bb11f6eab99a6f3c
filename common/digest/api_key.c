/* Making API keys. See api_key.h. */
#include "digest/api_key.h"

#include <string.h>

#include "digest/digest.h"

void
api_key_new(char out[static API_KEY_TEXT])
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789-_";
	unsigned char bytes[API_KEY_BYTES];
	char *to = out + 3;
	unsigned held = 0;
	int bits = 0;

	memcpy(out, "sm_", 3);
	digest_random(bytes, sizeof bytes);
	for (size_t i = 0; i < sizeof bytes; i++) {
		held = held << 8 | bytes[i];
		for (bits += 8; bits >= 6; bits -= 6)
			*to++ = digits[held >> (bits - 6) & 63];
	}
	if (bits > 0)
		*to++ = digits[held << (6 - bits) & 63];
	*to = '\0';
	explicit_bzero(bytes, sizeof bytes);
	explicit_bzero(&held, sizeof held);
}
