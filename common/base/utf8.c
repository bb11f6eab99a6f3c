/*
 * UTF-8 after RFC 3629: at most four bytes, no overlong forms, no surrogates, nothing
 * past U+10FFFF. Not for anything about characters beyond their code points.
 */
#include "base/utf8.h"

#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static bool
is_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* The length a first byte promises, 0 when it cannot be one. */
static size_t
promised(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	return c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

size_t
utf8_decode(const char *text, size_t len, uint32_t *code_point)
{
	const unsigned char *c = (const unsigned char *)text;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	static const unsigned char first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	size_t step = len > 0 ? promised(c[0]) : 0;
	uint32_t value;

	if (step == 0 || step > len)
		return 0;
	value = c[0] & first_bits[step];
	for (size_t i = 1; i < step; i++) {
		if (!is_tail(c[i]))
			return 0;
		value = value << 6 | (c[i] & 0x3f);
	}
	if (value < least[step] || value > 0x10ffff ||
	    (value >= 0xd800 && value < 0xe000))
		return 0;
	*code_point = value;
	return step;
}

size_t
utf8_encode(uint32_t cp, char out[static 4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
		cp = 0xfffd;
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

/* How many bytes from here on are ASCII, in steps of eight. */
static size_t
ascii_run(const char *text, size_t len)
{
	size_t at = 0;
	uint64_t word;

	for (; at + 8 <= len; at += 8) {
		memcpy(&word, text + at, 8);
		if (word & 0x8080808080808080)
			break;
	}
	return at;
}

bool
utf8_valid(const char *text, size_t len)
{
	uint32_t code_point;
	size_t at = 0, step;

	while (at < len) {
		at += ascii_run(text + at, len - at);
		if (at == len)
			break;
		step = utf8_decode(text + at, len - at, &code_point);
		if (step == 0)
			return false;
		at += step;
	}
	return true;
}

void
utf8_repair(const char *text, size_t len, struct buf *out)
{
	size_t at = 0, good = 0, step;
	uint32_t code_point;

	buf_reserve(out, len);
	while (at < len) {
		step = utf8_decode(text + at, len - at, &code_point);
		if (step > 0 && code_point != 0) {
			at += step;
			continue;
		}
		buf_add(out, text + good, at - good);
		buf_add(out, REPLACEMENT, sizeof REPLACEMENT - 1);
		good = ++at;
	}
	buf_add(out, text + good, at - good);
}
