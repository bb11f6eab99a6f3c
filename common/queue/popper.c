/*
 * Popping: one BLMPOP under way, over the lists in the order of this pop. Whatever goes
 * wrong the answer is "nothing", and never before the time asked for is over, so that a
 * worker cannot spin on a broken Redis.
 *
 * A list that holds something else than a list would spoil the command for all others:
 * on such an error each list's TYPE is asked, and spoiled ones rest for a while.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/xalloc.h"
#include "queue/entry.h"
#include "queue/queue.h"
#include "queue/queue_core.h"
#include "queue/redis_conn.h"

#define PATIENCE USEC_SECOND /* for a connection to stand */
#define LATE                                                                           \
	(400 * USEC_MS) /* an answer, beyond the time that Redis may wait itself:      \
			   with it a second at most, as PostgreSQL is asked then */
#define WAIT_LEAST (10 * USEC_MS) /* 0 would be for ever */
#define LISTS_MAX  1024

/* Lives as long as the popper. */
struct pop_list {
	char *key;
	bool spoiled;
	usec_t ask_at; /* spoiled: when its type may be asked for again */
};

struct popper {
	struct loop *loop;
	struct redis_conn *conn;
	struct timer *timer; /* the end of a pop that Redis does not wait for */
	char *prefix;
	struct map *lists; /* key -> struct pop_list */
	struct queue_stats stats;

	bool busy;
	struct pop_list *asked[LISTS_MAX]; /* of the pop under way */
	size_t asked_count;
	usec_t until;
	popper_fn *done;
	void *context;
	struct step_ref refs[QUEUE_POP_MAX];
	size_t refs_count;
};

static void
answer(void *context)
{
	struct popper *popper = context;

	popper->busy = false;
	popper->done(popper->context, popper->refs, popper->refs_count);
}

/* Nothing: said when the time is over. */
static void
answer_nothing(struct popper *popper)
{
	popper->refs_count = 0;
	timer_set(popper->timer, popper->until - loop_mono(popper->loop));
}

static void
on_change(void *context)
{
	(void)context; /* a pop under way hears of it by its own call */
}

static void
on_attempt(void *context)
{
	struct popper *popper = context;

	popper->stats.connects++;
}

static const struct redis_conn_events events = { .on_attempt = on_attempt,
						 .on_up = on_change,
						 .on_down = on_change };

struct popper *
popper_new(struct loop *loop, const struct queue_conf *conf, struct err *err)
{
	struct popper *popper;
	struct redis_url url;

	if (redis_url_parse(conf->url, &url, err) < 0)
		return NULL;
	popper = xcalloc(1, sizeof *popper);
	popper->loop = loop;
	popper->prefix = xstrdup(conf->prefix);
	popper->lists = map_new();
	popper->timer = timer_new(loop, answer, popper);
	popper->conn = redis_conn_new(loop, &url, "popper", &events, popper);
	return popper;
}

static void
free_list(void *value)
{
	struct pop_list *list = value;

	free(list->key);
	free(list);
}

void
popper_free(struct popper **popper_p)
{
	struct popper *popper = *popper_p;

	if (popper == NULL)
		return;
	*popper_p = NULL;
	redis_conn_free(&popper->conn);
	timer_free(&popper->timer);
	map_free(&popper->lists, free_list);
	free(popper->prefix);
	free(popper);
}

bool
popper_is_busy(const struct popper *popper)
{
	return popper->busy;
}

const struct queue_stats *
popper_stats(const struct popper *popper)
{
	return &popper->stats;
}

static struct pop_list *
find_list(struct popper *popper, const char *name, enum priority priority)
{
	char *key = list_key(popper->prefix, name, priority);
	struct pop_list *list =
	    key != NULL ? map_get(popper->lists, key, strlen(key)) : NULL;

	if (list != NULL || key == NULL || map_count(popper->lists) >= LISTS_MAX) {
		free(key);
		return list;
	}
	list = xcalloc(1, sizeof *list);
	list->key = key;
	map_put(popper->lists, key, strlen(key), list);
	return list;
}

static void
set_spoiled(struct popper *popper, struct pop_list *list, const char *type)
{
	bool spoiled = strcmp(type, "list") != 0 && strcmp(type, "none") != 0;

	if (spoiled) {
		popper->stats.garbage++;
		list->ask_at = loop_mono(popper->loop) + SPOILED_REST;
	}
	if (spoiled && !list->spoiled)
		log_warn("list.spoiled", F_STR("list", list->key), F_STR("type", type));
	else if (!spoiled && list->spoiled)
		log_info("list.restored", F_STR("list", list->key));
	list->spoiled = spoiled;
}

static void
on_type(struct redis_call *call, const redisReply *reply)
{
	struct popper *popper = call->owner;

	if (reply != NULL && reply->type == REDIS_REPLY_STATUS)
		set_spoiled(popper, call->subject, reply->str);
}

