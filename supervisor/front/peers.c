/* See peers.h. Addresses that nobody comes from any more are forgotten. */
#include "front/peers.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/xalloc.h"

struct peers {
	struct map *map; /* key of a peer -> size_t */
	struct trust trust;
};

struct peers *
peers_new(struct trust *trust)
{
	struct peers *peers = xcalloc(1, sizeof *peers);

	peers->map = map_new();
	peers->trust = *trust;
	*trust = (struct trust){ 0 };
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
	trust_fini(&peers->trust);
	free(peers);
}

const struct trust *
peers_trust(const struct peers *peers)
{
	return &peers->trust;
}

/* ---- who is who ---- */

static bool
is_loopback(const unsigned char *address)
{
	static const unsigned char here[NET_ADDRESS] = { [15] = 1 };

	return net_is_v4(address) ? address[12] == 127
				  : memcmp(address, here, NET_ADDRESS) == 0;
}

/* Whoever has one IPv6 address has 2^64 of them. A proxy of ours has many clients, and
 * is not counted. */
struct peer
peers_named(const struct peers *peers, const unsigned char address[static NET_ADDRESS])
{
	struct peer peer = { .proxy = trust_has(&peers->trust, address) };
	bool v4 = net_is_v4(address);

	net_text(address, peer.address);
	memcpy(peer.key, v4 ? address + 12 : address, v4 ? 4 : 8);
	if (!peer.proxy)
		peer.key_len = v4 ? 4 : 8;
	return peer;
}

struct peer
peers_read(const struct peers *peers, const struct sockaddr_storage *from)
{
	struct peer peer = { .address = "unix" };
	unsigned char address[NET_ADDRESS];

	if (!net_sockaddr((const struct sockaddr *)from, address)) {
		peer.proxy = trust_has(&peers->trust, NULL);
		peer.loopback = !peer.proxy;
		return peer;
	}
	peer = peers_named(peers, address);
	peer.loopback = !peer.proxy && is_loopback(address);
	if (peer.loopback)
		peer.key_len = 0;
	return peer;
}

/* ---- how many ---- */

static size_t *
find(const struct peers *peers, const struct peer *peer)
{
	return peer->key_len == 0 ? NULL
				  : map_get(peers->map, peer->key, peer->key_len);
}

bool
peers_add(struct peers *peers, const struct peer *peer, size_t most)
{
	size_t *count = find(peers, peer);

	if (peer->key_len == 0)
		return true;
	if (count == NULL ? most == 0 : *count >= most)
		return false;
	if (count == NULL) {
		count = xcalloc(1, sizeof *count);
		map_put(peers->map, peer->key, peer->key_len, count);
	}
	++*count;
	return true;
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
