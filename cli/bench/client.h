/*
 * A kept connection to the server that is measured, one request at a time. It does as
 * little as can be done, so that what is measured is the server: plain HTTP/1.1, bodies
 * with a length. For the load of `stepmill bench` only; all else asks through httpc.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <stddef.h>

#include "base/err.h"
#include "loop/loop.h"

struct client;

/* Where to: looked up once, for all clients. */
struct client_address;

/* base: "http://host[:port]"; or a socket's path. ERR_INPUT: it is no such URL. */
struct client_address *client_address_new(const char *base, const char *socket,
					  struct err *err);
void client_address_free(struct client_address **address_p);
const char *client_host(const struct client_address *address); /* for the header Host */

/* status 0: err says why there is no answer. body is valid during the call only. */
typedef void client_done_fn(void *context, int status, const char *body, size_t len,
			    const struct err *err);

/* address is borrowed. Connects when it first has something to send. */
struct client *client_new(struct loop *loop, const struct client_address *address,
			  client_done_fn *done, void *context);
void client_free(struct client **client_p);
/* A whole request. done comes on a later turn. */
void client_send(struct client *client, const char *request, size_t len);

#endif
