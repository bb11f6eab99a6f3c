/*
 * Subscriptions to every run, or to all of a workflow, a project, a client. Which runs
 * there are says feed_runs.c; here their logs are looked up, once for all who want a
 * run, and given to those.
 */
#include <stdlib.h>
#include <time.h>

#include "base/xalloc.h"
#include "front/feed_look.h"
#include "front/feed_priv.h"
#include "front/feed_runs.h"

/* How long it is remembered of a run that nobody wants it. */
#define UNWANTED (60 * USEC_SECOND)
struct every {
	struct feed *feed;
	struct list subs;
	struct feed_runs *runs;
	struct list marked; /* runs to be looked up */
	struct feed_look *look;
	usec_t looked_at; /* PostgreSQL's time, of the look that is handed out */
	/* PostgreSQL's clock is ahead of our monotonic one by so much at least, and at
	 * most; 0: not known. */
	usec_t ahead_least, ahead_most;
	usec_t page_sent; /* monotonic */
	unsigned version; /* of the subscriptions; never 0 */
};

/* ---- who wants what ---- */

static bool
fits(const struct uuid *wanted, const struct uuid *has)
{
	return uuid_is_nil(wanted) || uuid_equal(wanted, has);
}

static bool
wants(const struct feed_sub *sub, const struct feed_run *run)
{
	const struct feed_filter *filter = &sub->filter;

	return !sub->dead &&
	       (sub->requested_by_hash == 0 ||
		sub->requested_by_hash == run->requested_by) &&
	       fits(&filter->workflow, &run->workflow) &&
	       fits(&filter->project, &run->project) &&
	       fits(&filter->confined, &run->project) &&
	       !(filter->alive_only && run->ended_before);
}

/* Somebody wants it, and takes events at the moment. */
static bool
is_wanted(struct every *every, struct feed_run *run)
{
	bool paused = false;

	if (run->unwanted == every->version)
		return false;
	list_each (it, &every->subs) {
		struct feed_sub *sub = container_of(it, struct feed_sub, link);

		if (!wants(sub, run))
			continue;
		if (!sub->paused)
			return true;
		paused = true;
	}
	if (!paused)
		run->unwanted = every->version;
	return false;
}

bool
every_is_read(const struct every *every)
{
	list_each (it, &every->subs)
		if (feed_sub_reads(container_of(it, struct feed_sub, link)))
			return true;
	return false;
}

static void
mark(struct every *every, struct feed_run *run)
{
	if (!is_wanted(every, run))
		return;
	list_remove(&run->link);
	list_push(&every->marked, &run->link);
	feed_wake(every->feed);
}

void
every_mark(struct every *every, const struct uuid *id, int64_t seq)
{
	struct feed_run *run = feed_runs_find(every->runs, id);

	if (run == NULL && every_is_read(every))
		feed_runs_hear(every->runs, id);
	else if (run != NULL && run->met_at != 0 && run->seq < seq)
		mark(every, run);
}

/* Nobody will miss it. */
static bool
can_go(struct every *every, struct feed_run *run)
{
	if (feed_runs_is_past(every->runs, run))
		return true;
	return run->unwanted == every->version &&
	       run->met_at < feed_runs_now(every->runs) - UNWANTED;
}

void
every_mark_all(struct every *every)
{
	struct feed_run *run;
	size_t cursor = 0;

	if (!every_is_read(every))
		return;
	while ((run = feed_runs_next(every->runs, &cursor)) != NULL) {
		if (can_go(every, run))
			feed_runs_drop(every->runs, run);
		else if (run->settled_at == 0)
			mark(every, run);
	}
	feed_runs_sweep(every->runs);
	feed_wake(every->feed);
}

/* ---- subscriptions ---- */

/* Read anew, where the cached time of the turn would be too early. */
static usec_t
mono_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (usec_t)now.tv_sec * USEC_SECOND + now.tv_nsec / 1000;
}

/* Runs that nobody wanted are met again: what they logged meanwhile was given to
 * nobody.
 */
static void
forget_unwanted(struct every *every)
{
	struct feed_run *run;
	size_t cursor = 0;

	while ((run = feed_runs_next(every->runs, &cursor)) != NULL)
		if (run->unwanted == every->version)
			feed_runs_drop(every->runs, run);
}

static void
change_version(struct every *every)
{
	every->version = every->version == UINT32_MAX ? 1 : every->version + 1;
}

void
every_add(struct every *every, struct feed_sub *sub)
{
	forget_unwanted(every);
	sub->called = mono_now();
	list_push(&every->subs, &sub->link);
	change_version(every);
	feed_runs_sweep(every->runs);
}

/* With the last one all that was known goes. */
void
every_remove(struct every *every, struct feed_sub *sub)
{
	list_remove(&sub->link);
	if (!list_empty(&every->subs))
		return;
	list_init(&every->marked);
	feed_runs_clear(every->runs);
	every->ahead_least = every->ahead_most = 0;
}

