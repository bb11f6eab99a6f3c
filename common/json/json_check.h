/* Whether a text is JSON by RFC 8259 and within our limits. Pure. */
#ifndef JSON_CHECK_H
#define JSON_CHECK_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define JSON_NUMBER_MAX 400 /* characters; the longest integer in a double has 309 */

/* 0, or -1 with "line 3, column 7: expected a value". When the text holds what the
 * parser behind would read otherwise than we want (integers past int64, NUL in keys),
 * fixed gets the text that is to be parsed instead; else it stays empty. */
int json_check(const char *text, size_t len, struct buf *fixed, struct err *err);

#endif
