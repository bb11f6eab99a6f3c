/* Sockets, lines and calls of a child program. See channel.h. */
#include "channel/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/list.h"
#include "base/xalloc.h"
#include "channel/line_core.h"

#define READ_BYTES   (64 * 1024)
#define READS_A_TURN 4
#define DRAIN_READS  4096 /* a socket holds less */
#define FDS_A_READ   8

struct link {
	struct list all; /* channel.links */
	struct channel *channel;
	int fd; /* -1: closed */
	struct watch *watch;
	struct lines lines;
	struct buf out; /* not sent yet */
	struct list calls;
	int calls_count;
	bool first;
	bool ended; /* nothing more comes; answers may still go */
};

struct channel {
	struct loop *loop;
	const struct channel_events *events;
	void *context;
	struct list links;
	int links_count;
	bool dead, draining;
};

struct channel_call {
	struct list list;  /* link.calls */
	struct link *link; /* NULL: closed meanwhile */
	struct json *id;   /* NULL: a notification */
};

static void on_ready(void *context, unsigned ready);

/* ---- life ---- */

static void
link_add(struct channel *channel, int fd)
{
	struct link *link = xcalloc(1, sizeof *link);

	fcntl(fd, F_SETFL, O_NONBLOCK);
	link->channel = channel;
	link->fd = fd;
	link->first = channel->links_count++ == 0;
	lines_init(&link->lines, LINE_MAX_LEN);
	list_init(&link->calls);
	link->watch = watch_new(channel->loop, fd, WATCH_READ, on_ready, link);
	list_push(&channel->links, &link->all);
}

static void
dispose(void *context)
{
	free(context);
}

static void
link_close(struct link *link)
{
	watch_free(&link->watch);
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	link->ended = true;
	buf_fini(&link->out);
	lines_fini(&link->lines);
}

static void
link_free(struct link *link)
{
	link_close(link);
	list_each_safe (it, &link->calls) {
		container_of(it, struct channel_call, list)->link = NULL;
		list_remove(it);
	}
	list_remove(&link->all);
	loop_defer(link->channel->loop, dispose, link);
}

struct channel *
channel_new(struct loop *loop, int fd, const struct channel_events *events,
	    void *context)
{
	struct channel *channel = xcalloc(1, sizeof *channel);

	channel->loop = loop;
	channel->events = events;
	channel->context = context;
	list_init(&channel->links);
	link_add(channel, fd);
	return channel;
}

void
channel_free(struct channel **channel_p)
{
	struct channel *channel = *channel_p;

	*channel_p = NULL;
	if (channel == NULL)
		return;
	channel->dead = true;
	list_each_safe (it, &channel->links)
		link_free(container_of(it, struct link, all));
	loop_defer(channel->loop, dispose, channel);
}

/* ---- how much at once ---- */

static bool
may_read(const struct link *link)
{
	return link->fd >= 0 && !link->ended && link->calls_count < CHANNEL_CALLS_MAX &&
	       link->out.len < CHANNEL_UNSENT_MAX;
}

static void
want(struct link *link)
{
	if (link->watch != NULL)
		watch_want(link->watch, (may_read(link) ? WATCH_READ : 0) |
					    (link->out.len > 0 ? WATCH_WRITE : 0));
}

/* ---- writing ---- */

static void
flush(struct link *link)
{
	while (link->fd >= 0 && link->out.len > 0) {
		ssize_t sent = send(link->fd, link->out.data, link->out.len,
				    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent > 0) {
			buf_consume(&link->out, (size_t)sent);
		} else if (errno == EAGAIN) {
			break;
		} else if (errno != EINTR) {
			buf_clear(&link->out); /* nobody reads it any more */
			break;
		}
	}
	want(link);
}

void
channel_notify(struct channel *channel, const char *method, struct json *params)
{
	list_each (it, &channel->links) {
		struct link *link = container_of(it, struct link, all);

		if (!link->first || link->fd < 0)
			continue;
		message_notify(&link->out, method, params);
		flush(link);
	}
	json_unref(&params);
}

/* ---- answering ---- */

/* Out of its link; NULL when that is closed, or nobody wants to know. */
static struct link *
call_end(struct channel_call *call)
{
	struct link *link = call->link;

	if (link == NULL)
		return NULL;
	list_remove(&call->list);
	link->calls_count--;
	return link;
}

static void
call_free(struct channel_call **call_p, struct link *link)
{
	json_unref(&(*call_p)->id);
	free(*call_p);
	*call_p = NULL;
	if (link != NULL)
		flush(link);
}

void
channel_result(struct channel_call **call_p, struct json *result)
{
	struct link *link = call_end(*call_p);

	if (link != NULL && link->fd >= 0 && (*call_p)->id != NULL)
		message_result(&link->out, (*call_p)->id, result);
	json_unref(&result);
	call_free(call_p, link);
}

void
channel_fail(struct channel_call **call_p, enum rpc_code code, struct json *data,
	     const char *format, ...)
{
	struct link *link = call_end(*call_p);
	struct buf text = { 0 };
	va_list args;

	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	if (link != NULL && link->fd >= 0 && (*call_p)->id != NULL)
		message_error(&link->out, (*call_p)->id, code, buf_text(&text), data);
	buf_fini(&text);
	json_unref(&data);
	call_free(call_p, link);
}

