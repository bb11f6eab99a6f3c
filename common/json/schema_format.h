/* The formats of strings that can be asserted. An unknown one tells nothing. */
#ifndef JSON_SCHEMA_FORMAT_H
#define JSON_SCHEMA_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include "json/schema.h"

struct schema_format;

const struct schema_format *schema_format_find(const char *name); /* or NULL */
const char *schema_format_name(const struct schema_format *format);
/* regex is for the format of that name, which fits all without it. */
bool schema_format_fits(const struct schema_format *format, const char *text,
			size_t len, const struct schema_regex *regex);

/* One each; text is valid UTF-8. */
bool schema_format_date(const char *text, size_t len);
bool schema_format_time(const char *text, size_t len);
bool schema_format_date_time(const char *text, size_t len);
bool schema_format_duration(const char *text, size_t len);
bool schema_format_email(const char *text, size_t len);
bool schema_format_idn_email(const char *text, size_t len);
bool schema_format_hostname(const char *text, size_t len);
bool schema_format_ipv4(const char *text, size_t len);
bool schema_format_ipv6(const char *text, size_t len);
bool schema_format_uri(const char *text, size_t len);
bool schema_format_uri_reference(const char *text, size_t len);
bool schema_format_iri(const char *text, size_t len);
bool schema_format_iri_reference(const char *text, size_t len);
bool schema_format_uri_template(const char *text, size_t len);
bool schema_format_uuid(const char *text, size_t len);
bool schema_format_pointer(const char *text, size_t len);
bool schema_format_relative_pointer(const char *text, size_t len);

#endif
