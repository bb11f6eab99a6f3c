/*
 * The shell around firing_core: one round at a time. A round looks a little ahead,
 * reads the definitions that are not known, holds what is not due yet, and when its
 * time has come decides and stores it, in batches on two connections, for many
 * schedules like the same minute. When a batch is refused although nothing was changed
 * meanwhile, the next rounds are of one schedule each, and the one that cannot be
 * stored is entered as failed.
 */
#include "schedules.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/point.h"
#include "base/xalloc.h"
#include "firing_batch.h"

#define ROUND_MOST  1024             /* schedules */
#define BATCHES     (ROUND_MOST + 1) /* one per schedule at worst */
#define LANES       2
#define AHEAD       (300 * USEC_MS)
#define LOOK_EVERY  (5 * USEC_SECOND) /* should a notification be lost */
#define LOOK_FAILED (250 * USEC_MS)
#define LOOK_SOON   (5 * USEC_MS) /* what was refused is read again */

enum phase { PHASE_IDLE, PHASE_ASKING, PHASE_HOLDING, PHASE_STORING };

struct schedules;

/* A batch on its way. */
struct flight {
	struct schedules *schedules;
	struct firing_batch *batch;
	struct pg *pg;
};

struct schedules {
	struct loop *loop;
	struct schedules_conf conf;
	struct pg *lanes[LANES];
	struct definitions *definitions;
	enum phase phase;
	bool failing;        /* and that was said */
	bool look_again;     /* something was changed while the round was under way */
	bool alone;          /* rounds are of one schedule only */
	struct err given_up; /* why that one is entered as failed */
	usec_t next_look;    /* monotonic */
	usec_t next_due;     /* by the database's clock: look then */
	/* the round: from held_from on, in order of due */
	struct clock_core clock; /* the leader's, and what the look has told */
	usec_t asked_at;         /* monotonic */
	struct due_schedule *members;
	size_t members_count, held_from;
	struct flight flights[BATCHES];
	size_t flights_count, answered;
	struct err worst; /* of their answers */
};

static void
wake(struct schedules *schedules)
{
	schedules->conf.wake(schedules->conf.context);
}

static bool
is_up(const struct schedules *schedules)
{
	for (int i = 0; i < LANES; i++)
		if (!pg_is_up(schedules->lanes[i]))
			return false;
	return true;
}

/* Once per change, not per call. */
static void
note_result(struct schedules *schedules, const struct err *err)
{
	bool failed = err->kind != ERR_NONE;

	if (failed && !schedules->failing)
		log_warn("schedules.failed", F_STR("why", err->text));
	if (!failed && schedules->failing)
		log_info("schedules.recovered",
			 F_INT("batches", schedules->flights_count));
	schedules->failing = failed;
}

static void
drop_flights(struct schedules *schedules)
{
	for (size_t i = 0; i < schedules->flights_count; i++)
		firing_batch_free(&schedules->flights[i].batch);
	schedules->flights_count = schedules->answered = 0;
	schedules->worst = (struct err){ 0 };
}

static void
round_end(struct schedules *schedules)
{
	for (size_t i = 0; i < schedules->members_count; i++)
		due_schedule_fini(&schedules->members[i]);
	free(schedules->members);
	schedules->members = NULL;
	schedules->members_count = schedules->held_from = 0;
	drop_flights(schedules);
	schedules->phase = PHASE_IDLE;
}

static void
come_back(struct schedules *schedules, usec_t delay)
{
	round_end(schedules);
	schedules->next_look = loop_mono(schedules->loop) + delay;
	wake(schedules);
}

/* ---- storing ---- */

/* For what was changed meanwhile (ERR_RETRY), or for reasons of its own. */
static void
on_refused(struct schedules *schedules)
{
	struct err err = schedules->worst;

	if (err.kind == ERR_RETRY || err.kind == ERR_LOST) {
		come_back(schedules, is_up(schedules) ? LOOK_SOON : LOOK_FAILED);
		return;
	}
	note_result(schedules, &err);
	log_error("schedules.refused", F_INT("batches", schedules->flights_count),
		  F_STR("why", err.text));
	if (schedules->alone)
		schedules->given_up = err;
	schedules->alone = true;
	come_back(schedules, 0);
}

static void
on_round_stored(struct schedules *schedules)
{
	if (schedules->worst.kind != ERR_NONE) {
		on_refused(schedules);
		return;
	}
	note_result(schedules, &schedules->worst);
	drop_flights(schedules);
	schedules->alone = false;
	schedules->given_up = (struct err){ 0 };
	schedules->phase = PHASE_HOLDING;
	if (schedules->held_from == schedules->members_count)
		come_back(schedules, 0);
	else
		wake(schedules);
}

