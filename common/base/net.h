/*
 * Addresses of the Internet and nets of them. Both families have one form of 16 bytes:
 * an IPv4 address is written as IPv4-mapped, so that ::ffff:192.0.2.1 and 192.0.2.1 are
 * the same. Names and zones (%eth0) are not read.
 */
#ifndef BASE_NET_H
#define BASE_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define NET_ADDRESS 16 /* bytes of an address */
#define NET_TEXT    46 /* of one as text, with the NUL */

struct net {
	unsigned char base[NET_ADDRESS];
	int bits; /* of the 128 */
};

/* "192.0.2.7", "2001:db8::1". false: it is neither. */
bool net_address(const char *text, unsigned char out[static NET_ADDRESS]);
/* The four bytes of an IPv4 address. */
void net_address_v4(const unsigned char *bytes, unsigned char out[static NET_ADDRESS]);
bool net_is_v4(const unsigned char address[static NET_ADDRESS]);
/* false: no address of the Internet (a Unix socket). */
bool net_sockaddr(const struct sockaddr *from, unsigned char out[static NET_ADDRESS]);
const char *net_text(const unsigned char address[static NET_ADDRESS],
		     char out[static NET_TEXT]);

/* An address, alone or with "/BITS". false: it is none. */
bool net_parse(const char *text, struct net *out);
/* A net of IPv6 does not mean the IPv4 addresses that stand inside its form. */
bool net_has(const struct net *net, const unsigned char address[static NET_ADDRESS]);

#endif
