/* Text as a JSON string: for the log, which stands below the layer json, and for it. */
#ifndef BASE_QUOTE_H
#define BASE_QUOTE_H

#include <stddef.h>

#include "base/buf.h"

/* Appends text with quotes around it. Always valid JSON in valid UTF-8: a broken byte
 * becomes U+FFFD. */
void quote_json(const char *text, size_t len, struct buf *out);

#endif
