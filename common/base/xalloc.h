/*
 * Memory that is there or the process ends. Whatever has its size from outside is
 * limited before it comes here.
 */
#ifndef BASE_XALLOC_H
#define BASE_XALLOC_H

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t count, size_t size); /* checks count * size */
char *xstrdup(const char *text);                      /* NULL gives NULL */
char *xstrndup(const char *text, size_t len);         /* copies len bytes and a NUL */
void *xmemdup(const void *data, size_t len);
char *xprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
