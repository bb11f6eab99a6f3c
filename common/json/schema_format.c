/* The formats by name, and the small ones: UUIDs and JSON pointers. */
#include "json/schema_format.h"

#include <string.h>

#include "base/hex.h"

struct schema_format {
	const char *name;
	bool (*fits)(const char *text, size_t len); /* NULL: a pattern */
};

static const struct schema_format formats[] = {
	{ "date-time", schema_format_date_time },
	{ "date", schema_format_date },
	{ "time", schema_format_time },
	{ "duration", schema_format_duration },
	{ "email", schema_format_email },
	{ "idn-email", schema_format_idn_email },
	{ "hostname", schema_format_hostname },
	{ "ipv4", schema_format_ipv4 },
	{ "ipv6", schema_format_ipv6 },
	{ "uri", schema_format_uri },
	{ "uri-reference", schema_format_uri_reference },
	{ "iri", schema_format_iri },
	{ "iri-reference", schema_format_iri_reference },
	{ "uri-template", schema_format_uri_template },
	{ "uuid", schema_format_uuid },
	{ "json-pointer", schema_format_pointer },
	{ "relative-json-pointer", schema_format_relative_pointer },
	{ "regex", NULL },
};

const struct schema_format *
schema_format_find(const char *name)
{
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

const char *
schema_format_name(const struct schema_format *format)
{
	return format->name;
}

static bool
is_pattern(const char *text, size_t len, const struct schema_regex *engine)
{
	struct err err = { 0 };
	void *regex = engine->compile(text, len, &err);

	if (regex != NULL)
		engine->free(regex);
	return regex != NULL;
}

bool
schema_format_fits(const struct schema_format *format, const char *text, size_t len,
		   const struct schema_regex *regex)
{
	if (format->fits != NULL)
		return format->fits(text, len);
	return regex == NULL || is_pattern(text, len, regex);
}

/* 8-4-4-4-12 digits in hexadecimal, of any version. */
bool
schema_format_uuid(const char *text, size_t len)
{
	if (len != 36)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : hex_value(text[i]) < 0)
			return false;
	}
	return true;
}

bool
schema_format_pointer(const char *text, size_t len)
{
	if (len > 0 && text[0] != '/')
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] == '~' &&
		    (i + 1 == len || (text[i + 1] != '0' && text[i + 1] != '1')))
			return false;
	return true;
}

/* "2/a/b", "0#" */
bool
schema_format_relative_pointer(const char *text, size_t len)
{
	size_t digits = 0;

	while (digits < len && text[digits] >= '0' && text[digits] <= '9')
		digits++;
	if (digits == 0 || (digits > 1 && text[0] == '0'))
		return false;
	if (len - digits == 1 && text[digits] == '#')
		return true;
	return schema_format_pointer(text + digits, len - digits);
}
