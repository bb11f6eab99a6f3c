/* URIs as schemas name each other by (RFC 3986), and the fragments behind them. */
#ifndef JSON_SCHEMA_URI_H
#define JSON_SCHEMA_URI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* reference (its first len bytes, without a fragment) as seen from base: absolute when
 * either is. The text is the caller's. */
char *schema_uri_resolve(const char *base, const char *reference, size_t len);
/* The fragment behind '#', or NULL; *len is how much stands before. */
const char *schema_uri_fragment(const char *uri, size_t *len);
bool schema_uri_is_absolute(const char *uri); /* has a scheme */
/* Appends text with its %41 decoded. False: one of them is broken. */
bool schema_uri_decode(const char *text, struct buf *out);

#endif
