/* Finding runs and meeting them. See feed_runs.h. */
#include "front/feed_runs.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "base/xalloc.h"
#include "front/feed_priv.h"

#define PAGE   1000
#define MEET   500
#define MARGIN (10 * USEC_SECOND) /* of clocks, and of transactions that last */

/* Pages of one kind, from the first to one that is not full. */
struct sweep {
	struct uuid after; /* nil: the next page is the first */
	usec_t began;
	usec_t swept; /* when the last whole one began */
};

struct feed_runs {
	struct pg *pg;
	const struct feed_runs_events *events;
	void *context;
	struct map *by_id;
	struct list unmet;
	struct uuid meeting[MEET];
	size_t meeting_count; /* under way */
	struct sweep fresh, open;
	usec_t began; /* the lowest floor; 0: no page has come yet */
	usec_t now;
	bool paging, page_wanted, meet_wanted;
	bool all_open_met; /* the first sweep of open ones is through */
	bool crowded;
};

/* ---- the runs that are known ---- */

struct feed_run *
feed_runs_find(const struct feed_runs *runs, const struct uuid *id)
{
	return map_get(runs->by_id, id->b, sizeof id->b);
}

struct feed_run *
feed_runs_next(const struct feed_runs *runs, size_t *cursor)
{
	void *value;

	while (map_next(runs->by_id, cursor, NULL, NULL, &value)) {
		struct feed_run *run = value;

		if (run->met_at != 0)
			return run;
	}
	return NULL;
}

void
feed_runs_drop(struct feed_runs *runs, struct feed_run *run)
{
	map_remove(runs->by_id, run->id.b, sizeof run->id.b);
	list_remove(&run->link);
	free(run);
	runs->crowded = false;
}

static void
want_meeting(struct feed_runs *runs, struct feed_run *run)
{
	list_push(&runs->unmet, &run->link);
	runs->meet_wanted = true;
	runs->events->on_wake(runs->context);
}

static void
add(struct feed_runs *runs, const struct uuid *id)
{
	struct feed_run *run;

	if (map_count(runs->by_id) >= FEED_RUNS_MAX) {
		if (!runs->crowded)
			log_warn("feed.crowded", F_INT("runs", FEED_RUNS_MAX));
		runs->crowded = true;
		return;
	}
	run = xcalloc(1, sizeof *run);
	run->id = *id;
	list_init(&run->link);
	map_put(runs->by_id, run->id.b, sizeof run->id.b, run);
	want_meeting(runs, run);
}

void
feed_runs_hear(struct feed_runs *runs, const struct uuid *id)
{
	if (feed_runs_find(runs, id) == NULL)
		add(runs, id);
}

static usec_t
floor_of(const struct feed_runs *runs)
{
	usec_t swept =
	    runs->fresh.swept < runs->open.swept ? runs->fresh.swept : runs->open.swept;

	return swept - MARGIN > runs->began ? swept - MARGIN : runs->began;
}

bool
feed_runs_is_past(const struct feed_runs *runs, const struct feed_run *run)
{
	return run->over && run->settled_at != 0 && run->settled_at < floor_of(runs);
}

usec_t
feed_runs_now(const struct feed_runs *runs)
{
	return runs->now;
}

/* ---- meeting ---- */

static void
meet(struct feed_runs *runs, struct feed_run *run, const struct pg_rows *rows, int row)
{
	size_t len;

	run->seq = run->last_seq = pg_int(rows, row, 1);
	run->over = pg_bool(rows, row, 2);
	run->ended_before = pg_bool(rows, row, 3);
	run->workflow = pg_uuid(rows, row, 4);
	run->project = pg_uuid(rows, row, 5);
	run->requested_by =
	    pg_is_null(rows, row, 6) ? 0 : feed_hash(pg_text(rows, row, 6, &len));
	run->made_at = pg_time(rows, row, 7);
	run->met_at = runs->now;
	runs->events->on_run(runs->context, run);
}

/* Those that were asked for and not met: there are none such, or we shall ask again. */
static void
part(struct feed_runs *runs, bool failed)
{
	for (size_t i = 0; i < runs->meeting_count; i++) {
		struct feed_run *run = feed_runs_find(runs, &runs->meeting[i]);

		if (run == NULL || run->met_at != 0)
			continue;
		if (failed)
			list_push(&runs->unmet, &run->link);
		else
			feed_runs_drop(runs, run);
	}
	runs->meeting_count = 0;
}

static void
on_met(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct feed_runs *runs = context;

	(void)err; /* the next tick asks again */
	for (int row = 0; rows != NULL && row < pg_count(rows); row++) {
		struct uuid id = pg_uuid(rows, row, 0);
		struct feed_run *run = feed_runs_find(runs, &id);

		if (run != NULL && run->met_at == 0)
			meet(runs, run, rows, row);
	}
	part(runs, rows == NULL);
	if (rows != NULL && !list_empty(&runs->unmet))
		runs->meet_wanted = true;
	runs->events->on_wake(runs->context);
}

