/*
 * Subscriptions to one run. Those of the same run share its tail; those that also stand
 * at about the same event share a place in the look, and each is given what it has not
 * had. A look under way holds no pointers: what it brings is given to who still has
 * that place.
 */
#include <stdlib.h>

#include "base/map.h"
#include "base/xalloc.h"
#include "front/feed_look.h"
#include "front/feed_priv.h"

/* So many events apart they may stand, as clients do that come back together. A page
 * that ends before the one ahead is of no use to it, so it may not be far. */
#define SHARED_SPAN 16

struct tail {
	struct list link; /* of the marked ones; alone when it is not */
	struct uuid run;
	struct list subs;
};

struct tails {
	struct feed *feed;
	struct map *by_run;
	struct list marked; /* to be looked up */
	struct feed_look *look;
	struct tail *answered; /* whose place is being handed out; NULL: gone.
				  Subscriptions die at the end of a turn, not here. */
};

static void
mark(struct tails *tails, struct tail *tail)
{
	list_remove(&tail->link);
	list_push(&tails->marked, &tail->link);
	feed_wake(tails->feed);
}

static struct tail *
find(const struct tails *tails, const struct uuid *run)
{
	return map_get(tails->by_run, run->b, sizeof run->b);
}

/* ---- who stands where ---- */

void
tails_add(struct tails *tails, struct feed_sub *sub)
{
	struct tail *tail = find(tails, &sub->filter.run);

	if (tail == NULL) {
		tail = xcalloc(1, sizeof *tail);
		tail->run = sub->filter.run;
		list_init(&tail->link);
		list_init(&tail->subs);
		map_put(tails->by_run, tail->run.b, sizeof tail->run.b, tail);
	}
	list_push(&tail->subs, &sub->link);
	mark(tails, tail);
}

void
tails_remove(struct tails *tails, struct feed_sub *sub)
{
	struct tail *tail = find(tails, &sub->filter.run);

	list_remove(&sub->link);
	if (!list_empty(&tail->subs))
		return;
	list_remove(&tail->link);
	map_remove(tails->by_run, tail->run.b, sizeof tail->run.b);
	free(tail);
}

void
tails_mark(struct tails *tails, const struct uuid *run, int64_t seq)
{
	struct tail *tail = find(tails, run);

	if (tail == NULL)
		return;
	list_each (it, &tail->subs) {
		struct feed_sub *sub = container_of(it, struct feed_sub, link);

		if (feed_sub_reads(sub) && (!sub->started || sub->seq < seq)) {
			mark(tails, tail);
			return;
		}
	}
}

void
tails_mark_all(struct tails *tails)
{
	size_t cursor = 0;
	void *tail;

	while (map_next(tails->by_run, &cursor, NULL, NULL, &tail))
		mark(tails, tail);
}

bool
tails_are_read(const struct tails *tails)
{
	size_t cursor = 0;
	void *value;

	while (map_next(tails->by_run, &cursor, NULL, NULL, &value)) {
		struct tail *tail = value;

		list_each (it, &tail->subs)
			if (feed_sub_reads(container_of(it, struct feed_sub, link)))
				return true;
	}
	return false;
}

/* ---- the question ---- */

/* Where it begins: at what it was given last; before it has started, at what it asked
 * for. */
static int64_t
begins_at(const struct feed_sub *sub)
{
	return sub->seq < 0 ? FEED_NOTHING : sub->seq;
}

/* The place of one that asks for the same or a little more, among those of this tail.
 */
static size_t
shared_place(const struct tails *tails, const struct feed_ask *ask, size_t from)
{
	for (size_t i = from; i < feed_look_count(tails->look); i++) {
		const struct feed_ask *other = feed_look_asked(tails->look, i);

		if (other->since <= ask->since &&
		    ask->since - other->since < SHARED_SPAN &&
		    other->whole == ask->whole && other->first == ask->first)
			return i;
	}
	return FEED_NO_PLACE;
}

