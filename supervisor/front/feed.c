/* Waiting for events. See feed.h. */
#include "front/feed.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/xalloc.h"

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
	struct subscriber *subscriber;
	struct list waits;
};

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
on_message(void *context, const char *channel, const void *data, size_t len)
{
	struct feed *feed = context;
	const unsigned char *entry = data;

	(void)channel;
	if (data == NULL) {
		wake_all(feed, NULL, 0);
		return;
	}
	if (list_empty(&feed->waits))
		return;
	for (; len >= ENTRY; len -= ENTRY, entry += ENTRY) {
		struct uuid run;
		uint64_t seq;

		memcpy(run.b, entry, sizeof run.b);
		memcpy(&seq, entry + sizeof run.b, sizeof seq);
		wake_all(feed, &run, (int64_t)be64toh(seq));
	}
}

struct feed *
feed_new(struct front *front, struct err *err)
{
	static const char *const channels[] = { CHANNEL_EVENTS };
	struct queue_conf conf = { front->settings->redis_url,
				   front->settings->redis_prefix };
	struct feed *feed = xcalloc(1, sizeof *feed);

	feed->front = front;
	list_init(&feed->waits);
	feed->subscriber =
	    subscriber_new(front->loop, &conf, channels, 1, on_message, feed, err);
	if (feed->subscriber == NULL)
		feed_free(&feed);
	return feed;
}

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
	subscriber_free(&feed->subscriber);
	free(feed);
	*feed_p = NULL;
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
	usec_t look = subscriber_is_up(feed->subscriber) ? FEED_TRUST : FEED_LOOK;

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

void
feed_announce(struct feed *feed, const struct uuid *run, int64_t seq)
{
	unsigned char entry[ENTRY];
	uint64_t order = htobe64((uint64_t)seq);

	memcpy(entry, run->b, sizeof run->b);
	memcpy(entry + sizeof run->b, &order, sizeof order);
	queue_publish(feed->front->queue, CHANNEL_EVENTS, entry, sizeof entry);
	wake_all(feed, run, seq);
}
