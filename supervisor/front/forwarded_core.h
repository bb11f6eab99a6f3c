/*
 * Which addresses are proxies of ours (http.trusted_proxies), and what those say about
 * the client they ask for: X-Forwarded-For, X-Forwarded-Proto. Pure.
 */
#ifndef FRONT_FORWARDED_CORE_H
#define FRONT_FORWARDED_CORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/net.h"
#include "front/http_core.h"

#define FORWARDED_HOPS_MAX                                                             \
	32 /* proxies in a row; who is behind more is not looked for */

struct trust {
	struct net *nets;
	size_t count;
	bool local; /* "unix": who comes by a Unix socket */
};

/* Entries: "unix", addresses and nets; the settings have been checked. */
struct trust trust_new(char *const *entries, size_t count);
void trust_fini(struct trust *trust);
/* address NULL: a Unix socket. */
bool trust_has(const struct trust *trust, const unsigned char *address);

/* Of a request that a trusted proxy sent: the rightmost address that is no proxy's, or
 * the leftmost one when all are. Behind what is no address ("unknown") nobody is looked
 * for. false: no address is told. */
bool forwarded_client(const struct trust *trust, const struct http_head *head,
		      unsigned char out[static NET_ADDRESS]);
/* How the client spoke with the (last) proxy: "https", "http"; NULL: that is not told.
 */
const char *forwarded_scheme(const struct http_head *head);
/* Whether the request shows that a proxy sent it, whoever that was. */
bool forwarded_seen(const struct http_head *head);

#endif
