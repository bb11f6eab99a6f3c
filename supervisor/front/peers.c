/* See peers.h. Addresses that nobody comes from any more are forgotten. */
#include "front/peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/xalloc.h"

struct peers {
	struct map *map; /* key of a peer -> size_t */
};

static void
read_ipv4(const struct in_addr *address, struct peer *peer)
{
	inet_ntop(AF_INET, address, peer->address, sizeof peer->address);
	memcpy(peer->key, address, 4);
	peer->loopback = peer->key[0] == 127;
	peer->key_len = peer->loopback ? 0 : 4;
}

/* Whoever has one IPv6 address has 2^64 of them. */
static void
read_ipv6(const struct in6_addr *address, struct peer *peer)
{
	struct in_addr mapped;

	if (IN6_IS_ADDR_V4MAPPED(address)) {
		memcpy(&mapped, address->s6_addr + 12, 4);
		read_ipv4(&mapped, peer);
		return;
	}
	inet_ntop(AF_INET6, address, peer->address, sizeof peer->address);
	memcpy(peer->key, address, 8);
	peer->loopback = IN6_IS_ADDR_LOOPBACK(address);
	peer->key_len = peer->loopback ? 0 : 8;
}

struct peer
peer_read(const struct sockaddr_storage *from)
{
	struct peer peer = { .address = "unix" };

	if (from->ss_family == AF_INET)
		read_ipv4(&((const struct sockaddr_in *)from)->sin_addr, &peer);
	else if (from->ss_family == AF_INET6)
		read_ipv6(&((const struct sockaddr_in6 *)from)->sin6_addr, &peer);
	else
		peer.loopback = true;
	return peer;
}

struct peers *
peers_new(void)
{
	struct peers *peers = xcalloc(1, sizeof *peers);

	peers->map = map_new();
	return peers;
}

void
peers_free(struct peers **peers_p)
{
	struct peers *peers = *peers_p;

	if (peers == NULL)
		return;
	*peers_p = NULL;
	map_free(&peers->map, free);
	free(peers);
}

static size_t *
find(const struct peers *peers, const struct peer *peer)
{
	return peer->key_len == 0 ? NULL
				  : map_get(peers->map, peer->key, peer->key_len);
}

void
peers_add(struct peers *peers, const struct peer *peer)
{
	size_t *count = find(peers, peer);

	if (peer->key_len == 0)
		return;
	if (count == NULL) {
		count = xcalloc(1, sizeof *count);
		map_put(peers->map, peer->key, peer->key_len, count);
	}
	++*count;
}

void
peers_remove(struct peers *peers, const struct peer *peer)
{
	size_t *count = find(peers, peer);

	if (count == NULL || --*count > 0)
		return;
	map_remove(peers->map, peer->key, peer->key_len);
	free(count);
}

size_t
peers_count(const struct peers *peers, const struct peer *peer)
{
	const size_t *count = find(peers, peer);

	return count != NULL ? *count : 0;
}
