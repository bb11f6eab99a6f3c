/*
 * The listening sockets and all connections. Accepts by itself, so that neither too
 * many connections nor too few descriptors can make it spin or fall silent: what cannot
 * be served is told so with 503, and the longest idle connection makes room for a new
 * one.
 */
#ifndef FRONT_LISTEN_H
#define FRONT_LISTEN_H

#include <stddef.h>
#include <stdint.h>

#include "front/front.h"
#include "front/http_conn.h"
#include "front/http_stats.h"
#include "front/router.h"

struct listen_conf {
	const int
	    *fds; /* listening sockets, non-blocking; they become the listener's */
	size_t fds_count;
	const struct route *const *tables; /* ended by NULL */
	/* Of one address (of one /64); 0: half of http.connections_max. Connections
	 * from this machine are not counted. */
	size_t per_address_max;
	bool shut; /* nobody is taken until listener_open */
};

struct listen_stats {
	uint64_t accepted, refused, evicted;
	size_t open, idle;
};

struct listener *listener_new(struct front *front, const struct listen_conf *conf,
			      struct err *err);
/* Closes all connections at once. Handlers without state that did not answer never may
 * afterwards: what would call them back must be gone. */
void listener_free(struct listener **listener_p);
void listener_open(struct listener *listener);
/* Takes no new connection, ends the others as they become idle, long polls and streams
 * at once. last: nobody will accept from these sockets any more, so that who has come
 * already is still served; else they wait for whoever is next. done comes when no
 * connection is left. Once only. */
void listener_drain(struct listener *listener, bool last, loop_fn *done, void *context);
struct listen_stats listener_counts(const struct listener *listener);
struct http_stats *listener_stats(struct listener *listener); /* the listener's */

/* ---- for connections ---- */

struct front *listener_front(const struct listener *listener);
const struct router *listener_router(const struct listener *listener);
const char *listener_date(struct listener *listener); /* as the header Date has it */
#define LISTEN_REQUEST_ID 30                          /* with the NUL */
void listener_request_id(struct listener *listener, char out[static LISTEN_REQUEST_ID]);
struct peers *listener_peers(struct listener *listener);
/* A trusted proxy did not begin as it should. */
void listener_misunderstood(struct listener *listener, const char *address,
			    const char *why);
/* One more from there. false: there are too many (peers_remove otherwise, later). */
bool listener_admit(struct listener *listener, const struct peer *peer);
void listener_idle(struct listener *listener, struct http_conn *conn, bool idle);
void listener_closed(struct listener *listener, struct http_conn *conn);
/* A closed connection that a handler still holds, and its end. */
void listener_keep(struct listener *listener, struct http_conn *conn);

#endif
