/* Where connections come from, and how many from each address. */
#ifndef FRONT_PEERS_H
#define FRONT_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct peer {
	char address[64];      /* "192.0.2.7", "unix" */
	unsigned char key[16]; /* what is counted: IPv4, or the /64 of IPv6 */
	size_t key_len;        /* 0: not counted */
	bool loopback;         /* this machine: loopback or a Unix socket */
};

struct peers;

struct peer peer_read(const struct sockaddr_storage *from);

struct peers *peers_new(void);
void peers_free(struct peers **peers_p);
void peers_add(struct peers *peers, const struct peer *peer);
void peers_remove(struct peers *peers, const struct peer *peer);
size_t peers_count(const struct peers *peers, const struct peer *peer);

#endif
