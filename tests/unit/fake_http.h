/* A web server on the test's own loop that answers each path with given bytes. */
#ifndef TESTS_UNIT_FAKE_HTTP_H
#define TESTS_UNIT_FAKE_HTTP_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/xalloc.h"
#include "loop/stream.h"

#define FAKE_PAGES 16

struct fake_page {
	const char *path;
	const char *reply; /* raw */
	size_t len;
	bool close; /* the connection after it */
};

struct fake_http {
	struct loop *loop;
	int fd, port;
	struct watch *watch;
	struct list conns;
	struct fake_page pages[FAKE_PAGES];
	struct buf heard; /* all requests, raw */
	int connects, requests;
};

struct fake_client {
	struct list link;
	struct fake_http *http;
	struct stream *stream;
};

static inline void
fake_client_close(struct fake_client *client)
{
	list_remove(&client->link);
	stream_free(&client->stream);
	free(client);
}

static inline void
fake_page(struct fake_http *http, const char *path, const char *reply, bool close_after)
{
	for (int i = 0; i < FAKE_PAGES; i++)
		if (http->pages[i].path == NULL ||
		    strcmp(http->pages[i].path, path) == 0) {
			http->pages[i] = (struct fake_page){ path, reply, strlen(reply),
							     close_after };
			return;
		}
	abort();
}

static inline const struct fake_page *
fake_find_page(const struct fake_http *http, const char *request)
{
	static const struct fake_page missing = {
		"", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 45, false
	};
	const char *path = strchr(request, ' ');

	for (int i = 0; i < FAKE_PAGES && http->pages[i].path != NULL; i++) {
		size_t len = strlen(http->pages[i].path);

		if (path != NULL && strncmp(path + 1, http->pages[i].path, len) == 0 &&
		    strchr(" ?", path[1 + len]) != NULL)
			return &http->pages[i];
	}
	return &missing;
}

/* How long the first request is, with its body; 0 while it is not whole. */
static inline size_t
fake_request_len(const struct buf *input)
{
	const char *end = strstr(buf_text(input), "\r\n\r\n");
	const char *length = strstr(buf_text(input), "Content-Length: ");
	size_t len;

	if (end == NULL)
		return 0;
	len = (size_t)(end + 4 - input->data);
	if (length != NULL && length < end)
		len += (size_t)atol(length + 16);
	return len <= input->len ? len : 0;
}

static inline void
fake_client_input(void *context)
{
	struct fake_client *client = context;
	struct buf *input = stream_input(client->stream);
	const struct fake_page *page;
	size_t len;

	while ((len = fake_request_len(input)) > 0) {
		client->http->requests++;
		buf_add(&client->http->heard, input->data, len);
		page = fake_find_page(client->http, input->data);
		buf_consume(input, len);
		stream_write(client->stream, page->reply, page->len);
		if (page->close)
			stream_shutdown(client->stream);
	}
}

static inline void
fake_client_end(void *context, const char *error)
{
	(void)error;
	fake_client_close(context);
}

static const struct stream_events fake_client_events = { .on_input = fake_client_input,
							 .on_end = fake_client_end };

static inline void
fake_http_accept(void *context, unsigned ready)
{
	struct fake_http *http = context;
	int fd = accept(http->fd, NULL, NULL);
	struct fake_client *client;

	(void)ready;
	if (fd < 0)
		return;
	http->connects++;
	client = xcalloc(1, sizeof *client);
	client->http = http;
	client->stream = stream_new(http->loop, fd, &fake_client_events, client);
	list_push(&http->conns, &client->link);
}

/* On a port of 127.0.0.1, or on a socket of the file system. */
static inline void
fake_http_start(struct fake_http *http, struct loop *loop, const char *path)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t len = sizeof in;
	int status;

	*http = (struct fake_http){ .loop = loop };
	list_init(&http->conns);
	http->fd =
	    socket(path != NULL ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (path != NULL) {
		snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
		status = bind(http->fd, (struct sockaddr *)&un, sizeof un);
	} else {
		status = bind(http->fd, (struct sockaddr *)&in, sizeof in);
	}
	if (status < 0 || listen(http->fd, 16) < 0)
		abort();
	if (path == NULL && getsockname(http->fd, (struct sockaddr *)&in, &len) == 0)
		http->port = ntohs(in.sin_port);
	http->watch = watch_new(loop, http->fd, WATCH_READ, fake_http_accept, http);
}

static inline void
fake_http_stop(struct fake_http *http)
{
	while (!list_empty(&http->conns))
		fake_client_close(
		    container_of(http->conns.next, struct fake_client, link));
	watch_free(&http->watch);
	close(http->fd);
	buf_fini(&http->heard);
}

#endif
