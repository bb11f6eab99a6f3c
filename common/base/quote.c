/*
 * Text as a JSON string. Escapes what RFC 8259 demands and U+007F, nothing more; bytes
 * that are no UTF-8 become U+FFFD, so that what is written can always be read.
 */
#include "base/quote.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/utf8.h"

static void
quote_char(unsigned char c, struct buf *out)
{
	static const char *const shorts[256] = {
		['"'] = "\\\"", ['\\'] = "\\\\", ['\b'] = "\\b", ['\f'] = "\\f",
		['\n'] = "\\n", ['\r'] = "\\r",  ['\t'] = "\\t",
	};

	if (shorts[c] != NULL)
		buf_str(out, shorts[c]);
	else if (c >= 0x80)
		buf_str(out, "\xef\xbf\xbd");
	else
		buf_printf(out, "\\u%04x", c);
}

static bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void
quote_json(const char *text, size_t len, struct buf *out)
{
	size_t at = 0, good = 0, step;
	uint32_t code_point;

	buf_reserve(out, len + 2);
	buf_char(out, '"');
	while (at < len) {
		if (is_plain((unsigned char)text[at])) {
			at++;
			continue;
		}
		step = utf8_decode(text + at, len - at, &code_point);
		if (step > 1) {
			at += step;
			continue;
		}
		buf_add(out, text + good, at - good);
		quote_char((unsigned char)text[at], out);
		good = ++at;
	}
	buf_add(out, text + good, at - good);
	buf_char(out, '"');
}
