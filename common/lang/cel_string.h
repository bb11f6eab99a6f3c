/* Helpers for strings, whose places count in characters (code points), not in bytes. */
#ifndef LANG_CEL_STRING_H
#define LANG_CEL_STRING_H

#include <stdbool.h>
#include <stddef.h>

#include "lang/cel_value.h"

size_t cel_characters(const char *text, size_t len);
/* The byte where a character begins; len for the one behind the last. false: further.
 */
bool cel_character_at(const struct cel_text *text, int64_t index, size_t *at);
/* How many bytes the character there has. */
size_t cel_character_len(const struct cel_text *text, size_t at);

#endif
