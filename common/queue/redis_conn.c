/*
 * The shell around struct link: carries out what queue_core decides about connecting.
 * Replies come in the order of commands, so calls stand in a ring. The owner may free
 * the connection in any callback: its memory goes at the end of the turn.
 */
#include "queue/redis_conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "loop/stream.h"
#include "queue/queue_core.h"
#include "queue/resolve.h"

#define ATTEMPT_TIMEOUT (2 * USEC_SECOND) /* resolving, connecting, greeting */
#define READER_MAX      (4 * 1024 * 1024) /* of one reply: somebody put it there */
#define OUTPUT_MAX      (8 * 1024 * 1024) /* unsent: Redis does not read */

struct redis_conn {
	struct loop *loop;
	struct redis_url url;
	const char *name;
	const struct redis_conn_events *events;
	void *context;
	struct link link;
	struct timer *timer;    /* the next attempt, or the end of this one */
	struct timer *watchdog; /* of the oldest call */

	struct resolve *resolve;
	struct addresses addresses;
	size_t next_address;
	int fd; /* connecting; then the stream's */
	struct watch *watch;

	struct stream *stream;
	redisReader *reader;
	size_t greetings;  /* replies to the greeting still to come */
	struct buf output; /* goes to the stream at the end of the turn */
	bool flushing;

	struct redis_call *calls; /* a ring */
	size_t calls_first, calls_count, calls_capacity;
	bool cutting; /* at the end of the turn */
	bool dead;
};

static void attempt(void *context);
static void connect_next(struct redis_conn *conn);

static void
tell(const struct redis_conn *conn, enum link_news news, const char *why)
{
	if (news == LINK_CAME)
		log_info("redis.connected", F_STR("connection", conn->name));
	else if (news == LINK_WENT)
		log_warn("redis.lost", F_STR("connection", conn->name),
			 F_STR("why", why));
}

static void
on_attempt_timer(void *context)
{
	struct redis_conn *conn = context;
	bool waiting =
	    conn->resolve == NULL && conn->watch == NULL && conn->stream == NULL;

	if (waiting)
		attempt(conn);
	else
		redis_conn_cut(conn, "no answer in time");
}

static void
on_watchdog(void *context)
{
	redis_conn_cut(context, "a command got no answer in time");
}

struct redis_conn *
redis_conn_new(struct loop *loop, struct redis_url *url, const char *name,
	       const struct redis_conn_events *events, void *context)
{
	struct redis_conn *conn = xcalloc(1, sizeof *conn);

	conn->loop = loop;
	conn->url = *url;
	*url = (struct redis_url){ 0 };
	conn->name = name;
	conn->events = events;
	conn->context = context;
	conn->fd = -1;
	conn->timer = timer_new(loop, on_attempt_timer, conn);
	conn->watchdog = timer_new(loop, on_watchdog, conn);
	timer_set(conn->timer, 0);
	return conn;
}

/* Back to having nothing, in whatever phase it was. */
static void
let_go(struct redis_conn *conn)
{
	timer_stop(conn->timer);
	timer_stop(conn->watchdog);
	resolve_free(&conn->resolve);
	watch_free(&conn->watch);
	if (conn->fd >= 0)
		close(conn->fd);
	conn->fd = -1;
	stream_free(&conn->stream);
	if (conn->reader != NULL)
		redisReaderFree(conn->reader);
	conn->reader = NULL;
	conn->greetings = 0;
	buf_clear(&conn->output);
}

static void
free_memory(void *context)
{
	free(context);
}

void
redis_conn_free(struct redis_conn **conn_p)
{
	struct redis_conn *conn = *conn_p;

	if (conn == NULL)
		return;
	*conn_p = NULL;
	let_go(conn);
	timer_free(&conn->timer);
	timer_free(&conn->watchdog);
	buf_fini(&conn->output);
	redis_url_fini(&conn->url);
	free(conn->calls);
	conn->calls = NULL;
	conn->calls_count = 0;
	conn->dead = true;
	loop_defer(conn->loop, free_memory, conn);
}

bool
redis_conn_is_connected(const struct redis_conn *conn)
{
	return conn->link.up;
}

bool
redis_conn_is_up(const struct redis_conn *conn)
{
	return conn->link.up && !conn->link.refused;
}

size_t
redis_conn_waiting(const struct redis_conn *conn)
{
	return conn->calls_count;
}

static struct redis_call
take_call(struct redis_conn *conn)
{
	struct redis_call call = conn->calls[conn->calls_first];

	conn->calls_first = (conn->calls_first + 1) % conn->calls_capacity;
	conn->calls_count--;
	return call;
}

static void
forget_calls(struct redis_conn *conn)
{
	size_t count =
	    conn->calls_count; /* what is asked meanwhile is another matter */

	for (; count > 0 && !conn->dead; count--) {
		struct redis_call call = take_call(conn);

		call.done(&call, NULL);
	}
}