bool
channel_is_first(const struct channel_call *call)
{
	return call->link != NULL && call->link->first;
}

bool
channel_is_idle(const struct channel *channel)
{
	list_each (it, &channel->links)
		if (container_of(it, struct link, all)->calls_count > 0)
			return false;
	return true;
}

/* ---- reading ---- */

static void
refuse(struct link *link, const struct json *id, enum rpc_code code, const char *why)
{
	message_error(&link->out, id, code, why, NULL);
	flush(link);
}

static void
take_call(struct link *link, struct message *message)
{
	struct channel_call *call = xcalloc(1, sizeof *call);

	call->link = link;
	call->id = json_ref(message->id);
	list_push(&link->calls, &call->list);
	link->calls_count++;
	link->channel->events->on_call(link->channel->context, call, message->method,
				       message->params);
}

/* Pieces of a line that is too long, or of the last one. */
static void
take_other(struct link *link, const char *text, size_t len, bool last)
{
	const struct channel_events *events = link->channel->events;

	if (link->first && events->on_other != NULL)
		events->on_other(link->channel->context, text, len);
	else if (last && len > 0)
		refuse(link, NULL, RPC_PARSE,
		       "not a message: one JSON object a line, at most 4 MiB");
}

static void
on_line(void *context, const char *text, size_t len, bool whole, bool last)
{
	struct link *link = context;
	struct message message;
	bool at_end = !whole && last && link->ended;

	if (link->channel->dead || link->fd < 0)
		return;
	if (whole && len == 0)
		return; /* as comes with a descriptor */
	if (!whole && !at_end) {
		take_other(link, text, len, last);
		return;
	}
	message_read(&message, text, len);
	if (message.kind == MESSAGE_CALL) {
		take_call(link, &message);
	} else if (message.kind == MESSAGE_BAD) {
		refuse(link, message.id, message.code, message.why);
	} else if (message.kind == MESSAGE_NONE) {
		take_other(link, text, len, true);
		if (whole && link->first && link->channel->events->on_other != NULL)
			take_other(link, "\n", 1, true);
	}
	message_fini(&message);
}

/* More channels: what else may be sent is closed. */
static void
take_fds(struct link *link, struct msghdr *header)
{
	struct channel *channel = link->channel;

	for (struct cmsghdr *it = CMSG_FIRSTHDR(header); it != NULL;
	     it = CMSG_NXTHDR(header, it)) {
		int fds[FDS_A_READ], type = 0;
		size_t count = (it->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		socklen_t len = sizeof type;

		if (it->cmsg_level != SOL_SOCKET || it->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(fds, CMSG_DATA(it), count * sizeof(int));
		for (size_t i = 0; i < count; i++) {
			if (channel->links_count < CHANNEL_LINKS_MAX &&
			    getsockopt(fds[i], SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
			    type == SOCK_STREAM)
				link_add(channel, fds[i]);
			else
				close(fds[i]);
		}
	}
}

static ssize_t
receive(struct link *link, char *data, size_t size)
{
	union {
		char bytes[CMSG_SPACE(FDS_A_READ * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iovec = { data, size };
	struct msghdr header = { .msg_iov = &iovec,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof control.bytes };
	ssize_t got = recvmsg(link->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (got >= 0)
		take_fds(link, &header);
	return got;
}

/* No one can write here any more; who waits for an answer may still read it. */
static void
link_end(struct link *link)
{
	struct channel *channel = link->channel;

	link->ended = true;
	lines_end(&link->lines, on_line, link);
	if (channel->dead)
		return;
	if (link->first) {
		if (channel->events->on_end != NULL)
			channel->events->on_end(channel->context);
		if (!channel->dead)
			want(link);
		return;
	}
	channel->links_count--;
	link_free(link);
}

static void
read_link(struct link *link, int reads)
{
	struct channel *channel = link->channel;
	char data[READ_BYTES];

	while (reads-- > 0 && (may_read(link) || (channel->draining && !link->ended))) {
		ssize_t got = receive(link, data, sizeof data);

		if (got > 0) {
			lines_add(&link->lines, data, (size_t)got, on_line, link);
			if (channel->dead || link->fd < 0)
				return;
			continue;
		}
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			break;
		link_end(link);
		return;
	}
	want(link);
}

static void
on_ready(void *context, unsigned ready)
{
	struct link *link = context;

	if (ready & WATCH_WRITE)
		flush(link);
	if (ready & WATCH_READ)
		read_link(link, READS_A_TURN);
}

void
channel_drain(struct channel *channel)
{
	channel->draining = true;
	list_each_safe (it, &channel->links) {
		struct link *link = container_of(it, struct link, all);

		if (link->fd >= 0 && !link->ended)
			read_link(link, DRAIN_READS);
		if (channel->dead)
			return;
	}
	list_each_safe (rest, &channel->links) {
		struct link *link = container_of(rest, struct link, all);

		/* Somebody else was given its other end: not waited for. */
		if (!link->ended)
			link_end(link);
		if (channel->dead)
			return;
	}
}
