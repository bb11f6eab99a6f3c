/*
 * The patterns of JSON Schema with the engine of lang/regex. They are written as
 * ECMAScript has them and are translated; what cannot be matched in linear time
 * (looking around, references back) is refused when the schema is read.
 */
#ifndef LANG_SCHEMA_REGEX_H
#define LANG_SCHEMA_REGEX_H

#include "base/buf.h"
#include "json/schema.h"

extern const struct schema_regex schema_regex;

/* The pattern in RE2's syntax, appended to out; -1 with ERR_INPUT. */
int schema_regex_translate(const char *pattern, size_t len, struct buf *out,
			   struct err *err);

#endif