static uint32_t
random_number(void)
{
	uint32_t number = 0;

	if (getrandom(&number, sizeof number, GRND_NONBLOCK) < 0)
		number = UINT32_MAX / 2;
	return number;
}

void
redis_conn_cut(struct redis_conn *conn, const char *why)
{
	bool was_up = conn->link.up;
	enum link_news news;
	usec_t delay;

	news = link_lost(&conn->link, loop_mono(conn->loop), random_number(), &delay);
	tell(conn, news, why);
	let_go(conn);
	timer_set(conn->timer, delay);
	forget_calls(conn);
	if (was_up && !conn->dead)
		conn->events->on_down(conn->context);
}

/* Not at once: the caller is in the middle of a reply. */
static void
cut_stale(void *context)
{
	struct redis_conn *conn = context;

	conn->cutting = false;
	if (!conn->dead && conn->link.up)
		redis_conn_cut(conn, "refused for too long");
}

void
redis_conn_refused(struct redis_conn *conn, const char *why)
{
	usec_t now = loop_mono(conn->loop);

	tell(conn, link_refused(&conn->link, now), why);
	if (!link_is_stale(&conn->link, now) || conn->cutting)
		return;
	conn->cutting = true;
	loop_defer(conn->loop, cut_stale, conn);
}

void
redis_conn_served(struct redis_conn *conn)
{
	tell(conn, link_accepted(&conn->link), NULL);
}

static void
on_resolved(void *context, const struct addresses *addresses, const char *error)
{
	struct redis_conn *conn = context;

	conn->addresses = *addresses;
	conn->next_address = 0;
	resolve_free(&conn->resolve);
	if (error != NULL)
		redis_conn_cut(conn, error);
	else
		connect_next(conn);
}

static void
attempt(void *context)
{
	struct redis_conn *conn = context;

	link_connecting(&conn->link, loop_mono(conn->loop));
	conn->events->on_attempt(conn->context);
	timer_set(conn->timer, ATTEMPT_TIMEOUT);
	conn->resolve = resolve_new(conn->loop, &conn->url, on_resolved, conn);
}

void
redis_conn_begin(struct redis_conn *conn, size_t arguments)
{
	buf_printf(&conn->output, "*%zu\r\n", arguments);
}

void
redis_conn_add(struct redis_conn *conn, const void *data, size_t len)
{
	buf_printf(&conn->output, "$%zu\r\n", len);
	buf_add(&conn->output, data, len);
	buf_add(&conn->output, "\r\n", 2);
}

void
redis_conn_add_str(struct redis_conn *conn, const char *text)
{
	redis_conn_add(conn, text, strlen(text));
}

static void
flush(void *context)
{
	struct redis_conn *conn = context;

	conn->flushing = false;
	if (conn->dead || conn->stream == NULL)
		return;
	stream_write(conn->stream, conn->output.data, conn->output.len);
	buf_clear(&conn->output);
	if (stream_unsent(conn->stream) > OUTPUT_MAX)
		redis_conn_cut(conn, "it does not read");
}

static void
flush_later(struct redis_conn *conn)
{
	if (conn->flushing)
		return;
	conn->flushing = true;
	loop_defer(conn->loop, flush, conn);
}

static void
add_call(struct redis_conn *conn, const struct redis_call *call)
{
	size_t old = conn->calls_capacity;

	if (conn->calls_count == old) {
		conn->calls_capacity = old > 0 ? old * 2 : 16;
		conn->calls =
		    xrealloc(conn->calls, conn->calls_capacity, sizeof *conn->calls);
		/* The part that had wrapped around follows the old end now. */
		memcpy(conn->calls + old, conn->calls,
		       conn->calls_first * sizeof *conn->calls);
	}
	conn->calls[(conn->calls_first + conn->calls_count) % conn->calls_capacity] =
	    *call;
	conn->calls_count++;
}

void
redis_conn_send(struct redis_conn *conn, const struct redis_call *call)
{
	flush_later(conn);
	if (call == NULL)
		return;
	if (conn->calls_count == 0)
		timer_set(conn->watchdog, call->patience);
	add_call(conn, call);
}

static void
came_up(struct redis_conn *conn)
{
	timer_stop(conn->timer);
	tell(conn, link_up(&conn->link, loop_mono(conn->loop)), NULL);
	conn->events->on_up(conn->context);
}

static void
on_greeting(struct redis_conn *conn, const redisReply *reply)
{
	if (reply->type == REDIS_REPLY_ERROR)
		redis_conn_cut(conn, reply->str);
	else if (--conn->greetings == 0)
		came_up(conn);
}

