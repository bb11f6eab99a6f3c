/*
 * Subscribing. What was published while the connection was away is gone; the owner is
 * told to look again. A quiet connection is pinged, since nothing else would show that
 * it hangs.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "queue/queue.h"
#include "queue/redis_conn.h"

#define PING_PAUSE    (5 * USEC_SECOND)
#define PING_PATIENCE USEC_SECOND

struct subscriber {
	struct loop *loop;
	struct redis_conn *conn;
	struct timer *timer; /* the next ping, or the end of patience with one */
	bool pinged;
	char *prefix;
	char **channels; /* full names */
	size_t count, confirmed;
	subscriber_fn *on_message;
	void *context;
	struct queue_stats stats;
};

static void
on_up(void *context)
{
	struct subscriber *subscriber = context;

	subscriber->confirmed = 0;
	redis_conn_begin(subscriber->conn, 1 + subscriber->count);
	redis_conn_add_str(subscriber->conn, "SUBSCRIBE");
	for (size_t i = 0; i < subscriber->count; i++)
		redis_conn_add_str(subscriber->conn, subscriber->channels[i]);
	redis_conn_send(subscriber->conn, NULL);
	subscriber->pinged = true; /* the confirmations are awaited like a pong */
	timer_set(subscriber->timer, PING_PATIENCE);
}

static void
on_down(void *context)
{
	struct subscriber *subscriber = context;

	subscriber->confirmed = 0;
	timer_stop(subscriber->timer);
}

static void
on_time(void *context)
{
	struct subscriber *subscriber = context;

	if (subscriber->pinged) {
		redis_conn_cut(subscriber->conn, "a ping got no answer in time");
		return;
	}
	redis_conn_begin(subscriber->conn, 1);
	redis_conn_add_str(subscriber->conn, "PING");
	redis_conn_send(subscriber->conn, NULL);
	subscriber->pinged = true;
	timer_set(subscriber->timer, PING_PATIENCE);
}

static bool
is_text(const redisReply *reply, const char *text)
{
	return reply->type == REDIS_REPLY_STRING && strcasecmp(reply->str, text) == 0;
}

static void
hand_over(struct subscriber *subscriber, const redisReply *channel,
	  const redisReply *data)
{
	size_t prefix = strlen(subscriber->prefix) + 1;

	if (channel->type != REDIS_REPLY_STRING || data->type != REDIS_REPLY_STRING ||
	    channel->len <= prefix)
		return;
	subscriber->stats.received++;
	subscriber->on_message(subscriber->context, channel->str + prefix, data->str,
			       data->len);
}

static void
confirm(struct subscriber *subscriber)
{
	if (++subscriber->confirmed == subscriber->count)
		subscriber->on_message(subscriber->context, "", NULL, 0);
}

/* Anything that comes shows that the connection lives. The owner may free us while it
 * is told, so that comes last. */
static void
on_message(void *context, const redisReply *reply)
{
	struct subscriber *subscriber = context;

	subscriber->pinged = false;
	timer_set(subscriber->timer, PING_PAUSE);
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3)
		return;
	if (is_text(reply->element[0], "message"))
		hand_over(subscriber, reply->element[1], reply->element[2]);
	else if (is_text(reply->element[0], "subscribe"))
		confirm(subscriber);
}

static void
on_attempt(void *context)
{
	struct subscriber *subscriber = context;

	subscriber->stats.connects++;
}

static const struct redis_conn_events events = {
	.on_attempt = on_attempt,
	.on_up = on_up,
	.on_down = on_down,
	.on_message = on_message,
};

static void
keep_channels(struct subscriber *subscriber, const char *const *channels, size_t count)
{
	subscriber->channels = xcalloc(count, sizeof *subscriber->channels);
	subscriber->count = count;
	for (size_t i = 0; i < count; i++)
		subscriber->channels[i] =
		    xprintf("%s:%s", subscriber->prefix, channels[i]);
}

struct subscriber *
subscriber_new(struct loop *loop, const struct queue_conf *conf,
	       const char *const *channels, size_t count, subscriber_fn *on_message_fn,
	       void *context, struct err *err)
{
	struct subscriber *subscriber;
	struct redis_url url;

	if (count == 0)
		bug("a subscriber without channels");
	if (redis_url_parse(conf->url, &url, err) < 0)
		return NULL;
	subscriber = xcalloc(1, sizeof *subscriber);
	subscriber->loop = loop;
	subscriber->prefix = xstrdup(conf->prefix);
	keep_channels(subscriber, channels, count);
	subscriber->on_message = on_message_fn;
	subscriber->context = context;
	subscriber->timer = timer_new(loop, on_time, subscriber);
	subscriber->conn =
	    redis_conn_new(loop, &url, "subscriber", &events, subscriber);
	return subscriber;
}

void
subscriber_free(struct subscriber **subscriber_p)
{
	struct subscriber *subscriber = *subscriber_p;

	if (subscriber == NULL)
		return;
	*subscriber_p = NULL;
	redis_conn_free(&subscriber->conn);
	timer_free(&subscriber->timer);
	for (size_t i = 0; i < subscriber->count; i++)
		free(subscriber->channels[i]);
	free(subscriber->channels);
	free(subscriber->prefix);
	free(subscriber);
}

bool
subscriber_is_up(const struct subscriber *subscriber)
{
	return redis_conn_is_up(subscriber->conn) &&
	       subscriber->confirmed == subscriber->count;
}

const struct queue_stats *
subscriber_stats(const struct subscriber *subscriber)
{
	return &subscriber->stats;
}
