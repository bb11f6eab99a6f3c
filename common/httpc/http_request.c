/*
 * What was asked for -> libcurl's options. libcurl sends header lines and methods as
 * they are, line breaks included, so all of it is checked here first.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"
#include "httpc/call.h"

#define URL_MAX         8192
#define METHOD_MAX      32
#define HEADERS_MAX     200
#define HEADER_LINE_MAX 16384
#define REDIRECTS_MAX   10L
#define CONNECT_TIMEOUT (30 * USEC_SECOND)
#define TOKEN                                                                          \
	"!#$%&'*+-.^_`|~0123456789"                                                    \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static int
check_method(const char *method, struct err *err)
{
	size_t len = strlen(method);

	if (len > 0 && len <= METHOD_MAX && strspn(method, TOKEN) == len)
		return 0;
	return err_set(err, ERR_INPUT, "the method is none");
}

static int
check_url(const char *url, struct err *err)
{
	if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
		return err_set(err, ERR_INPUT,
			       "the URL has to begin with http:// or https://");
	if (strlen(url) > URL_MAX)
		return err_set(err, ERR_LIMIT, "the URL is longer than %d bytes",
			       URL_MAX);
	for (const char *c = url; *c != '\0'; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return err_set(
			    err, ERR_INPUT,
			    "the URL has a space or control character in it");
	return 0;
}

static bool
has_name(const char *line, const char *name)
{
	size_t len = strlen(name);

	return strncasecmp(line, name, len) == 0 && line[len] == ':';
}

static int
check_header(const char *line, struct err *err)
{
	size_t name_len = strspn(line, TOKEN);

	if (name_len == 0 || line[name_len] != ':')
		return err_set(err, ERR_INPUT, "a header is not \"Name: value\"");
	if (strlen(line) > HEADER_LINE_MAX)
		return err_set(err, ERR_LIMIT, "header %.*s is longer than %d bytes",
			       (int)(name_len < 60 ? name_len : 60), line,
			       HEADER_LINE_MAX);
	for (const char *c = line; *c != '\0'; c++)
		if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
			return err_set(err, ERR_INPUT,
				       "header %.*s has a control character in it",
				       (int)(name_len < 60 ? name_len : 60), line);
	if (has_name(line, "Transfer-Encoding"))
		return err_set(err, ERR_INPUT,
			       "header Transfer-Encoding is ours to set");
	return 0;
}

static void
append(struct http_call *call, const char *line)
{
	struct curl_slist *list = curl_slist_append(call->headers, line);

	if (list == NULL)
		bug("out of memory for a header");
	call->headers = list;
}

/* libcurl takes "Name:" for "leave it out"; an empty value is written "Name;". The
 * length is counted by libcurl: a wrong one would shift the next request on the
 * connection. */
static void
add_header(struct http_call *call, const char *line)
{
	const char *colon = strchr(line, ':');
	char *empty;

	if (has_name(line, "Content-Length"))
		return;
	if (colon[1 + strspn(colon + 1, " \t")] != '\0') {
		append(call, line);
		return;
	}
	empty = xprintf("%.*s;", (int)(colon - line), line);
	append(call, empty);
	free(empty);
}

static bool
gives(const char *const *headers, const char *name)
{
	for (; headers != NULL && *headers != NULL; headers++)
		if (has_name(*headers, name))
			return true;
	return false;
}

static int
add_headers(struct http_call *call, const struct http_request *request)
{
	const char *const *headers = request->headers;

	for (size_t i = 0; headers != NULL && headers[i] != NULL; i++) {
		if (i == HEADERS_MAX)
			return err_set(&call->err, ERR_LIMIT, "more than %d headers",
				       HEADERS_MAX);
		if (check_header(headers[i], &call->err) < 0)
			return -1;
		add_header(call, headers[i]);
	}
	append(call, "Expect:"); /* no waiting for 100 Continue */
	if (!gives(headers, "Content-Type"))
		append(call, "Content-Type:"); /* no guess at a form */
	curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
	return 0;
}

static void
set_body(struct http_call *call, const struct http_request *request)
{
	const char *body = request->body_len > 0 ? request->body : "";

	if (!request->body_stays || request->body_len == 0)
		body = call->body =
		    xmemdup(body, request->body_len + (request->body_len == 0));
	curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE,
			 (curl_off_t)request->body_len);
	curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, body);
}

/* POST and GET by their own options, so that redirects turn them as browsers do. */
static void
set_method(struct http_call *call, const struct http_request *request)
{
	bool is_post = strcmp(request->method, "POST") == 0;
	bool is_get = strcmp(request->method, "GET") == 0;

	if (strcmp(request->method, "HEAD") == 0) {
		curl_easy_setopt(call->easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (request->body_len > 0 || is_post)
		set_body(call, request);
	if (!is_post && (!is_get || request->body_len > 0))
		curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, request->method);
}

/* On a kept connection libcurl sends a request again by itself when the server closed
 * it before answering; nobody knows whether the first one was acted on. What may change
 * something is sent once an attempt: on a connection of its own. */
static void
set_once(CURL *easy, const char *method)
{
	if (strcmp(method, "POST") != 0 && strcmp(method, "PATCH") != 0)
		return;
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
}

static long
in_ms(usec_t time)
{
	return (long)((time + USEC_MS - 1) / USEC_MS);
}

static void
set_limits(CURL *easy, const struct http_request *request)
{
	usec_t connect = CONNECT_TIMEOUT;

	if (request->timeout > 0 && request->timeout < connect)
		connect = request->timeout;
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, in_ms(request->timeout));
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, in_ms(connect));
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION,
			 request->follow_redirects ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
}

/* An empty proxy keeps libcurl from asking the environment: behind a proxy the guard
 * would see the proxy's address only. QUICK_EXIT: a call that ends while its name is
 * being resolved must not wait for the resolver's thread. */
static void
set_manners(CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "stepmill/" STEPMILL_VERSION);
}

int
http_request_prepare(struct http_call *call, const struct http_request *request)
{
	if (check_method(request->method, &call->err) < 0 ||
	    check_url(request->url, &call->err) < 0 || add_headers(call, request) < 0)
		return -1;
	set_manners(call->easy);
	set_limits(call->easy, request);
	set_method(call, request);
	set_once(call->easy, request->method);
	curl_easy_setopt(call->easy, CURLOPT_URL, request->url);
	curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
	curl_easy_setopt(call->easy, CURLOPT_ERRORBUFFER, call->error);
	if (request->unix_socket != NULL) {
		call->unix_socket = xstrdup(request->unix_socket);
		curl_easy_setopt(call->easy, CURLOPT_UNIX_SOCKET_PATH,
				 call->unix_socket);
	}
	return 0;
}
