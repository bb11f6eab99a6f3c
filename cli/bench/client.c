/* See client.h. */
#include "bench/client.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "bench/answer_core.h"
#include "loop/stream.h"

struct client_address {
	char *host; /* with the port */
	struct sockaddr_storage address;
	socklen_t len;
};

struct client {
	struct loop *loop;
	const struct client_address *address;
	struct stream *stream; /* NULL: not connected */
	client_done_fn *done;
	void *context;
	bool awaiting; /* an answer */
	struct err refused;
};

/* ---- where to ---- */

static int
resolve(struct client_address *address, const char *host, const char *port,
	struct err *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int code = getaddrinfo(host, port, &hints, &found);

	if (code != 0)
		return err_set(err, ERR_RETRY, "%s:%s: %s", host, port,
			       gai_strerror(code));
	memcpy(&address->address, found->ai_addr, found->ai_addrlen);
	address->len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

static int
read_url(struct client_address *address, const char *base, struct err *err)
{
	char *host, *colon, *bracket;
	int result;

	if (strncmp(base, "http://", 7) != 0 || strpbrk(base + 7, "/@?#") != NULL)
		return err_set(err, ERR_INPUT,
			       "bench speaks plain HTTP: %s is not http://HOST[:PORT]",
			       base);
	address->host = xstrdup(base + 7);
	host = xstrdup(base + 7);
	bracket = strchr(host, ']');
	colon = strchr(bracket != NULL ? bracket : host, ':');
	if (colon != NULL)
		*colon++ = '\0';
	if (bracket != NULL)
		*bracket = '\0';
	result = resolve(address, host + (bracket != NULL ? 1 : 0),
			 colon != NULL ? colon : "80", err);
	free(host);
	return result;
}

static int
set_socket(struct client_address *address, const char *path, struct err *err)
{
	struct sockaddr_un *name = (struct sockaddr_un *)&address->address;

	if (strlen(path) >= sizeof name->sun_path)
		return err_set(err, ERR_INPUT, "%s: too long for a socket", path);
	address->host = xstrdup("localhost");
	name->sun_family = AF_UNIX;
	memcpy(name->sun_path, path, strlen(path) + 1);
	address->len = sizeof *name;
	return 0;
}

struct client_address *
client_address_new(const char *base, const char *socket, struct err *err)
{
	struct client_address *address = xcalloc(1, sizeof *address);

	if ((socket != NULL ? set_socket(address, socket, err)
			    : read_url(address, base, err)) < 0)
		client_address_free(&address);
	return address;
}

void
client_address_free(struct client_address **address_p)
{
	struct client_address *address = *address_p;

	if (address == NULL)
		return;
	*address_p = NULL;
	free(address->host);
	free(address);
}

const char *
client_host(const struct client_address *address)
{
	return address->host;
}

/* ---- answers ---- */

static void
fail(struct client *client, const char *why)
{
	struct err err = { 0 };

	stream_free(&client->stream);
	if (!client->awaiting)
		return;
	client->awaiting = false;
	err_set(&err, ERR_LOST, "the server %s", why);
	client->done(client->context, 0, NULL, 0, &err);
}

static void
on_input(void *context)
{
	struct client *client = context;
	struct buf *input = stream_input(client->stream);
	struct answer_head head;
	enum answer_state state = answer_read(buf_text(input), input->len, &head);
	struct err none = { 0 };
	char *body;

	if (state == ANSWER_BROKEN)
		fail(client, "gave an answer that is not understood");
	if (state != ANSWER_WHOLE)
		return;
	/* done may send the next request */
	body = xstrndup(input->data + head.head_len, head.body_len);
	buf_consume(input, head.head_len + head.body_len);
	if (head.close)
		stream_free(&client->stream);
	client->awaiting = false;
	client->done(client->context, head.status, body, head.body_len, &none);
	free(body);
}

static void
on_end(void *context, const char *error)
{
	fail(context, error != NULL ? error : "closed the connection");
}

/* ---- sending ---- */

/* Waits: it is on this machine or near, and once for each client. */
static int
connect_now(struct client *client, struct err *err)
{
	static const struct stream_events events = { .on_input = on_input,
						     .on_end = on_end };
	const struct sockaddr *address =
	    (const struct sockaddr *)&client->address->address;
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0 || connect(fd, address, client->address->len) < 0) {
		err_errno(err, "cannot connect to %s", client->address->host);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if (address->sa_family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	client->stream = stream_new(client->loop, fd, &events, client);
	stream_limit(client->stream, ANSWER_HEAD_MAX + ANSWER_BODY_MAX);
	return 0;
}

static void
on_refused(void *context)
{
	struct client *client = context;
	struct err err = client->refused;

	client->awaiting = false;
	client->done(client->context, 0, NULL, 0, &err);
}

void
client_send(struct client *client, const char *request, size_t len)
{
	client->awaiting = true;
	if (client->stream == NULL && connect_now(client, &client->refused) < 0)
		loop_defer(client->loop, on_refused, client);
	else
		stream_write(client->stream, request, len);
}

struct client *
client_new(struct loop *loop, const struct client_address *address,
	   client_done_fn *done, void *context)
{
	struct client *client = xcalloc(1, sizeof *client);

	client->loop = loop;
	client->address = address;
	client->done = done;
	client->context = context;
	return client;
}

void
client_free(struct client **client_p)
{
	struct client *client = *client_p;

	if (client == NULL)
		return;
	*client_p = NULL;
	stream_free(&client->stream);
	free(client);
}
