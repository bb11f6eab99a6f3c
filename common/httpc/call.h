/* One call, shared by the rooms of this folder: only its files include this. */
#ifndef HTTPC_CALL_H
#define HTTPC_CALL_H

#include <curl/curl.h>

#include "base/list.h"
#include "httpc/httpc.h"

struct http_call {
	struct httpc *httpc;
	struct list link; /* in one of httpc's lists */
	CURL *easy;
	bool added; /* to the multi handle */
	struct curl_slist *headers;
	char *body; /* the request's, copied */
	char *unix_socket;
	char error[CURL_ERROR_SIZE];
	usec_t started;

	/* What the request said that is still needed. */
	size_t reply_max;
	bool (*address_allowed)(void *context, const struct sockaddr *address);
	void *address_context;
	void (*on_data)(void *context, const char *data, size_t len);
	void (*on_head)(void *context, const struct http_response *response);
	bool *sent;
	bool head_told;
	http_done_fn *done; /* NULL once cancelled: nobody is told anything more */
	void *context;

	struct http_response response;
	size_t headers_count;
	size_t header_bytes; /* of all replies, redirects too */
	size_t body_bytes;
	struct err err; /* set where curl's own code would not tell */
};

/* http_request.c: checks the request and sets up call->easy; -1 with call->err. */
int http_request_prepare(struct http_call *call, const struct http_request *request);

/* http_address.c: sees each connection before it is made or used again. */
void http_address_guard(struct http_call *call);

/* http_reply.c: gathers the reply. */
void http_reply_gather(struct http_call *call);
void http_reply_close(struct http_call *call, CURLcode code); /* the end: url, err */
void http_reply_fini(struct http_call *call);

#endif
