/*
 * Pushing, publishing, depths: what may be dropped at any time. Each list has a guard
 * that learns its length from the replies to our own pushes, so that the bound costs no
 * command of its own until it is reached.
 */
#include "queue/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/point.h"
#include "base/xalloc.h"
#include "queue/entry.h"
#include "queue/queue_core.h"
#include "queue/redis_conn.h"

#define PATIENCE    USEC_SECOND       /* for a reply, before the connection is cut */
#define PROBE_PAUSE (2 * USEC_SECOND) /* of a quiet connection */
#define CALLS_MAX   10000             /* under way; more is dropped */
#define LISTS_MAX   4096              /* whose length is kept in mind */
#define MESSAGE_MAX (1024 * 1024)

/* Lives as long as the queue. */
struct list_state {
	char *key;
	struct guard guard;
	bool spoiled; /* holds something that is no list; told once */
};

struct depth_call {
	struct list link;
	struct queue *queue;
	queue_depth_fn *done;
	void *context;
	int64_t depth[PRIORITIES];
	size_t missing; /* replies */
	bool lost;
	struct timer *timer; /* answers when Redis is away */
};

struct queue {
	struct loop *loop;
	struct redis_conn *conn;
	struct timer *probe;
	char *prefix;
	struct map *lists;  /* key -> struct list_state */
	struct list depths; /* struct depth_call */
	struct queue_stats stats;
};

static void
on_up(void *context)
{
	struct queue *queue = context;

	timer_set(queue->probe, 0);
}

static void
on_down(void *context)
{
	struct queue *queue = context;

	timer_stop(queue->probe);
}

static void
on_attempt(void *context)
{
	struct queue *queue = context;

	queue->stats.connects++;
}

static const struct redis_conn_events events = { .on_attempt = on_attempt,
						 .on_up = on_up,
						 .on_down = on_down };

static void
on_probed(struct redis_call *call, const redisReply *reply)
{
	struct queue *queue = call->owner;

	if (reply == NULL)
		return;
	if (reply->type != REDIS_REPLY_ERROR || redis_reply_is_wrong_type(reply))
		redis_conn_served(queue->conn);
	else
		redis_conn_refused(queue->conn, reply->str);
}

/* Pushing onto what does not exist changes nothing, but is refused like any other
 * write: by a replica, with the memory or the disk full. */
static void
probe(struct queue *queue)
{
	const struct redis_call call = { .done = on_probed,
					 .owner = queue,
					 .patience = PATIENCE };
	char *key = xprintf("%s:probe", queue->prefix);

	redis_conn_begin(queue->conn, 3);
	redis_conn_add_str(queue->conn, "RPUSHX");
	redis_conn_add_str(queue->conn, key);
	redis_conn_add_str(queue->conn, "");
	redis_conn_send(queue->conn, &call);
	free(key);
}

static void
on_probe_time(void *context)
{
	struct queue *queue = context;

	timer_set(queue->probe, PROBE_PAUSE);
	if (redis_conn_waiting(queue->conn) == 0)
		probe(queue);
}

struct queue *
queue_new(struct loop *loop, const struct queue_conf *conf, struct err *err)
{
	struct queue *queue;
	struct redis_url url;

	if (redis_url_parse(conf->url, &url, err) < 0)
		return NULL;
	queue = xcalloc(1, sizeof *queue);
	queue->loop = loop;
	queue->prefix = xstrdup(conf->prefix);
	queue->lists = map_new();
	list_init(&queue->depths);
	queue->probe = timer_new(loop, on_probe_time, queue);
	queue->conn = redis_conn_new(loop, &url, "queue", &events, queue);
	return queue;
}

static void
free_list(void *value)
{
	struct list_state *list = value;

	free(list->key);
	free(list);
}

static void
free_depth(struct depth_call *call)
{
	list_remove(&call->link);
	timer_free(&call->timer);
	free(call);
}

