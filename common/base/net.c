/* See net.h. inet_pton reads no octal and no shortened forms, which is what is wanted.
 */
#include "base/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define MAPPED_BITS 96

static const unsigned char mapped[NET_ADDRESS] = { [10] = 0xff, 0xff };

void
net_address_v4(const unsigned char *bytes, unsigned char out[static NET_ADDRESS])
{
	memcpy(out, mapped, 12);
	memcpy(out + 12, bytes, 4);
}

bool
net_address(const char *text, unsigned char out[static NET_ADDRESS])
{
	unsigned char v4[4];

	if (inet_pton(AF_INET, text, v4) != 1)
		return inet_pton(AF_INET6, text, out) == 1;
	net_address_v4(v4, out);
	return true;
}

bool
net_is_v4(const unsigned char address[static NET_ADDRESS])
{
	return memcmp(address, mapped, MAPPED_BITS / 8) == 0;
}

bool
net_sockaddr(const struct sockaddr *from, unsigned char out[static NET_ADDRESS])
{
	const struct sockaddr_in *in = (const void *)from;
	const struct sockaddr_in6 *in6 = (const void *)from;

	if (from->sa_family == AF_INET)
		net_address_v4((const void *)&in->sin_addr, out);
	else if (from->sa_family == AF_INET6)
		memcpy(out, in6->sin6_addr.s6_addr, NET_ADDRESS);
	return from->sa_family == AF_INET || from->sa_family == AF_INET6;
}

const char *
net_text(const unsigned char address[static NET_ADDRESS], char out[static NET_TEXT])
{
	bool v4 = net_is_v4(address);

	return inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? address + 12 : address, out,
			 NET_TEXT);
}

/* Digits only; -1: no number, or more than most. */
static int
read_bits(const char *text, int most)
{
	int value = 0, digits = 0;

	for (; text[digits] >= '0' && text[digits] <= '9' && digits < 4; digits++)
		value = value * 10 + (text[digits] - '0');
	return digits > 0 && text[digits] == '\0' && value <= most ? value : -1;
}

bool
net_parse(const char *text, struct net *out)
{
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	char address[NET_TEXT] = "";
	int before;

	if (len >= sizeof address)
		return false;
	memcpy(address, text, len);
	if (!net_address(address, out->base))
		return false;
	before = strchr(address, ':') == NULL ? MAPPED_BITS : 0;
	out->bits = 128 - before;
	if (slash != NULL)
		out->bits = read_bits(slash + 1, out->bits);
	if (out->bits < 0)
		return false;
	out->bits += before;
	return true;
}

bool
net_has(const struct net *net, const unsigned char address[static NET_ADDRESS])
{
	int bytes = net->bits / 8, rest = net->bits % 8;

	if (net->bits < MAPPED_BITS && net_is_v4(address))
		return false;
	if (memcmp(address, net->base, (size_t)bytes) != 0)
		return false;
	return rest == 0 || (address[bytes] ^ net->base[bytes]) >> (8 - rest) == 0;
}