static void
ask_to_meet(struct feed_runs *runs)
{
	struct pg_args args;
	struct list *first;

	runs->meet_wanted = false;
	if (list_empty(&runs->unmet))
		return;
	pg_args_init(&args);
	pg_array_begin(&args, PG_UUID);
	while (runs->meeting_count < MEET &&
	       (first = list_shift(&runs->unmet)) != NULL) {
		struct feed_run *run = container_of(first, struct feed_run, link);

		runs->meeting[runs->meeting_count++] = run->id;
		pg_arg_uuid(&args, &run->id);
	}
	pg_array_end(&args);
	pg_arg_time(&args, floor_of(runs));
	pg_query(runs->pg, "feed_meet", &args, on_met, runs);
	pg_args_fini(&args);
}

/* ---- sweeping ---- */

/* The end of a page of one kind. True: it was full, and there is another. */
static bool
turn_page(struct sweep *sweep, usec_t now, const struct uuid *last, int count)
{
	if (uuid_is_nil(&sweep->after))
		sweep->began = now;
	if (count == PAGE) {
		sweep->after = *last;
		return true;
	}
	sweep->swept = sweep->began;
	sweep->after = (struct uuid){ 0 };
	return false;
}

/* Of those not over, a known one that was over goes on. */
static void
find_one(struct feed_runs *runs, const struct uuid *id, bool is_fresh)
{
	struct feed_run *run = feed_runs_find(runs, id);

	if (run == NULL) {
		add(runs, id);
	} else if (!is_fresh && run->met_at != 0 && run->over) {
		run->ended_before = false;
		run->unwanted = 0;
		runs->events->on_run(runs->context, run);
	}
}

static void
read_page(struct feed_runs *runs, const struct pg_rows *rows)
{
	struct uuid last[2] = { 0 };
	int counts[2] = { 0 };

	for (int row = 0; row < pg_count(rows); row++) {
		struct uuid id;
		bool is_fresh;

		if (pg_is_null(rows, row, 0))
			continue;
		id = pg_uuid(rows, row, 0);
		is_fresh = pg_bool(rows, row, 1);
		counts[is_fresh]++;
		if (uuid_compare(&id, &last[is_fresh]) > 0)
			last[is_fresh] = id;
		find_one(runs, &id, is_fresh);
	}
	/* What is open goes on with the next tick, but for the first time. */
	if (turn_page(&runs->fresh, runs->now, &last[true], counts[true]))
		runs->page_wanted = true;
	if (!turn_page(&runs->open, runs->now, &last[false], counts[false]))
		runs->all_open_met = true;
	else if (!runs->all_open_met)
		runs->page_wanted = true;
}

static void
on_page(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct feed_runs *runs = context;

	(void)err; /* the next tick asks again */
	runs->paging = false;
	if (rows == NULL)
		return;
	for (int row = 0; row < pg_count(rows); row++)
		if (pg_is_null(rows, row, 0))
			runs->now = pg_time(rows, row, 2);
	if (runs->began == 0) {
		runs->began = runs->now - MARGIN;
		runs->fresh.swept = runs->open.swept = runs->now;
	}
	read_page(runs, rows);
	runs->events->on_page(runs->context, runs->now);
	runs->events->on_wake(runs->context);
}

static void
ask_for_page(struct feed_runs *runs)
{
	struct pg_args args;

	runs->paging = true;
	runs->page_wanted = false;
	runs->events->on_send(runs->context);
	pg_args_init(&args);
	pg_arg_time(&args, runs->fresh.swept); /* 0 before the first: then null */
	pg_arg_uuid(&args, &runs->fresh.after);
	pg_arg_uuid(&args, &runs->open.after);
	pg_arg_int4(&args, PAGE);
	pg_query(runs->pg, "feed_runs", &args, on_page, runs);
	pg_args_fini(&args);
}

void
feed_runs_sweep(struct feed_runs *runs)
{
	runs->page_wanted = true;
	runs->meet_wanted = true;
}

/* Nobody is met before the first page has told the time. */
void
feed_runs_ask(struct feed_runs *runs)
{
	if (runs->page_wanted && !runs->paging)
		ask_for_page(runs);
	if (runs->meet_wanted && runs->meeting_count == 0 && runs->began != 0)
		ask_to_meet(runs);
}

/* ---- life ---- */

struct feed_runs *
feed_runs_new(struct pg *pg, const struct feed_runs_events *events, void *context)
{
	struct feed_runs *runs = xcalloc(1, sizeof *runs);

	runs->pg = pg;
	runs->events = events;
	runs->context = context;
	runs->by_id = map_new();
	list_init(&runs->unmet);
	return runs;
}

static void
forget(struct feed_runs *runs)
{
	pg_forget(runs->pg, runs);
	map_free(&runs->by_id, free);
}

void
feed_runs_clear(struct feed_runs *runs)
{
	struct feed_runs empty = { .pg = runs->pg,
				   .events = runs->events,
				   .context = runs->context };

	forget(runs);
	*runs = empty;
	runs->by_id = map_new();
	list_init(&runs->unmet);
}

void
feed_runs_free(struct feed_runs **runs_p)
{
	if (*runs_p == NULL)
		return;
	forget(*runs_p);
	free(*runs_p);
	*runs_p = NULL;
}
