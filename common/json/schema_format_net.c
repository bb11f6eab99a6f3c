/* Names and addresses of hosts and people. */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "json/schema_format.h"

#define HOST_MAX  253
#define LABEL_MAX 63
#define LOCAL_MAX 64

static bool
is_label(const char *text, size_t len)
{
	if (len == 0 || len > LABEL_MAX || text[0] == '-' || text[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '-')
			return false;
	/* two hyphens there are kept for encodings, of which there is one */
	return len < 4 || text[2] != '-' || text[3] != '-' ||
	       (strncasecmp(text, "xn", 2) == 0 && len > 4);
}

bool
schema_format_hostname(const char *text, size_t len)
{
	const char *end = text + len, *dot;

	if (len == 0 || len > HOST_MAX)
		return false;
	for (;;) {
		dot = memchr(text, '.', (size_t)(end - text));
		if (dot == NULL)
			return is_label(text, (size_t)(end - text));
		if (!is_label(text, (size_t)(dot - text)))
			return false;
		text = dot + 1;
	}
}

bool
schema_format_ipv4(const char *text, size_t len)
{
	size_t at = 0;

	for (int part = 0; part < 4; part++) {
		size_t start = at;
		int value = 0;

		while (at < len && at - start < 4 && isdigit((unsigned char)text[at]))
			value = value * 10 + (text[at++] - '0');
		if (at == start || value > 255 ||
		    (text[start] == '0' && at - start > 1))
			return false;
		if (part < 3 && (at == len || text[at++] != '.'))
			return false;
	}
	return at == len;
}

bool
schema_format_ipv6(const char *text, size_t len)
{
	struct in6_addr address;

	return strlen(text) == len && inet_pton(AF_INET6, text, &address) == 1;
}

/* ---- mail ---- */

static bool
is_atom_char(char c, bool any_script)
{
	if ((unsigned char)c >= 0x80)
		return any_script;
	return isalnum((unsigned char)c) ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool
is_dotted(const char *text, size_t len, bool any_script)
{
	if (len == 0 || text[0] == '.' || text[len - 1] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] == '.' ? text[i + 1] == '.'
				   : !is_atom_char(text[i], any_script))
			return false;
	return true;
}

static bool
is_quoted(const char *text, size_t len)
{
	if (len < 2 || text[0] != '"' || text[len - 1] != '"')
		return false;
	for (size_t i = 1; i + 1 < len; i++) {
		if (text[i] == '\\' && ++i + 1 == len)
			return false;
		else if (text[i] == '"' && text[i - 1] != '\\')
			return false;
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	}
	return true;
}

/* "[127.0.0.1]", "[IPv6:::1]" */
static bool
is_literal(const char *text, size_t len)
{
	char address[60];

	if (len < 3 || len > sizeof address || text[0] != '[' || text[len - 1] != ']')
		return false;
	memcpy(address, text + 1, len - 2);
	address[len - 2] = '\0';
	if (strncasecmp(address, "IPv6:", 5) == 0)
		return schema_format_ipv6(address + 5, len - 2 - 5);
	return schema_format_ipv4(address, len - 2);
}

static bool
is_address(const char *text, size_t len, bool any_script)
{
	const char *at = memrchr(text, '@', len), *domain;
	size_t local, rest;

	if (at == NULL)
		return false;
	domain = at + 1;
	local = (size_t)(at - text);
	rest = len - local - 1;
	if (local > LOCAL_MAX ||
	    (!is_dotted(text, local, any_script) && !is_quoted(text, local)))
		return false;
	return schema_format_hostname(domain, rest) || is_literal(domain, rest) ||
	       (any_script && is_dotted(domain, rest, true));
}

bool
schema_format_email(const char *text, size_t len)
{
	return is_address(text, len, false);
}

bool
schema_format_idn_email(const char *text, size_t len)
{
	return is_address(text, len, true);
}