static void
on_stored(void *context, const struct err *err)
{
	struct flight *flight = context;
	struct schedules *schedules = flight->schedules;

	if (err->kind == ERR_NONE) {
		POINT("schedules.stored.before_bell");
		firing_batch_ring(flight->batch, flight->pg, schedules->conf.queue);
		POINT("schedules.stored.after_bell");
		log_debug("schedules.fired",
			  F_INT("count", firing_batch_count(flight->batch)));
	} else {
		schedules->worst = *err;
	}
	if (++schedules->answered == schedules->flights_count)
		on_round_stored(schedules);
}

static struct firing_batch *
add_flight(struct schedules *schedules)
{
	struct flight *flight = &schedules->flights[schedules->flights_count];

	flight->schedules = schedules;
	flight->batch = firing_batch_new();
	flight->pg = schedules->lanes[schedules->flights_count % LANES];
	schedules->flights_count++;
	return flight->batch;
}

/* Those whose time has come, in the order of their times. */
static void
fire(struct schedules *schedules, usec_t now)
{
	const struct err *given_up =
	    schedules->given_up.kind != ERR_NONE ? &schedules->given_up : NULL;
	struct firing_batch *batch = NULL;

	while (schedules->held_from < schedules->members_count &&
	       schedules->members[schedules->held_from].due <= now) {
		if (batch == NULL || firing_batch_is_full(batch))
			batch = add_flight(schedules);
		firing_batch_add(batch, &schedules->members[schedules->held_from++],
				 schedules->definitions, now, loop_now(schedules->loop),
				 given_up);
	}
	POINT("schedules.decided");
	schedules->phase = PHASE_STORING;
	for (size_t i = 0; i < schedules->flights_count; i++)
		firing_batch_send(schedules->flights[i].batch, schedules->flights[i].pg,
				  schedules->conf.epoch(schedules->conf.context),
				  on_stored, &schedules->flights[i]);
}

/* ---- looking ---- */

static void
on_definitions(void *context, const struct err *err)
{
	struct schedules *schedules = context;

	if (err->kind != ERR_NONE) {
		note_result(schedules, err);
		come_back(schedules, LOOK_FAILED);
		return;
	}
	schedules->phase = PHASE_HOLDING;
	wake(schedules);
}

static void
load_definitions(struct schedules *schedules)
{
	struct uuid *ids = xcalloc(schedules->members_count + 1, sizeof *ids);
	size_t count = 0;
	bool known = true;

	for (size_t i = 0; i < schedules->members_count; i++) {
		const struct due_row *row = &schedules->members[i].row;

		if (!row->has_definition)
			continue;
		ids[count++] = row->definition;
		known &= definitions_knows(schedules->definitions, &row->definition);
	}
	if (known)
		on_definitions(schedules, &(const struct err){ 0 });
	else
		definitions_load(schedules->definitions, schedules->lanes[0], ids,
				 count, on_definitions, schedules);
	free(ids);
}

static void
on_stopped(void *context, const struct pg_rows *rows, const struct err *err)
{
	(void)context;
	(void)rows;
	(void)err;
}

/* Stored by hand, or by a version that read it otherwise. */
static void
stop_broken(struct schedules *schedules, const struct due_row *row,
	    const struct err *err)
{
	char id[UUID_TEXT];

	log_error("schedule.stopped", F_STR("schedule", uuid_format(&row->id, id)),
		  F_STR("name", row->name), F_STR("why", err->text));
	firings_stop(schedules->lanes[0], &row->id, row->revision, err->text,
		     on_stopped, schedules);
}

/* Whether its last run lives is to be known when it fires, not before. */
static bool
is_too_early(const struct due_schedule *schedule)
{
	return schedule->row.skip_overlap && schedule->row.last_alive &&
	       schedule->due > schedule->row.now;
}

static void
keep(struct schedules *schedules, const struct due_row *row)
{
	struct due_schedule *member = &schedules->members[schedules->members_count];
	struct err err = { 0 };

	if (due_schedule_read(member, row, &err) < 0) {
		stop_broken(schedules, row, &err);
	} else if (is_too_early(member)) {
		if (member->due < schedules->next_due)
			schedules->next_due = member->due;
		due_schedule_fini(member);
	} else {
		schedules->members_count++;
	}
}

static int
by_due(const void *left, const void *right)
{
	usec_t a = ((const struct due_schedule *)left)->due;
	usec_t b = ((const struct due_schedule *)right)->due;

	return (a > b) - (a < b);
}

static void
on_due(void *context, const struct due_row *rows, size_t count, usec_t next,
       const struct err *err)
{
	struct schedules *schedules = context;

	if (err->kind != ERR_NONE) {
		note_result(schedules, err);
		come_back(schedules, LOOK_FAILED);
		return;
	}
	schedules->next_due =
	    count > 0 || next == USEC_NEVER ? USEC_NEVER : next - AHEAD;
	schedules->members = xcalloc(count + 1, sizeof *schedules->members);
	if (count > 0)
		clock_core_sample(&schedules->clock, schedules->asked_at,
				  loop_mono(schedules->loop), rows[0].now);
	for (size_t i = 0; i < count; i++)
		keep(schedules, &rows[i]);
	/* due_at of a schedule that was changed knows nothing of its jitter */
	qsort(schedules->members, schedules->members_count, sizeof *schedules->members,
	      by_due);
	if (schedules->members_count > 0)
		load_definitions(schedules);
	else
		come_back(schedules, schedules->look_again ? 0 : LOOK_EVERY);
}

