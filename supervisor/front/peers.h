/*
 * Where requests come from: the other end of a connection, or whom a trusted proxy
 * names; and how many are there from each address at the moment.
 */
#ifndef FRONT_PEERS_H
#define FRONT_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "front/forwarded_core.h"

struct peer {
	char address[64];     /* "192.0.2.7", "unix" */
	unsigned char key[8]; /* what is counted: IPv4, or the /64 of IPv6 */
	size_t key_len;       /* 0: not counted */
	bool proxy;           /* a trusted one: it asks for others */
	bool loopback;        /* this machine, and no proxy: loopback, Unix socket */
};

struct peers;

/* trust: taken. */
struct peers *peers_new(struct trust *trust);
void peers_free(struct peers **peers_p);
const struct trust *peers_trust(const struct peers *peers);

/* The other end of a connection. */
struct peer peers_read(const struct peers *peers, const struct sockaddr_storage *from);
/* Whom a proxy names: never local, wherever that is. */
struct peer peers_named(const struct peers *peers,
			const unsigned char address[static NET_ADDRESS]);

/* One more from there, unless there are that many; then false, and none was added. */
bool peers_add(struct peers *peers, const struct peer *peer, size_t most);
void peers_remove(struct peers *peers, const struct peer *peer);
size_t peers_count(const struct peers *peers, const struct peer *peer);

#endif
