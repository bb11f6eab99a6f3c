/* See text.h. */
#include "text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

struct range {
	uint32_t first, last;
};

/* Two columns on a terminal: the wide blocks of East Asia and the pictures. */
static const struct range wide[] = {
	{ 0x1100, 0x115f },   { 0x2e80, 0xa4cf },   { 0xac00, 0xd7a3 },
	{ 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },
	{ 0x1f300, 0x1faff }, { 0x20000, 0x3fffd },
};

/* None: what stands on the character before, and what joins. */
static const struct range marks[] = {
	{ 0x300, 0x36f },
	{ 0x200b, 0x200f },
	{ 0x20d0, 0x20f0 },
	{ 0xfe00, 0xfe0f },
};

/* What may turn the direction of the line, or is a control character. */
static const struct range harmful[] = {
	{ 0, 0x1f },
	{ 0x7f, 0x9f },
	{ 0x2028, 0x202e },
	{ 0x2066, 0x2069 },
};

static bool
within(const struct range *ranges, size_t count, uint32_t c)
{
	for (size_t i = 0; i < count; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

#define IS(table, c) within((table), sizeof(table) / sizeof *(table), (c))

size_t
text_fitting(const char *text, size_t width, size_t *used)
{
	size_t at = 0, len = strlen(text);

	*used = 0;
	while (at < len) {
		uint32_t c = 0;
		size_t bytes = utf8_decode(text + at, len - at, &c);
		size_t columns = bytes == 0     ? 1
				 : IS(marks, c) ? 0
				 : IS(wide, c)  ? 2
						: 1;

		if (*used + columns > width)
			break;
		*used += columns;
		at += bytes == 0 ? 1 : bytes;
	}
	return at;
}

size_t
text_width(const char *text)
{
	size_t used;

	text_fitting(text, SIZE_MAX, &used);
	return used;
}

void
text_clean(const char *text, struct buf *out)
{
	size_t at = 0, len = text != NULL ? strlen(text) : 0;

	while (at < len) {
		uint32_t c = 0;
		size_t bytes = utf8_decode(text + at, len - at, &c);

		if (bytes == 0)
			buf_char(out, '?');
		else if (c == '\n' || c == '\r' || c == '\t')
			buf_char(out, ' ');
		else if (IS(harmful, c))
			buf_char(out, '?');
		else
			buf_add(out, text + at, bytes);
		at += bytes == 0 ? 1 : bytes;
	}
}

char *
text_ms(long long ms, char *out, size_t size)
{
	if (ms < 1000)
		snprintf(out, size, "%lld ms", ms);
	else if (ms < 60000)
		snprintf(out, size, "%lld.%lld s", ms / 1000, ms / 100 % 10);
	else if (ms < 3600000)
		snprintf(out, size, "%lld m %lld s", ms / 60000, ms / 1000 % 60);
	else
		snprintf(out, size, "%lld h %lld m", ms / 3600000, ms / 60000 % 60);
	return out;
}
