/*
 * See proxy_core.h, and proxy-protocol.txt of HAProxy. Of both addresses and ports only
 * the source is kept; the others are read, so that nonsense is noticed. What comes from
 * neither TCP nor IP (Unix sockets, UDP) is an address that is not known.
 */
#include "front/proxy_core.h"

#include <string.h>

#define V1_MAX    107 /* with CR and LF */
#define V1_FIELDS 4
#define V2_HEAD   16
#define V2_V4     12 /* two addresses, two ports */
#define V2_V6     36
#define V2_UNIX   216

static const char v1_sign[] = "PROXY ";
static const char v2_sign[] = "\r\n\r\n\0\r\nQUIT\n";

#define V1_SIGN (sizeof v1_sign - 1)
#define V2_SIGN (sizeof v2_sign - 1)

static bool
begins(const char *data, size_t len, const char *sign, size_t sign_len)
{
	return memcmp(data, sign, len < sign_len ? len : sign_len) == 0;
}

static enum proxy_verdict
bad(struct proxy_header *out, const char *why)
{
	out->why = why;
	return PROXY_BAD;
}

/* ---- version 1: a line of text ---- */

static bool
is_port(const char *text)
{
	long value = 0;
	size_t len = strlen(text);

	if (len == 0 || len > 5 || (text[0] == '0' && len > 1))
		return false;
	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (*text - '0');
	return *text == '\0' && value <= 65535;
}

/* "SOURCE DESTINATION PORT PORT", one blank between them. */
static bool
split(char *text, char *fields[static V1_FIELDS])
{
	for (int i = 0; i < V1_FIELDS; i++) {
		char *blank = strchr(text, ' ');

		if ((blank != NULL) != (i < V1_FIELDS - 1))
			return false;
		fields[i] = text;
		if (blank == NULL)
			break;
		*blank = '\0';
		text = blank + 1;
	}
	return true;
}

static enum proxy_verdict
read_addresses(char *text, bool v4, struct proxy_header *out)
{
	unsigned char destination[NET_ADDRESS];
	char *fields[V1_FIELDS];

	if (!split(text, fields))
		return bad(out, "not two addresses and two ports");
	for (int i = 0; i < 2; i++)
		if ((strchr(fields[i], ':') == NULL) != v4)
			return bad(out, "an address of the other family");
	if (!net_address(fields[0], out->source) ||
	    !net_address(fields[1], destination))
		return bad(out, "what is no address");
	if (!is_port(fields[2]) || !is_port(fields[3]))
		return bad(out, "what is no port");
	out->spoken = true;
	return PROXY_DONE;
}

static enum proxy_verdict
read_v1(const char *data, size_t len, struct proxy_header *out)
{
	const char *end = memchr(data, '\n', len < V1_MAX ? len : V1_MAX);
	char line[V1_MAX + 1] = "";
	char *rest = line + V1_SIGN;
	size_t line_len;

	if (end == NULL)
		return len < V1_MAX ? PROXY_MORE : bad(out, "a line without end");
	line_len = (size_t)(end - data);
	if (line_len <= V1_SIGN || end[-1] != '\r' || memchr(data, '\0', line_len))
		return bad(out, "a line that does not end with CR and LF");
	memcpy(line, data, line_len - 1);
	out->len = line_len + 1;
	if (strcmp(rest, "UNKNOWN") == 0 || strncmp(rest, "UNKNOWN ", 8) == 0)
		return PROXY_DONE;
	if (strncmp(rest, "TCP4 ", 5) == 0)
		return read_addresses(rest + 5, true, out);
	if (strncmp(rest, "TCP6 ", 5) == 0)
		return read_addresses(rest + 5, false, out);
	return bad(out, "a protocol other than TCP4, TCP6 and UNKNOWN");
}

/* ---- version 2: bytes ---- */

static const struct family {
	unsigned char code;   /* family, protocol */
	size_t address_least; /* bytes of the addresses */
	int source;           /* bytes of the source's; 0: not known to us */
} families[] = {
	{ 0x00, 0, 0 },       { 0x11, V2_V4, 4 }, { 0x12, V2_V4, 0 },
	{ 0x21, V2_V6, 16 },  { 0x22, V2_V6, 0 }, { 0x31, V2_UNIX, 0 },
	{ 0x32, V2_UNIX, 0 },
};

static enum proxy_verdict
read_spoken(const unsigned char *head, size_t address_len, struct proxy_header *out)
{
	const struct family *family = NULL;

	for (size_t i = 0; i < sizeof families / sizeof *families; i++)
		if (families[i].code == head[13])
			family = &families[i];
	if (family == NULL)
		return bad(out, "a family or protocol that there is none of");
	if (address_len < family->address_least)
		return bad(out, "too short for its addresses");
	if (family->source == 4)
		net_address_v4(head + V2_HEAD, out->source);
	else if (family->source == 16)
		memcpy(out->source, head + V2_HEAD, NET_ADDRESS);
	out->spoken = family->source > 0;
	return PROXY_DONE;
}

/* What stands behind the addresses (TLVs) is passed over. */
static enum proxy_verdict
read_v2(const char *data, size_t len, struct proxy_header *out)
{
	const unsigned char *head = (const unsigned char *)data;
	size_t address_len;

	if (len > 12 && head[12] != 0x20 && head[12] != 0x21)
		return bad(out, "a version other than 2, or an unknown command");
	if (len < V2_HEAD)
		return PROXY_MORE;
	address_len = (size_t)head[14] << 8 | head[15];
	if (V2_HEAD + address_len > PROXY_HEADER_MAX)
		return bad(out, "too long");
	if (len < V2_HEAD + address_len)
		return PROXY_MORE;
	out->len = V2_HEAD + address_len;
	return head[12] == 0x21 ? read_spoken(head, address_len, out) : PROXY_DONE;
}

enum proxy_verdict
proxy_parse(const char *data, size_t len, struct proxy_header *out)
{
	*out = (struct proxy_header){ 0 };
	if (len == 0)
		return PROXY_MORE;
	if (begins(data, len, v1_sign, V1_SIGN))
		return len < V1_SIGN ? PROXY_MORE : read_v1(data, len, out);
	if (begins(data, len, v2_sign, V2_SIGN))
		return len < V2_SIGN ? PROXY_MORE : read_v2(data, len, out);
	return bad(out, "no PROXY header");
}