static void
ask_type(struct popper *popper, struct pop_list *list)
{
	const struct redis_call call = {
		.done = on_type,
		.owner = popper,
		.subject = list,
		.patience = PATIENCE,
	};

	redis_conn_begin(popper->conn, 2);
	redis_conn_add_str(popper->conn, "TYPE");
	redis_conn_add_str(popper->conn, list->key);
	redis_conn_send(popper->conn, &call);
}

static void
keep_entry(struct popper *popper, const redisReply *entry)
{
	if (entry->type == REDIS_REPLY_STRING && popper->refs_count < QUEUE_POP_MAX &&
	    entry_read(entry->str, entry->len, &popper->refs[popper->refs_count]))
		popper->refs_count++;
	else
		popper->stats.garbage++;
}

/* [key, [entry...]] */
static void
on_entries(struct popper *popper, const redisReply *entries)
{
	popper->refs_count = 0;
	for (size_t i = 0; i < entries->elements; i++)
		keep_entry(popper, entries->element[i]);
	popper->stats.popped += popper->refs_count;
	if (popper->refs_count > 0)
		answer(popper);
	else
		answer_nothing(popper);
}

static void
on_error(struct popper *popper, const redisReply *reply)
{
	answer_nothing(popper);
	if (!redis_reply_is_wrong_type(reply)) {
		redis_conn_refused(popper->conn, reply->str);
		return;
	}
	for (size_t i = 0; i < popper->asked_count; i++)
		ask_type(popper, popper->asked[i]);
}

static void
on_popped(struct redis_call *call, const redisReply *reply)
{
	struct popper *popper = call->owner;

	if (reply == NULL) {
		answer_nothing(popper);
		return;
	}
	if (reply->type == REDIS_REPLY_ERROR) {
		on_error(popper, reply);
		return;
	}
	redis_conn_served(popper->conn);
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
	    reply->element[1]->type == REDIS_REPLY_ARRAY)
		on_entries(popper, reply->element[1]);
	else
		answer_nothing(popper);
}

/* Redis answers a little before its own time-out now and then; the timer takes the
 * rest. */
static void
send_pop(struct popper *popper, size_t most, usec_t wait)
{
	const struct redis_call call = {
		.done = on_popped,
		.owner = popper,
		.patience = wait + LATE,
	};
	char text[48];

	redis_conn_begin(popper->conn, popper->asked_count + 6);
	redis_conn_add_str(popper->conn, "BLMPOP");
	snprintf(text, sizeof text, "%lld.%03d", (long long)(wait / USEC_SECOND),
		 (int)(wait % USEC_SECOND / USEC_MS));
	redis_conn_add_str(popper->conn, text);
	snprintf(text, sizeof text, "%zu", popper->asked_count);
	redis_conn_add_str(popper->conn, text);
	for (size_t i = 0; i < popper->asked_count; i++)
		redis_conn_add_str(popper->conn, popper->asked[i]->key);
	redis_conn_add_str(popper->conn, "LEFT");
	redis_conn_add_str(popper->conn, "COUNT");
	snprintf(text, sizeof text, "%zu", most);
	redis_conn_add_str(popper->conn, text);
	redis_conn_send(popper->conn, &call);
}

/* A spoiled list is left out; when it has rested its type is asked for, which the reply
 * to this pop comes after. */
static void
choose_list(struct popper *popper, struct pop_list *list)
{
	usec_t now = loop_mono(popper->loop);

	if (list == NULL || popper->asked_count == LISTS_MAX)
		return;
	if (!list->spoiled) {
		popper->asked[popper->asked_count++] = list;
	} else if (now >= list->ask_at && redis_conn_is_connected(popper->conn)) {
		list->ask_at = now + SPOILED_REST;
		ask_type(popper, list);
	}
}

void
popper_pop(struct popper *popper, const char *const *names, size_t names_count,
	   const enum priority order[static PRIORITIES], size_t most, usec_t wait,
	   popper_fn *done, void *context)
{
	if (popper->busy)
		bug("popper_pop while a pop is under way");
	if (wait < WAIT_LEAST)
		wait = WAIT_LEAST;
	popper->busy = true;
	popper->done = done;
	popper->context = context;
	popper->until = loop_mono(popper->loop) + wait;
	popper->asked_count = 0;
	for (size_t i = 0; i < PRIORITIES; i++)
		for (size_t j = 0; j < names_count; j++)
			choose_list(popper, find_list(popper, names[j], order[i]));
	if (!redis_conn_is_connected(popper->conn) || popper->asked_count == 0)
		answer_nothing(popper);
	else
		send_pop(popper, most < QUEUE_POP_MAX ? most : QUEUE_POP_MAX, wait);
}
