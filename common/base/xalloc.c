/*
 * Memory that is there or the process ends: another process starts and the lease
 * protects the work. Not for sizes from outside that nobody has limited yet.
 */
#include "base/xalloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* No log here: writing a line may need memory. */
_Noreturn static void
give_up(void)
{
	static const char text[] = "stepmill: out of memory\n";
	ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);

	(void)written;
	abort();
}

void *
xmalloc(size_t size)
{
	void *new = malloc(size > 0 ? size : 1);

	if (new == NULL)
		give_up();
	return new;
}

void *
xcalloc(size_t count, size_t size)
{
	void *new = calloc(count > 0 ? count : 1, size > 0 ? size : 1);

	if (new == NULL)
		give_up();
	return new;
}

void *
xrealloc(void *old, size_t count, size_t size)
{
	size_t bytes;
	void *new;

	if (__builtin_mul_overflow(count, size, &bytes))
		give_up();
	new = realloc(old, bytes > 0 ? bytes : 1);
	if (new == NULL)
		give_up();
	return new;
}

char *
xstrdup(const char *text)
{
	return text == NULL ? NULL : xstrndup(text, strlen(text));
}

char *
xstrndup(const char *text, size_t len)
{
	char *new = xmalloc(len + 1);

	if (len > 0)
		memcpy(new, text, len);
	new[len] = '\0';
	return new;
}

void *
xmemdup(const void *data, size_t len)
{
	void *new = xmalloc(len);

	if (len > 0)
		memcpy(new, data, len);
	return new;
}

char *
xprintf(const char *format, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		give_up();
	return text;
}
