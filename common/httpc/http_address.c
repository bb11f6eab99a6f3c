/*
 * The address guard. It is asked where the socket is made, which is after name
 * resolution and for each redirect, and again before a request goes out, because a
 * connection that another call opened under other rules may be used again.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "httpc/call.h"

static bool
is_allowed(struct http_call *call, const struct sockaddr *address)
{
	if (call->done == NULL)
		return false;
	return call->address_allowed == NULL ||
	       call->address_allowed(call->address_context, address);
}

static socklen_t
length_of(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET6)
		return sizeof(struct sockaddr_in6);
	return sizeof(struct sockaddr_in);
}

static void
deny(struct http_call *call, const struct sockaddr *address)
{
	char host[64] = "this socket", port[8] = "";

	if (address->sa_family != AF_UNIX)
		getnameinfo(address, length_of(address), host, sizeof host, port,
			    sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
	err_set(&call->err, ERR_DENIED, "the address %s%s%s may not be called", host,
		port[0] != '\0' ? " port " : "", port);
}

static curl_socket_t
on_socket_wanted(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_call *call = context;

	(void)purpose;
	if (!is_allowed(call, &address->addr)) {
		deny(call, &address->addr);
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC,
		      address->protocol);
}

/* The text that libcurl has for the peer -> an address again; false when it is none. */
static bool
read_address(const char *ip, int port, struct sockaddr_storage *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof *out);
	if (inet_pton(AF_INET, ip, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		return true;
	}
	if (inet_pton(AF_INET6, ip, &in6->sin6_addr) != 1)
		return false;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons((uint16_t)port);
	return true;
}

static void
unix_address(const char *path, struct sockaddr_storage *out)
{
	struct sockaddr_un *un = (struct sockaddr_un *)out;

	memset(out, 0, sizeof *out);
	un->sun_family = AF_UNIX;
	snprintf(un->sun_path, sizeof un->sun_path, "%s", path);
}

static int
on_request_ready(void *context, char *peer_ip, char *own_ip, int peer_port,
		 int own_port)
{
	struct http_call *call = context;
	struct sockaddr_storage address;

	(void)own_ip;
	(void)own_port;
	if (call->unix_socket != NULL)
		unix_address(call->unix_socket, &address);
	else if (!read_address(peer_ip, peer_port, &address))
		return CURL_PREREQFUNC_ABORT;
	if (is_allowed(call, (struct sockaddr *)&address)) {
		if (call->sent != NULL)
			*call->sent = true;
		return CURL_PREREQFUNC_OK;
	}
	deny(call, (struct sockaddr *)&address);
	return CURL_PREREQFUNC_ABORT;
}

void
http_address_guard(struct http_call *call)
{
	curl_easy_setopt(call->easy, CURLOPT_OPENSOCKETFUNCTION, on_socket_wanted);
	curl_easy_setopt(call->easy, CURLOPT_OPENSOCKETDATA, call);
	curl_easy_setopt(call->easy, CURLOPT_PREREQFUNCTION, on_request_ready);
	curl_easy_setopt(call->easy, CURLOPT_PREREQDATA, call);
}