void
queue_free(struct queue **queue_p)
{
	struct queue *queue = *queue_p;

	if (queue == NULL)
		return;
	*queue_p = NULL;
	redis_conn_free(&queue->conn);
	timer_free(&queue->probe);
	while (!list_empty(&queue->depths))
		free_depth(container_of(queue->depths.next, struct depth_call, link));
	map_free(&queue->lists, free_list);
	free(queue->prefix);
	free(queue);
}

bool
queue_is_up(const struct queue *queue)
{
	return redis_conn_is_up(queue->conn);
}

const struct queue_stats *
queue_stats(const struct queue *queue)
{
	return &queue->stats;
}

static bool
can_send(const struct queue *queue)
{
	return redis_conn_is_connected(queue->conn) &&
	       redis_conn_waiting(queue->conn) < CALLS_MAX;
}

/* NULL when the name is none, or there are too many lists. */
static struct list_state *
find_list(struct queue *queue, const char *name, enum priority priority)
{
	char *key = list_key(queue->prefix, name, priority);
	struct list_state *list =
	    key != NULL ? map_get(queue->lists, key, strlen(key)) : NULL;

	if (list != NULL || key == NULL || map_count(queue->lists) >= LISTS_MAX) {
		free(key);
		return list;
	}
	list = xcalloc(1, sizeof *list);
	list->key = key;
	map_put(queue->lists, key, strlen(key), list);
	return list;
}

static void
note_spoiled(struct queue *queue, struct list_state *list, const redisReply *reply)
{
	queue->stats.garbage++;
	if (!list->spoiled)
		log_warn("list.spoiled", F_STR("list", list->key),
			 F_STR("why", reply->str));
	list->spoiled = true;
}

/* What the reply to a command on a list says about Redis and about the list. */
static bool
is_served(struct queue *queue, struct list_state *list, const redisReply *reply)
{
	if (reply == NULL)
		return false;
	if (reply->type == REDIS_REPLY_INTEGER) {
		list->spoiled = false;
		guard_length(&list->guard, reply->integer, QUEUE_LIST_MAX,
			     loop_mono(queue->loop));
		return true;
	}
	if (redis_reply_is_wrong_type(reply))
		note_spoiled(queue, list, reply);
	else if (reply->type == REDIS_REPLY_ERROR)
		redis_conn_refused(queue->conn, reply->str);
	return false;
}

static void
on_pushed(struct redis_call *call, const redisReply *reply)
{
	struct queue *queue = call->owner;

	if (!is_served(queue, call->subject, reply)) {
		queue->stats.dropped += call->count;
		return;
	}
	queue->stats.pushed += call->count;
	POINT("bell.push.after");
	redis_conn_served(queue->conn);
}

static void
on_length(struct redis_call *call, const redisReply *reply)
{
	is_served(call->owner, call->subject, reply);
}

static void
ask_length(struct queue *queue, struct list_state *list)
{
	const struct redis_call call = {
		.done = on_length,
		.owner = queue,
		.subject = list,
		.patience = PATIENCE,
	};

	redis_conn_begin(queue->conn, 2);
	redis_conn_add_str(queue->conn, "LLEN");
	redis_conn_add_str(queue->conn, list->key);
	redis_conn_send(queue->conn, &call);
}

static void
push(struct queue *queue, struct list_state *list, const struct step_ref *refs,
     size_t count)
{
	const struct redis_call call = {
		.done = on_pushed,
		.owner = queue,
		.subject = list,
		.count = count,
		.patience = PATIENCE,
	};
	unsigned char entry[ENTRY_LEN];

	redis_conn_begin(queue->conn, 2 + count);
	redis_conn_add_str(queue->conn, "RPUSH");
	redis_conn_add_str(queue->conn, list->key);
	for (size_t i = 0; i < count; i++) {
		entry_write(&refs[i], entry);
		redis_conn_add(queue->conn, entry, sizeof entry);
	}
	redis_conn_send(queue->conn, &call);
}

