/*
 * Who stands behind a request: the other end of the connection, or whom a trusted proxy
 * asks for. What is logged, counted and limited is that one.
 */
#ifndef FRONT_CALLER_H
#define FRONT_CALLER_H

#include <stdbool.h>

#include "front/exchange.h"
#include "front/peers.h"

#define CALLER_ID_MAX (EXCHANGE_WHO_MAX + 16)

/* The head is there. false: too many requests of that address are in work, and 429 was
 * answered. */
bool caller_found(struct exchange *exchange);
void caller_left(struct exchange *exchange); /* the request is over; may come twice */
/* The connection becomes theirs alone (a WebSocket): true when exchange_peer was
 * counted, and is to be counted on as the connection's peer. */
bool caller_stays(struct exchange *exchange);

const struct peer *exchange_peer(const struct exchange *exchange);
/* Somebody on this machine, and no proxy in between as far as can be seen. */
bool exchange_is_loopback(const struct exchange *exchange);
/* How the client speaks with the proxy: "https", "http"; NULL: no trusted proxy tells.
 */
const char *exchange_scheme(const struct exchange *exchange);

/* Whose requests are counted together, for rate_take: a key, else an address. */
void caller_id(const struct exchange *exchange, char out[static CALLER_ID_MAX]);
void caller_id_of_key(const char *name, char out[static CALLER_ID_MAX]);
/* May they have one more now? false: no, and 429 was answered. */
bool caller_may(struct exchange *exchange);

#endif
