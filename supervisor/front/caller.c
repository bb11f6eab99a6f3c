/*
 * See caller.h. A proxy's connection carries the requests of many, so that each request
 * has its own answer to who asks; one without X-Forwarded-For is the proxy's own (it
 * looks whether we are ready), and is not taken for somebody on this machine either.
 */
#include "front/caller.h"

#include "front/http_conn.h"
#include "front/listen.h"

static struct peers *
peers_of(const struct exchange *exchange)
{
	return listener_peers(http_conn_listener(exchange->conn));
}

bool
caller_found(struct exchange *exchange)
{
	const struct trust *trust = peers_trust(peers_of(exchange));
	unsigned char address[NET_ADDRESS];

	if (!http_conn_peer(exchange->conn)->proxy ||
	    !forwarded_client(trust, exchange->head, address))
		return true;
	exchange->named = true;
	exchange->client = peers_named(peers_of(exchange), address);
	if (listener_admit(http_conn_listener(exchange->conn), &exchange->client)) {
		exchange->counted = true;
		return true;
	}
	reply_header(exchange, "Retry-After", "1");
	reply_refusal(exchange, 429, "too many requests of this address at once");
	return false;
}

void
caller_left(struct exchange *exchange)
{
	if (exchange->counted)
		peers_remove(peers_of(exchange), &exchange->client);
	exchange->counted = false;
}

const struct peer *
exchange_peer(const struct exchange *exchange)
{
	return exchange->named ? &exchange->client : http_conn_peer(exchange->conn);
}

bool
exchange_is_loopback(const struct exchange *exchange)
{
	return exchange_peer(exchange)->loopback && !forwarded_seen(exchange->head);
}

bool
exchange_is_https(const struct exchange *exchange)
{
	return http_conn_peer(exchange->conn)->proxy && forwarded_https(exchange->head);
}
