/*
 * Addresses of IPv4 and IPv6 against tables of what is not public. An IPv6 address that
 * carries an IPv4 address inside is judged by that one. Not for names: whoever asks has
 * them resolved.
 */
#include "address_core.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/net.h"

struct net4 {
	uint32_t base;
	int bits;
	const char *what;
};

#define V4(a, b, c, d)                                                                 \
	((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* IANA's registry of special addresses; what is not globally reachable. */
static const struct net4 refused4[] = {
	{ V4(0, 0, 0, 0), 8, "this host" },
	{ V4(10, 0, 0, 0), 8, "private" },
	{ V4(100, 64, 0, 0), 10, "shared (carrier NAT)" },
	{ V4(127, 0, 0, 0), 8, "loopback" },
	{ V4(169, 254, 0, 0), 16, "link-local (metadata services)" },
	{ V4(172, 16, 0, 0), 12, "private" },
	{ V4(192, 0, 0, 0), 24, "reserved" },
	{ V4(192, 0, 2, 0), 24, "documentation" },
	{ V4(192, 88, 99, 0), 24, "reserved" },
	{ V4(192, 168, 0, 0), 16, "private" },
	{ V4(198, 18, 0, 0), 15, "benchmarking" },
	{ V4(198, 51, 100, 0), 24, "documentation" },
	{ V4(203, 0, 113, 0), 24, "documentation" },
	{ V4(224, 0, 0, 0), 4, "multicast" },
	{ V4(240, 0, 0, 0), 4, "reserved" },
};

struct net6 {
	struct net net;
	int embedded; /* where an IPv4 address stands in it; 0: nowhere */
	const char *what;
};

/* The first that fits decides. */
static const struct net6 known6[] = {
	{ { { [15] = 1 }, 128 }, 0, "loopback" },
	{ { { 0 }, 128 }, 0, "this host" },
	{ { { [10] = 0xff, 0xff }, 96 }, 12, NULL },   /* IPv4-mapped */
	{ { { 0, 0x64, 0xff, 0x9b }, 96 }, 12, NULL }, /* NAT64 */
	{ { { 0, 0x64, 0xff, 0x9b, 0, 1 }, 48 }, 0, "private (NAT64)" },
	{ { { 0x20, 0x02 }, 16 }, 2, NULL }, /* 6to4 */
	{ { { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, 0, "documentation" },
	{ { { 0x20, 0x01 }, 23 }, 0, "reserved" }, /* Teredo and others */
	{ { { 0x3f, 0xff }, 20 }, 0, "documentation" },
	{ { { 0x20 }, 3 }, 0, NULL }, /* public */
	{ { { 0xfc }, 7 }, 0, "private" },
	{ { { 0xfe, 0x80 }, 10 }, 0, "link-local" },
	{ { { 0xfe, 0xc0 }, 10 }, 0, "private" },
	{ { { 0xff }, 8 }, 0, "multicast" },
	{ { { 0 }, 0 }, 0, "reserved" }, /* all the rest */
};

static const char *
refusal4(const unsigned char *address)
{
	uint32_t value = V4(address[0], address[1], address[2], address[3]);

	for (size_t i = 0; i < sizeof refused4 / sizeof refused4[0]; i++)
		if ((value ^ refused4[i].base) >> (32 - refused4[i].bits) == 0)
			return refused4[i].what;
	return NULL;
}

static const char *
refusal6(const unsigned char *address)
{
	for (size_t i = 0; i < sizeof known6 / sizeof known6[0]; i++) {
		if (!net_has(&known6[i].net, address))
			continue;
		if (known6[i].embedded > 0)
			return refusal4(address + known6[i].embedded);
		return known6[i].what;
	}
	return "reserved";
}

const char *
address_refusal(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return refusal4((const unsigned char *)&(
				    (const struct sockaddr_in *)(const void *)address)
				    ->sin_addr);
	if (address->sa_family == AF_INET6)
		return refusal6(((const struct sockaddr_in6 *)(const void *)address)
				    ->sin6_addr.s6_addr);
	return "no address of the Internet";
}

/* ---- the list of what is allowed ---- */

struct allowed {
	struct net net;
	int port; /* 0: any */
};

static int
parse_number(const char *text, int most, int *out)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || value > most)
		return -1;
	*out = (int)value;
	return 0;
}

/* Takes the port off the end: "[::1]:80", "1.2.3.4:80", "localhost:80"; not off "::1".
 */
static int
split_port(char *text, char **host, int *port)
{
	char *colon = strrchr(text, ':'), *close = strrchr(text, ']');

	*host = text;
	*port = 0;
	if (text[0] == '[') {
		if (close == NULL || (close[1] != '\0' && close[1] != ':'))
			return -1;
		colon = close[1] == ':' ? close + 1 : NULL;
		*close = '\0';
		*host = text + 1;
	} else if (colon != NULL && strchr(text, ':') != colon) {
		return 0; /* several colons: an IPv6 address without a port */
	}
	if (colon == NULL)
		return 0;
	*colon = '\0';
	return parse_number(colon + 1, 65535, port) < 0 || *port == 0 ? -1 : 0;
}

/* One entry as at most two nets; how many, or -1. */
static int
parse_entry(const char *entry, struct allowed nets[static 2])
{
	char text[80], *host;
	int port;

	if (strlen(entry) >= sizeof text)
		return -1;
	strcpy(text, entry);
	if (split_port(text, &host, &port) < 0)
		return -1;
	nets[0].port = nets[1].port = port;
	if (strcmp(host, "localhost") != 0)
		return net_parse(host, &nets[0].net) ? 1 : -1;
	net_parse("127.0.0.0/8", &nets[0].net);
	net_parse("::1", &nets[1].net);
	return 2;
}

int
address_entry_check(const char *entry, struct err *err)
{
	struct allowed nets[2];

	if (parse_entry(entry, nets) > 0)
		return 0;
	return err_set(err, ERR_INPUT,
		       "\"%.100s\" is not an address like 10.0.0.5, 10.0.0.0/8, "
		       "localhost or [::1]:8080",
		       entry);
}

static int
port_of(const struct sockaddr *address)
{
	const struct sockaddr_in *in = (const void *)address;
	const struct sockaddr_in6 *in6 = (const void *)address;

	return ntohs(address->sa_family == AF_INET ? in->sin_port : in6->sin6_port);
}

bool
address_allowed(const struct sockaddr *address, char *const *allow, size_t count)
{
	unsigned char bytes[NET_ADDRESS];
	struct allowed nets[2];
	int port, parsed;

	if (address_refusal(address) == NULL)
		return true;
	if (!net_sockaddr(address, bytes))
		return false;
	port = port_of(address);
	for (size_t i = 0; i < count; i++) {
		parsed = parse_entry(allow[i], nets);
		for (int n = 0; n < parsed; n++)
			if (net_has(&nets[n].net, bytes) &&
			    (nets[n].port == 0 || nets[n].port == port))
				return true;
	}
	return false;
}

char *
address_format(const struct sockaddr *address, char *out, size_t size)
{
	char text[INET6_ADDRSTRLEN] = "?";

	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)address;

		inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
		snprintf(out, size, "%s:%d", text, ntohs(in->sin_port));
	} else if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)address;

		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
		snprintf(out, size, "[%s]:%d", text, ntohs(in6->sin6_port));
	} else {
		snprintf(out, size, "family %d", address->sa_family);
	}
	return out;
}
