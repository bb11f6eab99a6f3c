/* A Redis that does as it is told, on the test's own loop: a Unix socket, commands kept
 * as text, replies from a small table. For faults that the real one shows once a year.
 */
#ifndef TESTS_UNIT_FAKE_REDIS_H
#define TESTS_UNIT_FAKE_REDIS_H

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

#define FAKE_RULES 16

struct fake_rule {
	const char *command; /* its first word */
	const char *reply;   /* raw; "" for none; "!" to cut the connection */
};

struct fake_redis {
	struct loop *loop;
	char path[64], folder[40], url[80];
	int fd;
	struct watch *watch;
	struct list conns;
	struct fake_rule rules[FAKE_RULES]; /* the first that fits */
	struct buf heard;                   /* commands, a line each */
	int connects, commands;
};

struct fake_conn {
	struct list link;
	struct fake_redis *redis;
	struct stream *stream;
};

static inline void
fake_say(struct fake_conn *conn, const char *text)
{
	stream_write(conn->stream, text, strlen(text));
}

static inline void
fake_close(struct fake_conn *conn)
{
	list_remove(&conn->link);
	stream_free(&conn->stream);
	free(conn);
}

static inline const char *
fake_reply(const struct fake_redis *redis, const char *command)
{
	static const struct fake_rule usual[] = {
		{ "AUTH", "+OK\r\n" },   { "SELECT", "+OK\r\n" },
		{ "PING", "+PONG\r\n" }, { "RPUSHX", ":0\r\n" },
		{ "RPUSH", ":1\r\n" },   { "PUBLISH", ":0\r\n" },
		{ "LLEN", ":0\r\n" },    { "TYPE", "+list\r\n" },
		{ "BLMPOP", "*-1\r\n" }, { "SUBSCRIBE", "" },
		{ NULL, NULL },
	};

	for (int i = 0; i < FAKE_RULES && redis->rules[i].command != NULL; i++)
		if (strcmp(redis->rules[i].command, command) == 0)
			return redis->rules[i].reply;
	for (const struct fake_rule *rule = usual; rule->command != NULL; rule++)
		if (strcmp(rule->command, command) == 0)
			return rule->reply;
	return "-ERR unknown command\r\n";
}

/* The first rule that is free, or the one for this command. */
static inline void
fake_rule(struct fake_redis *redis, const char *command, const char *reply)
{
	for (int i = 0; i < FAKE_RULES; i++) {
		struct fake_rule *rule = &redis->rules[i];

		if (rule->command == NULL || strcmp(rule->command, command) == 0) {
			*rule = (struct fake_rule){ command, reply };
			return;
		}
	}
	abort();
}

static inline void
fake_confirm(struct fake_conn *conn, const char *channel, int count)
{
	char text[200];

	snprintf(text, sizeof text, "*3\r\n$9\r\nsubscribe\r\n$%zu\r\n%s\r\n:%d\r\n",
		 strlen(channel), channel, count);
	fake_say(conn, text);
}

/* "*2\r\n$4\r\nLLEN\r\n$1\r\nx\r\n" from at on: its words, and where it ends; NULL
 * while it is not whole. */
static inline const char *
fake_words(const char *at, const char *end, char **words, size_t *lens, int *count)
{
	const char *line;

	if ((line = memchr(at, '\n', (size_t)(end - at))) == NULL)
		return NULL;
	*count = atoi(at + 1);
	at = line + 1;
	for (int i = 0; i < *count; i++) {
		if ((line = memchr(at, '\n', (size_t)(end - at))) == NULL)
			return NULL;
		lens[i] = (size_t)atoi(at + 1);
		if ((size_t)(end - line - 1) < lens[i] + 2)
			return NULL;
		words[i] = (char *)(uintptr_t)(line + 1);
		at = line + 1 + lens[i] + 2;
	}
	return at;
}

static inline void
fake_hear(struct fake_redis *redis, char **words, const size_t *lens, int count)
{
	redis->commands++;
	for (int i = 0; i < count; i++) {
		if (i > 0)
			buf_char(&redis->heard, ' ');
		if (memchr(words[i], '\0', lens[i]) != NULL)
			buf_printf(&redis->heard, "<%zu bytes>", lens[i]);
		else
			buf_add(&redis->heard, words[i], lens[i]);
	}
	buf_char(&redis->heard, '\n');
}

/* False when the connection was cut. */
static inline bool
fake_answer(struct fake_conn *conn, char **words, const size_t *lens, int count)
{
	char command[32];
	const char *reply;

	snprintf(command, sizeof command, "%.*s", (int)lens[0], words[0]);
	reply = fake_reply(conn->redis, command);
	if (reply[0] == '!') {
		fake_close(conn);
		return false;
	}
	for (int i = 1; strcmp(command, "SUBSCRIBE") == 0 && i < count; i++) {
		char *channel = xstrndup(words[i], lens[i]);

		fake_confirm(conn, channel, i);
		free(channel);
	}
	fake_say(conn, reply);
	return true;
}

static inline void
fake_on_input(void *context)
{
	struct fake_conn *conn = context;
	struct buf *input = stream_input(conn->stream);
	char *words[2000];
	size_t lens[2000];
	const char *next;
	int count;

	while (input->len > 0) {
		next = fake_words(input->data, input->data + input->len, words, lens,
				  &count);
		if (next == NULL)
			return;
		fake_hear(conn->redis, words, lens, count);
		if (!fake_answer(conn, words, lens, count))
			return;
		buf_consume(input, (size_t)(next - input->data));
	}
}

static inline void
fake_on_end(void *context, const char *error)
{
	(void)error;
	fake_close(context);
}

static const struct stream_events fake_events = { .on_input = fake_on_input,
						  .on_end = fake_on_end };

static inline void
fake_on_connection(void *context, unsigned ready)
{
	struct fake_redis *redis = context;
	int fd = accept(redis->fd, NULL, NULL);
	struct fake_conn *conn;

	(void)ready;
	if (fd < 0)
		return;
	redis->connects++;
	conn = xcalloc(1, sizeof *conn);
	conn->redis = redis;
	conn->stream = stream_new(redis->loop, fd, &fake_events, conn);
	list_push(&redis->conns, &conn->link);
}

static inline void
fake_listen(struct fake_redis *redis)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	redis->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", redis->path);
	unlink(redis->path);
	if (bind(redis->fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    listen(redis->fd, 8) < 0)
		abort();
	redis->watch =
	    watch_new(redis->loop, redis->fd, WATCH_READ, fake_on_connection, redis);
}

static inline void
fake_cut_all(struct fake_redis *redis)
{
	while (!list_empty(&redis->conns))
		fake_close(container_of(redis->conns.next, struct fake_conn, link));
}

static inline void
fake_start(struct fake_redis *redis, struct loop *loop)
{
	*redis =
	    (struct fake_redis){ .loop = loop, .folder = "/tmp/stepmill-test-XXXXXX" };
	list_init(&redis->conns);
	if (mkdtemp(redis->folder) == NULL)
		abort();
	snprintf(redis->path, sizeof redis->path, "%s/s", redis->folder);
	snprintf(redis->url, sizeof redis->url, "unix:%s", redis->path);
	fake_listen(redis);
}

static inline void
fake_stop_listening(struct fake_redis *redis)
{
	watch_free(&redis->watch);
	if (redis->fd >= 0)
		close(redis->fd);
	redis->fd = -1;
	unlink(redis->path);
}

static inline void
fake_stop(struct fake_redis *redis)
{
	fake_cut_all(redis);
	fake_stop_listening(redis);
	rmdir(redis->folder);
	buf_fini(&redis->heard);
}

#endif
