/* A growing run of bytes, always with a NUL behind its end that does not count. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char *data; /* NULL while nothing was added */
	size_t len;
	size_t capacity;
};

void buf_add(struct buf *buf, const void *data, size_t len);
void buf_str(struct buf *buf, const char *text);
void buf_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
char *buf_reserve(struct buf *buf, size_t len); /* room for len more; then buf_grow */
void buf_grow(struct buf *buf, size_t len);     /* len bytes of the room were filled */
void buf_consume(struct buf *buf, size_t len);  /* drops len bytes from the front */
void buf_clear(struct buf *buf);                /* keeps the memory */
const char *buf_text(const struct buf *buf);    /* never NULL */
char *buf_take(struct buf *buf); /* the text is the caller's; buf is empty */
void buf_fini(struct buf *buf);

#endif