void
queue_push(struct queue *queue, const char *name, enum priority priority,
	   const struct step_ref *refs, size_t count)
{
	struct list_state *list = NULL;

	if (count == 0)
		return;
	POINT("bell.push.before");
	if (can_send(queue))
		list = find_list(queue, name, priority);
	if (list != NULL && guard_wants_length(&list->guard, loop_mono(queue->loop)))
		ask_length(queue, list);
	if (list == NULL || list->guard.full)
		queue->stats.dropped += count;
	else
		push(queue, list, refs, count);
}

static void
on_published(struct redis_call *call, const redisReply *reply)
{
	struct queue *queue = call->owner;

	POINT("bell.publish.after");
	if (reply == NULL)
		queue->stats.dropped++;
	else if (reply->type == REDIS_REPLY_INTEGER)
		queue->stats.published++;
	else if (reply->type == REDIS_REPLY_ERROR)
		redis_conn_refused(queue->conn, reply->str);
}

void
queue_publish(struct queue *queue, const char *channel, const void *data, size_t len)
{
	const struct redis_call call = { .done = on_published,
					 .owner = queue,
					 .patience = PATIENCE };
	char *name;

	POINT("bell.publish.before");
	if (!can_send(queue) || len > MESSAGE_MAX) {
		queue->stats.dropped++;
		return;
	}
	name = xprintf("%s:%s", queue->prefix, channel);
	redis_conn_begin(queue->conn, 3);
	redis_conn_add_str(queue->conn, "PUBLISH");
	redis_conn_add_str(queue->conn, name);
	redis_conn_add(queue->conn, data, len);
	redis_conn_send(queue->conn, &call);
	free(name);
}

static void
answer_depth(void *context)
{
	struct depth_call *call = context;
	queue_depth_fn *done = call->done;
	void *done_context = call->context;
	int64_t depth[PRIORITIES];

	for (size_t i = 0; i < PRIORITIES; i++)
		depth[i] = call->lost ? -1 : call->depth[i];
	free_depth(call);
	done(done_context, depth);
}

static void
on_depth(struct redis_call *redis_call, const redisReply *reply)
{
	struct depth_call *call = redis_call->subject;
	int64_t length = -1;

	if (reply == NULL)
		call->lost = true;
	else if (reply->type == REDIS_REPLY_INTEGER)
		length = reply->integer;
	else if (reply->type == REDIS_REPLY_ERROR && !redis_reply_is_wrong_type(reply))
		redis_conn_refused(call->queue->conn, reply->str);
	call->depth[redis_call->count] = length;
	if (--call->missing == 0)
		answer_depth(call);
}

static void
ask_depth(struct queue *queue, struct depth_call *call, const char *name,
	  enum priority priority)
{
	const struct redis_call redis_call = {
		.done = on_depth,
		.owner = queue,
		.subject = call,
		.count = priority,
		.patience = PATIENCE,
	};
	char *key = list_key(queue->prefix, name, priority);

	redis_conn_begin(queue->conn, 2);
	redis_conn_add_str(queue->conn, "LLEN");
	redis_conn_add_str(queue->conn, key);
	redis_conn_send(queue->conn, &redis_call);
	free(key);
}

void
queue_depth(struct queue *queue, const char *name, queue_depth_fn *done, void *context)
{
	struct depth_call *call = xcalloc(1, sizeof *call);
	size_t len = strlen(name);

	call->queue = queue;
	call->done = done;
	call->context = context;
	call->timer = timer_new(queue->loop, answer_depth, call);
	list_push(&queue->depths, &call->link);
	if (!can_send(queue) || len == 0 || len > QUEUE_NAME_MAX) {
		call->lost = true;
		timer_set(call->timer, 0);
		return;
	}
	call->missing = PRIORITIES;
	for (enum priority i = 0; i < PRIORITIES; i++)
		ask_depth(queue, call, name, i);
}
