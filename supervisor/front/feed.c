/*
 * Who waits for events, and when it is looked for them: what Redis says, a tick without
 * it, and the end of the turn, at which all that was marked is looked up together. See
 * feed.h.
 */
#include "front/feed.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/siphash.h"
#include "base/xalloc.h"
#include "front/feed_priv.h"

#define FEED_LOOK  (500 * USEC_MS) /* without Redis */
#define FEED_TRUST USEC_SECOND     /* with it: it may hang, or lose a hint */
#define ENTRY      24              /* run id, seq */

struct feed_wait {
	struct list link;
	struct feed *feed;
	struct uuid run;
	int64_t since;
	struct timer *look;
	feed_fn *fn;
	void *context;
};

struct feed {
	struct front *front;
	struct pg *pg; /* its own: looks are plain and many, others do not wait */
	struct subscriber *subscriber;
	struct list waits;
	struct tails *tails;
	struct every *every;
	struct list dead; /* subscriptions that end with this turn */
	struct timer *tick;
	bool turn_queued; /* on_turn will come at the end of this turn */
	bool freed;       /* nothing but on_turn still knows it */
};

static usec_t
look_interval(const struct feed *feed)
{
	return subscriber_is_up(feed->subscriber) ? FEED_TRUST : FEED_LOOK;
}

/* ---- waits ---- */

static void
wake(struct feed_wait *wait)
{
	feed_fn *fn = wait->fn;
	void *context = wait->context;

	feed_wait_cancel(&wait);
	fn(context);
}

/* Those that wait for the run (NULL: all), if it got that far. */
static void
wake_all(struct feed *feed, const struct uuid *run, int64_t seq)
{
	list_each_safe (it, &feed->waits) {
		struct feed_wait *wait = container_of(it, struct feed_wait, link);

		if (run == NULL || (uuid_equal(&wait->run, run) && seq > wait->since))
			wake(wait);
	}
}

static void
on_look(void *context)
{
	wake(context);
}

struct feed_wait *
feed_wait(struct feed *feed, const struct uuid *run, int64_t since, usec_t most,
	  feed_fn *fn, void *context)
{
	struct feed_wait *wait = xcalloc(1, sizeof *wait);
	usec_t look = look_interval(feed);

	wait->feed = feed;
	wait->run = *run;
	wait->since = since;
	wait->fn = fn;
	wait->context = context;
	wait->look = timer_new(feed->front->loop, on_look, wait);
	timer_set(wait->look, most < look ? most : look);
	list_push(&feed->waits, &wait->link);
	return wait;
}

void
feed_wait_cancel(struct feed_wait **wait_p)
{
	struct feed_wait *wait = *wait_p;

	if (wait == NULL)
		return;
	list_remove(&wait->link);
	timer_free(&wait->look);
	free(wait);
	*wait_p = NULL;
}

/* ---- when it is looked ---- */

static void
bury(struct feed_sub *sub)
{
	struct feed *feed = sub->feed;

	list_remove(&sub->dead_link);
	if (sub->filter.every)
		every_remove(feed->every, sub);
	else
		tails_remove(feed->tails, sub);
	free(sub->requested_by);
	free(sub);
}

static void
bury_dead(struct feed *feed)
{
	struct list *first;

	while ((first = list_shift(&feed->dead)) != NULL)
		bury(container_of(first, struct feed_sub, dead_link));
}

static bool
is_read(const struct feed *feed)
{
	return tails_are_read(feed->tails) || every_is_read(feed->every);
}

static void
on_turn(void *context)
{
	struct feed *feed = context;

	feed->turn_queued = false;
	if (feed->freed) {
		free(feed);
		return;
	}
	bury_dead(feed);
	tails_look(feed->tails);
	every_look(feed->every);
	if (!timer_is_set(feed->tick) && is_read(feed))
		timer_set(feed->tick, look_interval(feed));
}

void
feed_wake(struct feed *feed)
{
	if (feed->turn_queued)
		return;
	feed->turn_queued = true;
	loop_defer(feed->front->loop, on_turn, feed);
}

/* Hints may be missing. While nobody takes anything, nothing is asked. */
static void
mark_all(struct feed *feed)
{
	tails_mark_all(feed->tails);
	every_mark_all(feed->every);
	feed_wake(feed);
}

static void
on_tick(void *context)
{
	struct feed *feed = context;

	if (is_read(feed))
		mark_all(feed);
}

static void
on_message(void *context, const char *channel, const void *data, size_t len)
{
	struct feed *feed = context;
	const unsigned char *entry = data;

	(void)channel;
	if (data == NULL) {
		wake_all(feed, NULL, 0);
		if (is_read(feed))
			mark_all(feed);
		return;
	}
	for (; len >= ENTRY; len -= ENTRY, entry += ENTRY) {
		struct uuid run;
		uint64_t order;
		int64_t seq;

		memcpy(run.b, entry, sizeof run.b);
		memcpy(&order, entry + sizeof run.b, sizeof order);
		seq = (int64_t)be64toh(order);
		wake_all(feed, &run, seq);
		tails_mark(feed->tails, &run, seq);
		every_mark(feed->every, &run, seq);
	}
}