static void
look(struct schedules *schedules)
{
	schedules->phase = PHASE_ASKING;
	schedules->asked_at = loop_mono(schedules->loop);
	schedules->look_again = false;
	firings_due(schedules->lanes[0], schedules->alone ? 1 : ROUND_MOST, AHEAD,
		    on_due, schedules);
}

/* ---- turning ---- */

/* By the clock as of the look: the leader's may not know yet that it was set. */
static usec_t
tick_holding(struct schedules *schedules, usec_t now)
{
	const struct clock_core *clock = &schedules->clock;
	usec_t due = schedules->members[schedules->held_from].due;
	bool other = schedules->next_due < due; /* one that was too early */
	usec_t at = clock_core_when(clock, other ? schedules->next_due : due);

	if (at > now)
		return at;
	if (!other) {
		fire(schedules, clock_core_surely(clock, now));
		return USEC_NEVER;
	}
	round_end(schedules);
	look(schedules);
	return USEC_NEVER;
}

static usec_t
tick_idle(struct schedules *schedules, const struct clock_core *clock, usec_t now)
{
	usec_t at = schedules->next_look;

	if (schedules->next_due != USEC_NEVER &&
	    clock_core_when(clock, schedules->next_due) < at)
		at = clock_core_when(clock, schedules->next_due);
	if (at > now)
		return at;
	schedules->clock = *clock;
	look(schedules);
	return USEC_NEVER;
}

usec_t
schedules_tick(struct schedules *schedules, const struct clock_core *clock, usec_t now)
{
	if (!is_up(schedules))
		return USEC_NEVER;
	if (schedules->phase == PHASE_HOLDING && schedules->look_again)
		come_back(schedules, 0);
	if (schedules->phase == PHASE_HOLDING)
		return tick_holding(schedules, now);
	if (schedules->phase == PHASE_IDLE)
		return tick_idle(schedules, clock, now);
	return USEC_NEVER;
}

/* ---- life ---- */

static void
look_now(struct schedules *schedules)
{
	schedules->look_again = true;
	schedules->next_look = loop_mono(schedules->loop);
	wake(schedules);
}

static void
on_state(void *context, bool up)
{
	(void)up;
	look_now(context);
}

static void
on_notify(void *context, const char *channel, const char *payload)
{
	(void)channel;
	(void)payload;
	look_now(context);
}

static int
open_lanes(struct schedules *schedules, struct err *err)
{
	static const char *const channels[] = { "listen_schedules", NULL };

	for (int i = 0; i < LANES; i++) {
		struct pg_conf pg = { .url = schedules->conf.url,
				      .application = "stepmill scheduler schedules",
				      .statement_timeout =
					  schedules->conf.statement_timeout,
				      .on_state = on_state,
				      .listen = i == 0 ? channels : NULL,
				      .on_notify = on_notify,
				      .context = schedules };

		schedules->lanes[i] = pg_new(schedules->loop, &pg, err);
		if (schedules->lanes[i] == NULL)
			return -1;
	}
	return 0;
}

struct schedules *
schedules_new(struct loop *loop, const struct schedules_conf *conf, struct err *err)
{
	struct schedules *schedules = xcalloc(1, sizeof *schedules);

	schedules->loop = loop;
	schedules->conf = *conf;
	schedules->next_due = USEC_NEVER;
	schedules->definitions = definitions_new();
	if (open_lanes(schedules, err) < 0)
		schedules_free(&schedules);
	return schedules;
}

void
schedules_free(struct schedules **schedules_p)
{
	struct schedules *schedules = *schedules_p;

	if (schedules == NULL)
		return;
	*schedules_p = NULL;
	for (int i = 0; i < LANES; i++)
		pg_free(&schedules->lanes[i]);
	round_end(schedules);
	definitions_free(&schedules->definitions);
	free(schedules);
}

void
schedules_forget(struct schedules *schedules)
{
	for (int i = 0; i < LANES; i++) {
		pg_forget(schedules->lanes[i], schedules);
		for (size_t n = 0; n < schedules->flights_count; n++)
			pg_forget(schedules->lanes[i], &schedules->flights[n]);
	}
	round_end(schedules);
	schedules->alone = false;
	schedules->given_up = (struct err){ 0 };
	schedules->next_look = 0;
}

bool
schedules_busy(const struct schedules *schedules)
{
	return schedules->phase == PHASE_STORING;
}