/* A run made after the call is for it as a whole: who subscribes and then starts one
 * misses nothing. Of others nothing that was logged before the call. */
static void
start_new(struct every *every)
{
	struct err none = { 0 };

	if (every->ahead_most == 0)
		return;
	list_each (it, &every->subs) {
		struct feed_sub *sub = container_of(it, struct feed_sub, link);

		if (sub->started || sub->dead)
			continue;
		sub->started = true;
		sub->made_since = sub->called + every->ahead_least;
		sub->logged_since = sub->called + every->ahead_most;
		sub->on_started(sub->context, 0, &none);
	}
}

/* It looked at its clock after we asked and before we have the answer. */
static void
on_page(void *context, usec_t now)
{
	struct every *every = context;

	every->ahead_least = now - mono_now();
	every->ahead_most = now - every->page_sent;
	start_new(every);
}

static void
on_send(void *context)
{
	struct every *every = context;

	every->page_sent = mono_now();
}

static void
on_run(void *context, struct feed_run *run)
{
	mark(context, run);
}

static void
on_wake(void *context)
{
	struct every *every = context;

	feed_wake(every->feed);
}

/* ---- looking ---- */

void
every_look(struct every *every)
{
	struct list *first;

	start_new(every);
	if (!every_is_read(every))
		return;
	feed_runs_ask(every->runs);
	if (feed_look_is_busy(every->look))
		return;
	while (!feed_look_is_full(every->look) &&
	       (first = list_shift(&every->marked)) != NULL) {
		struct feed_run *run = container_of(first, struct feed_run, link);

		if (is_wanted(every, run))
			feed_look_add(every->look,
				      &(struct feed_ask){ .run = run->id,
							  .since = run->seq,
							  .whole = true });
	}
	feed_look_send(every->look);
}

/* NULL: it was forgotten meanwhile, and may be met anew. */
static struct feed_run *
run_at(const struct every *every, size_t place)
{
	struct feed_run *run =
	    feed_runs_find(every->runs, &feed_look_asked(every->look, place)->run);

	return run != NULL && run->met_at != 0 ? run : NULL;
}

static void
on_state(void *context, size_t place, const struct feed_state *state)
{
	struct every *every = context;
	struct feed_run *run = run_at(every, place);

	if (run == NULL)
		return;
	if (!state->there) {
		feed_runs_drop(every->runs, run);
		return;
	}
	run->stopped = false;
	run->over = state->over;
	run->last_seq = state->last_seq;
	every->looked_at = state->now;
}

/* False: all who want it take nothing at the moment; it waits for them. */
static bool
give(struct every *every, const struct feed_run *run, const struct feed_event *event,
     usec_t at)
{
	bool taken = false, wanted = false;

	list_each (it, &every->subs) {
		struct feed_sub *sub = container_of(it, struct feed_sub, link);

		if (!sub->started || !wants(sub, run))
			continue;
		wanted = true;
		if (sub->paused)
			continue;
		taken = true;
		if (at >= sub->logged_since || run->made_at >= sub->made_since)
			sub->on_event(sub->context, event);
	}
	return taken || !wanted;
}

static void
on_event(void *context, size_t place, const struct feed_event *event, usec_t at)
{
	struct every *every = context;
	struct feed_run *run = run_at(every, place);

	if (run == NULL || run->stopped || event->seq <= run->seq)
		return;
	if (give(every, run, event, at))
		run->seq = event->seq;
	else
		run->stopped = true;
}

static void
on_end(void *context, const struct err *err)
{
	struct every *every = context;

	/* After a failure the next tick marks them. */
	for (size_t i = 0; err->kind == ERR_NONE && i < feed_look_count(every->look);
	     i++) {
		struct feed_run *run = run_at(every, i);

		if (run == NULL)
			continue;
		run->settled_at = 0;
		if (run->seq < run->last_seq)
			mark(every, run); /* the page was full */
		else if (run->over)
			run->settled_at = every->looked_at;
	}
	feed_wake(every->feed);
}

/* ---- life ---- */

static const struct feed_look_events look_events = { on_state, on_event, on_end };
static const struct feed_runs_events runs_events = { on_send, on_page, on_run,
						     on_wake };

struct every *
every_new(struct feed *feed)
{
	struct every *every = xcalloc(1, sizeof *every);
	struct pg *pg = feed_pg(feed);

	every->feed = feed;
	every->version = 1;
	list_init(&every->subs);
	list_init(&every->marked);
	every->runs = feed_runs_new(pg, &runs_events, every);
	every->look = feed_look_new(pg, &look_events, every);
	return every;
}

/* Its subscriptions are gone before. */
void
every_free(struct every **every_p)
{
	struct every *every = *every_p;

	if (every == NULL)
		return;
	feed_look_free(&every->look);
	feed_runs_free(&every->runs);
	free(every);
	*every_p = NULL;
}
