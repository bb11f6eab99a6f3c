/* UTF-8 (RFC 3629): checking and repairing text that comes from outside. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

bool utf8_valid(const char *text, size_t len); /* no surrogates, no overlong forms */
/* Appends text, each invalid byte and each NUL as U+FFFD: storable in PostgreSQL. */
void utf8_repair(const char *text, size_t len, struct buf *out);
/* Decodes one code point at text[0..len); its length, or 0 when invalid. */
size_t utf8_decode(const char *text, size_t len, uint32_t *code_point);
size_t utf8_encode(uint32_t code_point, char out[static 4]);

#endif