/* False: there was no room for all of them. */
static bool
ask_for(struct tails *tails, struct tail *tail)
{
	size_t from = feed_look_count(tails->look);

	list_each (it, &tail->subs) {
		struct feed_sub *sub = container_of(it, struct feed_sub, link);
		struct feed_ask ask = { .run = tail->run,
					.since = begins_at(sub),
					.whole = !sub->filter.bare,
					.first = !sub->started };

		if (!feed_sub_reads(sub) || sub->place != FEED_NO_PLACE)
			continue;
		sub->place = shared_place(tails, &ask, from);
		if (sub->place == FEED_NO_PLACE && feed_look_is_full(tails->look))
			return false;
		if (sub->place == FEED_NO_PLACE)
			sub->place = feed_look_add(tails->look, &ask);
	}
	return true;
}

void
tails_look(struct tails *tails)
{
	struct list *first;

	if (feed_look_is_busy(tails->look))
		return;
	while (!feed_look_is_full(tails->look) &&
	       (first = list_shift(&tails->marked)) != NULL) {
		struct tail *tail = container_of(first, struct tail, link);

		if (!ask_for(tails, tail))
			mark(tails, tail);
	}
	feed_look_send(tails->look);
}

/* ---- the answer ---- */

static void
start(struct feed_sub *sub, const struct feed_state *state)
{
	const struct uuid *confined = &sub->filter.confined;
	struct err err = { 0 };

	sub->started = true;
	if (!state->there ||
	    (!uuid_is_nil(confined) && !uuid_equal(confined, &state->project))) {
		err_set(&err, ERR_NOT_FOUND, "there is no such execution");
		sub->paused = true; /* it is over: nothing is read for it */
		sub->over = true;
	} else if (sub->seq < 0 || sub->seq > state->last_seq) {
		sub->seq = state->last_seq;
	}
	sub->on_started(sub->context, state->last_seq, &err);
}

static void
on_state(void *context, size_t place, const struct feed_state *state)
{
	struct tails *tails = context;

	tails->answered = find(tails, &feed_look_asked(tails->look, place)->run);
	if (tails->answered == NULL)
		return;
	list_each (it, &tails->answered->subs) {
		struct feed_sub *sub = container_of(it, struct feed_sub, link);

		if (sub->place != place || sub->dead)
			continue;
		sub->last_seq = state->last_seq;
		sub->over = state->over || !state->there;
		if (!sub->started)
			start(sub, state);
	}
}

static void
on_event(void *context, size_t place, const struct feed_event *event, usec_t at)
{
	struct tails *tails = context;

	(void)at;
	if (tails->answered == NULL)
		return;
	list_each (it, &tails->answered->subs) {
		struct feed_sub *sub = container_of(it, struct feed_sub, link);

		if (sub->place != place || !feed_sub_reads(sub) ||
		    event->seq <= sub->seq)
			continue;
		sub->seq = event->seq;
		sub->on_event(sub->context, event);
		/* What it did not take comes again, even if it goes on at once. */
		if (sub->paused)
			sub->place = FEED_NO_PLACE;
	}
}

/* A page was full, or somebody did not take all of it: at once again. After a failure
 * the next tick asks. */
static void
settle(struct tails *tails, struct tail *tail, bool failed)
{
	bool again = false;

	list_each (it, &tail->subs) {
		struct feed_sub *sub = container_of(it, struct feed_sub, link);

		sub->place = FEED_NO_PLACE;
		if (!failed && feed_sub_reads(sub) && sub->started &&
		    sub->seq < sub->last_seq)
			again = true;
	}
	if (again)
		mark(tails, tail);
}

static void
on_end(void *context, const struct err *err)
{
	struct tails *tails = context;

	for (size_t i = 0; i < feed_look_count(tails->look); i++) {
		struct tail *tail = find(tails, &feed_look_asked(tails->look, i)->run);

		if (tail != NULL)
			settle(tails, tail, err->kind != ERR_NONE);
	}
	tails->answered = NULL;
	feed_wake(tails->feed);
}

/* ---- life ---- */

static const struct feed_look_events look_events = { on_state, on_event, on_end };

struct tails *
tails_new(struct feed *feed)
{
	struct tails *tails = xcalloc(1, sizeof *tails);

	tails->feed = feed;
	tails->by_run = map_new();
	list_init(&tails->marked);
	tails->look = feed_look_new(feed_pg(feed), &look_events, tails);
	return tails;
}

/* Its subscriptions are gone before. */
void
tails_free(struct tails **tails_p)
{
	struct tails *tails = *tails_p;

	if (tails == NULL)
		return;
	feed_look_free(&tails->look);
	map_free(&tails->by_run, NULL);
	free(tails);
	*tails_p = NULL;
}