void
feed_announce(struct feed *feed, const struct uuid *run, int64_t seq)
{
	unsigned char entry[ENTRY];
	uint64_t order = htobe64((uint64_t)seq);

	memcpy(entry, run->b, sizeof run->b);
	memcpy(entry + sizeof run->b, &order, sizeof order);
	queue_publish(feed->front->queue, CHANNEL_EVENTS, entry, sizeof entry);
	wake_all(feed, run, seq);
	tails_mark(feed->tails, run, seq);
	every_mark(feed->every, run, seq);
}

/* ---- subscriptions ---- */

struct feed_sub *
feed_subscribe(struct feed *feed, const struct feed_filter *filter, int64_t since,
	       feed_started_fn *on_started, feed_event_fn *on_event, void *context)
{
	struct feed_sub *sub = xcalloc(1, sizeof *sub);

	sub->feed = feed;
	sub->filter = *filter;
	sub->filter.requested_by = NULL;
	if (filter->requested_by != NULL) {
		sub->requested_by = xstrdup(filter->requested_by);
		sub->filter.requested_by = sub->requested_by;
		sub->requested_by_hash = feed_hash(filter->requested_by);
	}
	sub->on_started = on_started;
	sub->on_event = on_event;
	sub->context = context;
	sub->seq = since;
	sub->place = FEED_NO_PLACE;
	list_init(&sub->link);
	list_init(&sub->dead_link);
	if (filter->every)
		every_add(feed->every, sub);
	else
		tails_add(feed->tails, sub);
	feed_wake(feed);
	return sub;
}

void
feed_unsubscribe(struct feed_sub **sub_p)
{
	struct feed_sub *sub = *sub_p;

	*sub_p = NULL;
	if (sub == NULL || sub->dead)
		return;
	sub->dead = true;
	list_push(&sub->feed->dead, &sub->dead_link);
	feed_wake(sub->feed);
}

void
feed_pause(struct feed_sub *sub, bool pause)
{
	if (sub->dead || sub->paused == pause)
		return;
	sub->paused = pause;
	if (pause)
		return;
	if (sub->filter.every)
		every_mark_all(sub->feed->every);
	else
		tails_mark(sub->feed->tails, &sub->filter.run, FEED_ANY_SEQ);
	feed_wake(sub->feed);
}

bool
feed_at_end(const struct feed_sub *sub)
{
	return sub->started && sub->over && sub->seq >= sub->last_seq;
}

struct pg *
feed_pg(const struct feed *feed)
{
	return feed->pg;
}

uint64_t
feed_hash(const char *text)
{
	uint64_t hash = siphash(siphash_seed(), text, strlen(text));

	return hash != 0 ? hash : 1;
}

/* ---- life ---- */

struct feed *
feed_new(struct front *front, struct err *err)
{
	static const char *const channels[] = { CHANNEL_EVENTS };
	struct queue_conf conf = { front->settings->redis_url,
				   front->settings->redis_prefix };
	struct pg_conf pg = { .url = front->settings->database_url,
			      .application = "stepmill front feed",
			      .statement_timeout =
				  front->settings->database_statement_timeout,
			      .hot = true };
	struct feed *feed = xcalloc(1, sizeof *feed);

	feed->front = front;
	list_init(&feed->waits);
	list_init(&feed->dead);
	feed->pg = pg_new(front->loop, &pg, err);
	if (feed->pg == NULL) {
		free(feed);
		return NULL;
	}
	feed->tails = tails_new(feed);
	feed->every = every_new(feed);
	feed->tick = timer_new(front->loop, on_tick, feed);
	feed->subscriber =
	    subscriber_new(front->loop, &conf, channels, 1, on_message, feed, err);
	if (feed->subscriber == NULL)
		feed_free(&feed);
	return feed;
}

/* Who subscribed has ended it before. */
void
feed_free(struct feed **feed_p)
{
	struct feed *feed = *feed_p;

	if (feed == NULL)
		return;
	while (!list_empty(&feed->waits)) {
		struct feed_wait *wait =
		    container_of(feed->waits.next, struct feed_wait, link);

		feed_wait_cancel(&wait);
	}
	bury_dead(feed);
	subscriber_free(&feed->subscriber);
	timer_free(&feed->tick);
	every_free(&feed->every);
	tails_free(&feed->tails);
	pg_free(&feed->pg);
	feed->freed = true;
	if (!feed->turn_queued)
		free(feed);
	*feed_p = NULL;
}
