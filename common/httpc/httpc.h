/*
 * The one door to libcurl: HTTP requests on the loop, one request a handle. Only http
 * and https, no proxy from the environment, and an address guard that sees each real
 * address before a connection is made (after DNS, on redirects too).
 */
#ifndef HTTPC_HTTPC_H
#define HTTPC_HTTPC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/usec.h"
#include "loop/loop.h"

struct httpc;
struct http_call;
struct http_response;

struct http_request {
	const char *method; /* "GET" */
	const char *url;
	const char *const *headers; /* "Name: value", NULL-terminated; or NULL */
	const void *body;           /* copied */
	size_t body_len;
	bool body_stays;  /* it need not be copied: it lasts until the call is over */
	usec_t timeout;   /* of the whole call; 0: none */
	size_t reply_max; /* bytes of body kept, after decompression; more: ERR_LIMIT */
	bool follow_redirects;   /* at most 10, http and https only */
	const char *unix_socket; /* or NULL: connect there instead */
	/* May this address be called? NULL: all may. Called for each connection. */
	bool (*address_allowed)(void *context, const struct sockaddr *address);
	void *address_context;
	/* The body in pieces as it comes (streams); then reply->body stays empty. Or
	 * NULL. */
	void (*on_data)(void *context, const char *data, size_t len);
	/* Of streams: status and headers, before the first piece. Or NULL. */
	void (*on_head)(void *context, const struct http_response *response);
	bool *sent; /* becomes true before the first byte of it goes out; or NULL.
		       Lasts until the call is over */
};

struct http_response {
	int status;
	char **headers; /* "name: value", names in lower case, NULL-terminated; last
			   reply's */
	struct buf body;
	char url[2048]; /* after redirects */
	usec_t duration;
};

/* response is NULL when there was none; err says why (ERR_RETRY for what may pass,
 * ERR_INPUT for a bad URL, ERR_DENIED for a refused address, ERR_LIMIT for a reply past
 * reply_max). Both are valid during the callback only. */
typedef void http_done_fn(void *context, const struct http_response *response,
			  const struct err *err);

struct httpc *httpc_new(struct loop *loop, struct err *err);
void httpc_free(struct httpc **httpc_p); /* cancels what is under way */
struct http_call *httpc_send(struct httpc *httpc, const struct http_request *request,
			     http_done_fn *done, void *context);
void http_call_cancel(struct http_call **call_p); /* done will not come */
const char *http_header(const struct http_response *response, const char *name);

#endif
