/* Text for a terminal: how wide it is, what in it could do harm, and times as people
 * read them. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stddef.h>

#include "base/buf.h"

size_t text_width(const char *text); /* columns on the screen */
/* The bytes of text that fit into width columns; *used: how many columns they take. */
size_t text_fitting(const char *text, size_t width, size_t *used);
/* Appends what came from outside made harmless: no control characters, no escapes, no
 * turning of the writing direction; line breaks and tabs become spaces. NULL: nothing.
 */
void text_clean(const char *text, struct buf *out);
/* "350 ms", "1.2 s", "2 m 5 s", "3 h 10 m". Returns out; 32 bytes are enough. */
char *text_ms(long long ms, char *out, size_t size);

#endif
