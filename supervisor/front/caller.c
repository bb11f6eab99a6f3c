/*
 * See caller.h. A proxy's connection carries the requests of many, so that each request
 * has its own answer to who asks; one without X-Forwarded-For is the proxy's own (it
 * looks whether we are ready), and is not taken for somebody on this machine either.
 */
#include "front/caller.h"

#include <stdio.h>
#include <string.h>

#include "front/http_conn.h"
#include "front/listen.h"
#include "front/rate_core.h"
#include "front/rates.h"

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

bool
caller_stays(struct exchange *exchange)
{
	bool counted = exchange->counted;

	exchange->counted = false;
	return counted;
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

const char *
exchange_scheme(const struct exchange *exchange)
{
	return http_conn_peer(exchange->conn)->proxy ? forwarded_scheme(exchange->head)
						     : NULL;
}

/* ---- how often ---- */

void
caller_id_of_key(const char *name, char out[static CALLER_ID_MAX])
{
	snprintf(out, CALLER_ID_MAX, "key %s", name);
}

/* All addresses of an IPv6 client's net are one. */
void
caller_id(const struct exchange *exchange, char out[static CALLER_ID_MAX])
{
	const struct peer *peer = exchange_peer(exchange);
	int len;

	if (exchange->has_key) {
		caller_id_of_key(exchange->who, out);
		return;
	}
	if (peer->key_len == 0) {
		snprintf(out, CALLER_ID_MAX, "address %s", peer->address);
		return;
	}
	len = snprintf(out, CALLER_ID_MAX, "net ");
	for (size_t i = 0; i < peer->key_len; i++)
		len += snprintf(out + len, CALLER_ID_MAX - (size_t)len, "%02x",
				peer->key[i]);
}

/* Those who watch over us are never sent away. */
static bool
is_exempt(const struct exchange *exchange)
{
	static const char *const paths[] = { "/healthz", "/readyz", "/metrics" };

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		if (strcmp(exchange->route->path, paths[i]) == 0)
			return true;
	return false;
}

bool
caller_may(struct exchange *exchange)
{
	char id[CALLER_ID_MAX], seconds[24];
	usec_t wait;

	if (exchange->front->rates == NULL || is_exempt(exchange))
		return true;
	caller_id(exchange, id);
	wait = rate_take(exchange->front, id);
	if (wait == 0)
		return true;
	snprintf(seconds, sizeof seconds, "%ld", rate_seconds(wait));
	reply_header(exchange, "Retry-After", seconds);
	reply_problem(exchange, 429, NULL, "more than %ld requests a second",
		      exchange->front->settings->http_rate_limit);
	return false;
}
