/*
 * The PROXY protocol, versions 1 and 2: what a proxy says about a connection before its
 * first byte. Pure. Whether it is believed, and asked for, is decided elsewhere;
 * nothing is guessed here.
 */
#ifndef FRONT_PROXY_CORE_H
#define FRONT_PROXY_CORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/net.h"

#define PROXY_HEADER_MAX 4096 /* bytes; version 1 has at most 107 */

enum proxy_verdict {
	PROXY_MORE, /* so far it is one, the rest is to come */
	PROXY_DONE,
	PROXY_BAD, /* why says what is wrong; the connection is to be closed */
	PROXY_VERDICTS
};

struct proxy_header {
	size_t len;  /* bytes of the header; requests begin behind it */
	bool spoken; /* for somebody: source is their address. false: for the proxy
		      * itself (LOCAL), or it does not say for whom */
	unsigned char source[NET_ADDRESS];
	const char *why; /* of PROXY_BAD */
};

/* Reads what has come of a connection so far, from its first byte on. The same bytes
 * give the same verdict, however they were cut. */
enum proxy_verdict proxy_parse(const char *data, size_t len, struct proxy_header *out);

#endif
