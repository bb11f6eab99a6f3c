/*
 * Gathers what comes back, within limits, and says in our words how a call ended. Only
 * the last reply's headers count: redirects and 100 Continue come before it.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "base/xalloc.h"
#include "httpc/call.h"

#define HEADER_BYTES_MAX (256 * 1024)

struct outcome {
	CURLcode code;
	enum err_kind kind;
	const char *words; /* in front of what libcurl says */
};

/* What is not here is ERR_RETRY: the network's passing faults are the long list. */
static const struct outcome outcomes[] = {
	{ CURLE_URL_MALFORMAT, ERR_INPUT, "bad URL" },
	{ CURLE_UNSUPPORTED_PROTOCOL, ERR_INPUT, "redirected to what is not HTTP" },
	{ CURLE_TOO_MANY_REDIRECTS, ERR_INPUT, "too many redirects" },
	{ CURLE_PEER_FAILED_VERIFICATION, ERR_INPUT, "TLS" },
	{ CURLE_SSL_CACERT_BADFILE, ERR_SYSTEM, "TLS" },
	{ CURLE_SSL_CONNECT_ERROR, ERR_RETRY, "TLS" },
	{ CURLE_BAD_CONTENT_ENCODING, ERR_RETRY, "broken compression" },
	{ CURLE_OUT_OF_MEMORY, ERR_LIMIT, "a header line past the limit" },
	{ CURLE_OPERATION_TIMEDOUT, ERR_RETRY, "timeout" },
	{ CURLE_COULDNT_RESOLVE_HOST, ERR_RETRY, "name resolution" },
	{ CURLE_COULDNT_CONNECT, ERR_RETRY, "connect" },
	{ CURLE_GOT_NOTHING, ERR_RETRY, "empty reply" },
	{ CURLE_PARTIAL_FILE, ERR_RETRY, "reply cut short" },
	{ CURLE_RECV_ERROR, ERR_RETRY, "reply cut short" },
	{ CURLE_WEIRD_SERVER_REPLY, ERR_RETRY, "not HTTP" },
	{ CURLE_OK, ERR_RETRY, "call failed" }, /* the end: any other */
};

static void
drop_headers(struct http_call *call)
{
	for (size_t i = 0; i < call->headers_count; i++)
		free(call->response.headers[i]);
	call->headers_count = 0;
	if (call->response.headers != NULL)
		call->response.headers[0] = NULL;
}

static void
keep_header(struct http_call *call, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len), *value, *end = line + len;
	char *kept;

	if (colon == NULL)
		return;
	for (value = colon + 1; value < end && (*value == ' ' || *value == '\t');
	     value++)
		;
	while (end > value && strchr(" \t\r\n", end[-1]) != NULL)
		end--;
	kept =
	    xprintf("%.*s: %.*s", (int)(colon - line), line, (int)(end - value), value);
	for (char *c = kept; *c != ':' && *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	call->response.headers =
	    xrealloc(call->response.headers, call->headers_count + 2,
		     sizeof *call->response.headers);
	call->response.headers[call->headers_count++] = kept;
	call->response.headers[call->headers_count] = NULL;
}

static size_t
on_header(char *line, size_t one, size_t len, void *context)
{
	struct http_call *call = context;

	(void)one;
	call->header_bytes += len;
	if (call->done == NULL)
		return 0;
	if (call->header_bytes > HEADER_BYTES_MAX) {
		err_set(&call->err, ERR_LIMIT, "more than %d bytes of headers",
			HEADER_BYTES_MAX);
		return 0;
	}
	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0)
		drop_headers(call);
	else
		keep_header(call, line, len);
	return len;
}

static void
tell_head(struct http_call *call)
{
	long status = 0;

	if (call->head_told || call->on_head == NULL)
		return;
	call->head_told = true;
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	call->response.status = (int)status;
	call->on_head(call->context, &call->response);
}

/* The owner may cancel the call in on_data; 0 then makes libcurl give it up. */
static size_t
on_body(char *data, size_t one, size_t len, void *context)
{
	struct http_call *call = context;

	(void)one;
	if (call->done == NULL)
		return 0;
	tell_head(call);
	if (call->done == NULL)
		return 0;
	if (call->on_data != NULL) {
		call->on_data(call->context, data, len);
		return call->done != NULL ? len : 0;
	}
	if (len > call->reply_max - call->body_bytes) {
		err_set(&call->err, ERR_LIMIT, "a reply of more than %zu bytes",
			call->reply_max);
		return 0;
	}
	call->body_bytes += len;
	buf_add(&call->response.body, data, len);
	return len;
}

void
http_reply_gather(struct http_call *call)
{
	curl_easy_setopt(call->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(call->easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call);
}

/* One code of libcurl's means a forbidden redirect, and a reply as of HTTP/0.9. */
static CURLcode
told_apart(struct http_call *call, CURLcode code)
{
	long status = 0;

	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_UNSUPPORTED_PROTOCOL && status == 0)
		return CURLE_WEIRD_SERVER_REPLY;
	return code;
}

/* The words may repeat what a server sent: they are made fit for a log. */
static void
set_error(struct http_call *call, CURLcode code)
{
	const struct outcome *outcome = outcomes;
	const char *text =
	    call->error[0] != '\0' ? call->error : curl_easy_strerror(code);
	struct buf clean = { 0 };

	code = told_apart(call, code);
	while (outcome->code != CURLE_OK && outcome->code != code)
		outcome++;
	utf8_repair(text, strlen(text), &clean);
	err_set(&call->err, outcome->kind, "%s: %s", outcome->words, buf_text(&clean));
	buf_fini(&clean);
}

void
http_reply_close(struct http_call *call, CURLcode code)
{
	char *url = NULL;
	long status = 0;

	if (code != CURLE_OK) {
		if (call->err.kind == ERR_NONE)
			set_error(call, code);
		return;
	}
	err_clear(&call->err); /* one of several addresses may have been refused */
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(call->easy, CURLINFO_EFFECTIVE_URL, &url);
	call->response.status = (int)status;
	snprintf(call->response.url, sizeof call->response.url, "%s",
		 url != NULL ? url : "");
}

void
http_reply_fini(struct http_call *call)
{
	drop_headers(call);
	free(call->response.headers);
	buf_fini(&call->response.body);
}

const char *
http_header(const struct http_response *response, const char *name)
{
	size_t len = strlen(name);

	for (char **header = response->headers; header != NULL && *header != NULL;
	     header++)
		if (strncasecmp(*header, name, len) == 0 && (*header)[len] == ':')
			return *header + len + 2;
	return NULL;
}
