/* Three bytes as four characters, and back; strict where it reads. */
#include "base64_core.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_write(const void *data, size_t len, struct buf *out)
{
	const unsigned char *at = data;

	buf_reserve(out, len / 3 * 4 + 4);
	for (; len > 0; at += 3) {
		size_t count = len < 3 ? len : 3;
		uint32_t bits = (uint32_t)at[0] << 16;

		if (count > 1)
			bits |= (uint32_t)at[1] << 8;
		if (count > 2)
			bits |= at[2];
		for (size_t i = 0; i < 4; i++)
			buf_char(out, i <= count ? alphabet[bits >> (18 - 6 * i) & 63]
						 : '=');
		len -= count;
	}
}

/* -1: not of the alphabet. */
static int
value_of(char c)
{
	const char *found = c != '\0' ? strchr(alphabet, c) : NULL;

	return found != NULL ? (int)(found - alphabet) : -1;
}

/* How many characters of data are in the last four; the rest has to be zero bits. */
static int
end_group(uint32_t bits, int count, struct buf *out, struct err *err)
{
	if (count == 1 || (count == 2 && (bits & 0xf) != 0) ||
	    (count == 3 && (bits & 0x3) != 0))
		return err_set(err, ERR_INPUT, "the base64 text ends in the middle");
	if (count == 2)
		buf_char(out, (char)(bits >> 4));
	if (count == 3) {
		buf_char(out, (char)(bits >> 10));
		buf_char(out, (char)(bits >> 2));
	}
	return 0;
}

int
base64_read(const char *text, size_t len, struct buf *out, struct err *err)
{
	uint32_t bits = 0;
	int count = 0, padding = 0;

	for (size_t i = 0; i < len; i++) {
		int value = value_of(text[i]);

		if (text[i] == '\n' || text[i] == '\r')
			continue;
		if (text[i] == '=' && count >= 2 && count + ++padding <= 4)
			continue;
		if (value < 0 || padding > 0)
			return err_set(err, ERR_INPUT,
				       "character %zu does not belong into base64",
				       i + 1);
		bits = bits << 6 | (uint32_t)value;
		if (++count < 4)
			continue;
		buf_char(out, (char)(bits >> 16));
		buf_char(out, (char)(bits >> 8));
		buf_char(out, (char)bits);
		bits = 0;
		count = 0;
	}
	if (padding > 0 && count + padding != 4)
		return err_set(err, ERR_INPUT, "the base64 text ends in the middle");
	return end_group(bits, count, out, err);
}
