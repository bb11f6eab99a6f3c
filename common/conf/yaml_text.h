/* The text before libyaml sees it: encoding, forbidden characters, what would cost too
 * much, and JSON's surrogate pairs. */
#ifndef CONF_YAML_TEXT_H
#define CONF_YAML_TEXT_H

#include <stddef.h>

#include "base/buf.h"
#include "base/doc.h"

/* Appends to out what libyaml may read: without a byte order mark, and, where the text
 * is JSON, with \ud83d\ude00 written as the \U0001f600 that YAML knows. 0, or -1 with a
 * problem. */
int yaml_text_check(const char *text, size_t len, struct buf *out,
		    struct problems *problems);

/* Appends text, with what YAML cannot hold as it is (U+007F, U+0085 to U+009F, U+FEFF
 * ...) escaped as in double quotes. */
void yaml_text_escape(const char *text, size_t len, struct buf *out);

#endif
