/*
 * A growing run of bytes that is always NUL-terminated. The room behind the end
 * doubles, so that adding byte by byte stays cheap. Not for data whose size nobody has
 * limited.
 */
#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/xalloc.h"

char *
buf_reserve(struct buf *buf, size_t len)
{
	size_t need, capacity = buf->capacity < 64 ? 64 : buf->capacity;

	if (__builtin_add_overflow(buf->len, len, &need) || need >= SIZE_MAX / 4)
		bug("a buffer of %zu bytes cannot take %zu more", buf->len, len);
	need++; /* the NUL */
	if (need <= buf->capacity)
		return buf->data + buf->len;
	while (capacity < need)
		capacity *= 2;
	buf->data = xrealloc(buf->data, capacity, 1);
	buf->capacity = capacity;
	buf->data[buf->len] = '\0';
	return buf->data + buf->len;
}

void
buf_grow(struct buf *buf, size_t len)
{
	if (len == 0)
		return;
	if (buf->capacity - buf->len <= len)
		bug("a buffer grew by %zu bytes without room", len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void
buf_add(struct buf *buf, const void *data, size_t len)
{
	if (len == 0)
		return;
	memcpy(buf_reserve(buf, len), data, len);
	buf_grow(buf, len);
}

void
buf_str(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void
buf_char(struct buf *buf, char c)
{
	*buf_reserve(buf, 1) = c;
	buf_grow(buf, 1);
}

void
buf_vprintf(struct buf *buf, const char *format, va_list args)
{
	size_t room = 120;
	char *end = buf_reserve(buf, room);
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(end, room + 1, format, args);
	if (len < 0)
		bug("format \"%s\" cannot be printed", format);
	if ((size_t)len > room) {
		end = buf_reserve(buf, (size_t)len);
		vsnprintf(end, (size_t)len + 1, format, again);
	}
	va_end(again);
	buf_grow(buf, (size_t)len);
}

void
buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buf_vprintf(buf, format, args);
	va_end(args);
}

void
buf_consume(struct buf *buf, size_t len)
{
	if (len > buf->len)
		bug("%zu bytes taken from a buffer of %zu", len, buf->len);
	if (len == 0)
		return;
	memmove(buf->data, buf->data + len, buf->len - len);
	buf->len -= len;
	buf->data[buf->len] = '\0';
}

void
buf_clear(struct buf *buf)
{
	buf->len = 0;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

const char *
buf_text(const struct buf *buf)
{
	return buf->data != NULL ? buf->data : "";
}

char *
buf_take(struct buf *buf)
{
	char *text = buf->data != NULL ? buf->data : xstrdup("");

	*buf = (struct buf){ 0 };
	return text;
}

void
buf_fini(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){ 0 };
}