static void
on_reply(struct redis_conn *conn, const redisReply *reply)
{
	struct redis_call call;

	if (conn->greetings > 0) {
		on_greeting(conn, reply);
	} else if (conn->calls_count > 0) {
		call = take_call(conn);
		if (conn->calls_count > 0)
			timer_set(conn->watchdog,
				  conn->calls[conn->calls_first].patience);
		else
			timer_stop(conn->watchdog);
		call.done(&call, reply);
	} else if (reply->type == REDIS_REPLY_ERROR) {
		redis_conn_cut(conn, reply->str);
	} else if (conn->events->on_message != NULL) {
		conn->events->on_message(conn->context, reply);
	}
}

/* One whole reply from what was read; false when there is none, or no connection. */
static bool
take_reply(struct redis_conn *conn)
{
	redisReply *reply = NULL;

	if (redisReaderGetReply(conn->reader, (void **)&reply) != REDIS_OK) {
		redis_conn_cut(conn, conn->reader->errstr);
		return false;
	}
	if (reply == NULL)
		return false;
	on_reply(conn, reply);
	freeReplyObject(reply);
	return conn->reader != NULL;
}

static void
on_input(void *context)
{
	struct redis_conn *conn = context;
	struct buf *input = stream_input(conn->stream);

	if (redisReaderFeed(conn->reader, input->data, input->len) != REDIS_OK) {
		redis_conn_cut(conn, conn->reader->errstr);
		return;
	}
	buf_consume(input, input->len);
	while (take_reply(conn))
		;
	if (conn->reader != NULL && conn->reader->len - conn->reader->pos > READER_MAX)
		redis_conn_cut(conn, "a reply past the limit");
}

static void
on_end(void *context, const char *error)
{
	redis_conn_cut(context, error != NULL ? error : "it closed the connection");
}

static const struct stream_events stream_events = { .on_input = on_input,
						    .on_end = on_end };

static void
greet(struct redis_conn *conn)
{
	const struct redis_url *url = &conn->url;
	char db[16];

	if (url->password != NULL) {
		redis_conn_begin(conn, url->user != NULL ? 3 : 2);
		redis_conn_add_str(conn, "AUTH");
		if (url->user != NULL)
			redis_conn_add_str(conn, url->user);
		redis_conn_add_str(conn, url->password);
		conn->greetings++;
	}
	if (url->db != 0) {
		snprintf(db, sizeof db, "%d", url->db);
		redis_conn_begin(conn, 2);
		redis_conn_add_str(conn, "SELECT");
		redis_conn_add_str(conn, db);
		conn->greetings++;
	}
	redis_conn_begin(conn, 1);
	redis_conn_add_str(conn, "PING");
	conn->greetings++;
	redis_conn_send(conn, NULL);
}

static void
connected(struct redis_conn *conn)
{
	watch_free(&conn->watch);
	conn->stream = stream_new(conn->loop, conn->fd, &stream_events, conn);
	conn->fd = -1;
	conn->reader = redisReaderCreate();
	if (conn->reader == NULL)
		bug("out of memory for a Redis connection");
	greet(conn);
}

static void
on_connect(void *context, unsigned ready)
{
	struct redis_conn *conn = context;
	int fault = 0;
	socklen_t len = sizeof fault;

	(void)ready;
	if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &fault, &len) < 0)
		fault = errno;
	if (fault == 0) {
		connected(conn);
		return;
	}
	watch_free(&conn->watch);
	close(conn->fd);
	conn->fd = -1;
	errno = fault;
	connect_next(conn);
}

static void
set_tcp_options(int fd)
{
	int on = 1, patience_ms = 5000;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience_ms, sizeof patience_ms);
}

/* Begins to connect to one address; -1 with errno when that fails at once. */
static int
begin_connect(struct redis_conn *conn, size_t index)
{
	const struct sockaddr *address =
	    (struct sockaddr *)&conn->addresses.list[index];

	conn->fd =
	    socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (conn->fd < 0)
		return -1;
	if (address->sa_family != AF_UNIX)
		set_tcp_options(conn->fd);
	if (connect(conn->fd, address, conn->addresses.lens[index]) == 0 ||
	    errno == EINPROGRESS)
		return 0;
	close(conn->fd);
	conn->fd = -1;
	return -1;
}

/* Tries the addresses one after the other; errno tells how the one before failed. */
static void
connect_next(struct redis_conn *conn)
{
	while (conn->next_address < conn->addresses.count)
		if (begin_connect(conn, conn->next_address++) == 0) {
			conn->watch = watch_new(conn->loop, conn->fd, WATCH_WRITE,
						on_connect, conn);
			return;
		}
	redis_conn_cut(conn, strerror(errno));
}

bool
redis_reply_is_wrong_type(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR &&
	       strncmp(reply->str, "WRONGTYPE", 9) == 0;
}
