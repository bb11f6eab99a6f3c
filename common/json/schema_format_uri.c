/* URIs, IRIs and URI templates by the grammars of RFC 3986, 3987 and 6570. */
#include <ctype.h>
#include <string.h>

#include "base/hex.h"
#include "json/schema_format.h"

#define SUB_DELIMS "!$&'()*+,;="
#define PATH_CHARS "-._~" SUB_DELIMS ":@/"

/* Letters, digits, those of also, %41; beyond ASCII where that is allowed. */
static bool
is_made_of(const char *text, size_t len, const char *also, bool wide)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '%') {
			if (i + 2 >= len || hex_value(text[i + 1]) < 0 ||
			    hex_value(text[i + 2]) < 0)
				return false;
			i += 2;
		} else if ((unsigned char)text[i] >= 0x80) {
			if (!wide)
				return false;
		} else if (!isalnum((unsigned char)text[i]) &&
			   (text[i] == '\0' || strchr(also, text[i]) == NULL)) {
			return false;
		}
	}
	return true;
}

static size_t
span_until(const char *text, size_t len, const char *ends)
{
	size_t at = 0;

	while (at < len && (text[at] == '\0' || strchr(ends, text[at]) == NULL))
		at++;
	return at;
}

/* "[::1]", "[v1.x]" */
static bool
is_bracketed(const char *text, size_t len)
{
	char address[60];

	if (len < 3 || text[len - 1] != ']')
		return false;
	if (text[1] == 'v' || text[1] == 'V')
		return is_made_of(text + 1, len - 2, "-._~" SUB_DELIMS ":", false);
	if (len > sizeof address)
		return false;
	memcpy(address, text + 1, len - 2);
	address[len - 2] = '\0';
	return schema_format_ipv6(address, len - 2);
}

static bool
is_authority(const char *text, size_t len, bool wide)
{
	const char *at = memrchr(text, '@', len);
	size_t user = at != NULL ? (size_t)(at - text) : 0, host, port;

	if (!is_made_of(text, user, "-._~" SUB_DELIMS ":", wide))
		return false;
	if (at != NULL) {
		text += user + 1;
		len -= user + 1;
	}
	host = len > 0 && text[0] == '[' ? span_until(text, len, "]") + 1
					 : span_until(text, len, ":");
	if (host > len)
		return false;
	if (len > 0 && text[0] == '['
		? !is_bracketed(text, host)
		: !is_made_of(text, host, "-._~" SUB_DELIMS, wide))
		return false;
	if (host == len)
		return true;
	for (port = host + 1; port < len; port++)
		if (!isdigit((unsigned char)text[port]))
			return false;
	return text[host] == ':';
}

/* From the authority or the path on. */
static bool
is_hierarchy(const char *text, size_t len, bool wide)
{
	size_t part = span_until(text, len, "?#");
	size_t authority;

	if (part >= 2 && text[0] == '/' && text[1] == '/') {
		authority = span_until(text + 2, part - 2, "/");
		if (!is_authority(text + 2, authority, wide) ||
		    !is_made_of(text + 2 + authority, part - 2 - authority, PATH_CHARS,
				wide))
			return false;
	} else if (!is_made_of(text, part, PATH_CHARS, wide)) {
		return false;
	}
	text += part;
	len -= part;
	part = span_until(text, len, "#");
	if (!is_made_of(text, part, PATH_CHARS "?", wide))
		return false;
	return part == len ||
	       is_made_of(text + part + 1, len - part - 1, PATH_CHARS "?", wide);
}

static size_t
scheme_len(const char *text, size_t len)
{
	size_t at = 0;

	while (at < len && (isalnum((unsigned char)text[at]) || text[at] == '+' ||
			    text[at] == '-' || text[at] == '.'))
		at++;
	if (at == 0 || at == len || text[at] != ':' || !isalpha((unsigned char)text[0]))
		return 0;
	return at;
}

static bool
is_absolute(const char *text, size_t len, bool wide)
{
	size_t scheme = scheme_len(text, len);

	return scheme > 0 && is_hierarchy(text + scheme + 1, len - scheme - 1, wide);
}

/* The first segment of a relative path has no colon: it would be a scheme. */
static bool
is_reference(const char *text, size_t len, bool wide)
{
	size_t first = span_until(text, len, "/?#");

	if (scheme_len(text, len) > 0)
		return is_absolute(text, len, wide);
	return memchr(text, ':', first) == NULL && is_hierarchy(text, len, wide);
}

bool
schema_format_uri(const char *text, size_t len)
{
	return is_absolute(text, len, false);
}

bool
schema_format_uri_reference(const char *text, size_t len)
{
	return is_reference(text, len, false);
}

bool
schema_format_iri(const char *text, size_t len)
{
	return is_absolute(text, len, true);
}

bool
schema_format_iri_reference(const char *text, size_t len)
{
	return is_reference(text, len, true);
}

/* "{+path,x*,y:3}" without its braces */
static bool
is_expression(const char *text, size_t len)
{
	size_t at = 0, name;

	if (len > 0 && text[0] != '\0' && strchr("+#./;?&=,!@|", text[0]) != NULL)
		at = 1;
	for (;;) {
		name = span_until(text + at, len - at, ",:*");
		if (name == 0 || !is_made_of(text + at, name, "_.", false))
			return false;
		at += name;
		if (at < len && text[at] == '*') {
			at++;
		} else if (at < len && text[at] == ':') {
			size_t digits = ++at;

			while (at < len && isdigit((unsigned char)text[at]))
				at++;
			if (at == digits || at - digits > 4)
				return false;
		}
		if (at == len)
			return true;
		if (text[at++] != ',')
			return false;
	}
}

bool
schema_format_uri_template(const char *text, size_t len)
{
	size_t end;

	for (size_t at = 0; at < len; at++) {
		if (text[at] == '{') {
			end = span_until(text + at + 1, len - at - 1, "}");
			if (at + 1 + end == len || !is_expression(text + at + 1, end))
				return false;
			at += 1 + end;
		} else if ((unsigned char)text[at] <= ' ' || text[at] == '}' ||
			   strchr("\"'<>\\^`|", text[at]) != NULL) {
			return false;
		}
	}
	return true;
}
