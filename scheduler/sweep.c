/*
 * One sweep is a walk through stages, one statement at a time, on a connection where a
 * lock that has to be waited for holds up no timer. What a stage finds is acted on at
 * once or not at all: a list that is seconds old (we were stopped, or the server was)
 * proves nothing any more.
 */
#include "sweep.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/point.h"
#include "base/xalloc.h"
#include "ready.h"
#include "recovery.h"
#include "store/bus_events.h"
#include "store/pg.h"
#include "store/runs.h"

/* After a connection came back everybody's lease may have ended while the server was
 * away; those who live need a moment to say so. */
#define GRACE            (3 * USEC_SECOND)
#define STALE            (2 * USEC_SECOND)
#define RUNS_AT_A_TIME   100
#define STUCK_EVERY      15 /* sweeps: it walks over all open runs */
#define PARTITIONS_EVERY (3600 * USEC_SECOND)

enum stage {
	STAGE_REST,
	STAGE_EXPIRED,  /* whose lease has ended */
	STAGE_BURY,     /* them, one by one */
	STAGE_OVERDUE,  /* runs past their time */
	STAGE_TIME_OUT, /* end them */
	STAGE_STUCK,    /* runs that nothing can move */
	STAGE_CRASH,    /* mark them */
	STAGE_ORPHANS,  /* child runs that nobody waits for any more */
	STAGE_CANCEL,   /* them */
	STAGE_KEYS,     /* of which a run waits although there is a place */
	STAGE_ADMIT,    /* its runs, key by key */
	STAGE_TYPES,    /* of events that nobody was woken for */
	STAGE_WAKE,     /* who waits for them */
	STAGE_EXPIRE,   /* events and stored answers that are too old */
	STAGE_SEAL,     /* the audit log */
	STAGE_PARTITIONS,
	STAGES
};

struct sweep {
	struct loop *loop;
	struct sweep_conf conf;
	struct pg *pg;
	enum stage stage;
	bool up, stopped;
	bool failing; /* and that was said */
	uint64_t round;
	usec_t due, bury_from, partitions_due;
	usec_t asked_at;  /* the list */
	struct uuid *ids; /* what the last list brought */
	size_t count, at;
	char **keys; /* owned: concurrency keys, then types of events */
	size_t keys_count;
};

static void enter(struct sweep *sweep, enum stage stage);

static void
note_result(struct sweep *sweep, const struct err *err)
{
	bool failed = err->kind != ERR_NONE;

	if (failed && !sweep->failing)
		log_warn("sweep.failed", F_STR("why", err->text));
	if (!failed && sweep->failing)
		log_info("sweep.recovered", F_INT("round", sweep->round));
	sweep->failing = failed;
}

static void
rest(struct sweep *sweep)
{
	sweep->stage = STAGE_REST;
	sweep->due = loop_mono(sweep->loop) + sweep->conf.interval;
	sweep->conf.wake(sweep->conf.context);
}

/* Goes on only while we lead; the next leader begins anew. */
static void
proceed(struct sweep *sweep, enum stage stage, const struct err *err)
{
	note_result(sweep, err);
	if (err->kind != ERR_NONE || sweep->stopped ||
	    !sweep->conf.may_act(sweep->conf.context))
		rest(sweep);
	else
		enter(sweep, stage);
}

/* ---- lists ---- */

static void
keep_list(struct sweep *sweep, const struct uuid *ids, size_t count)
{
	bool stale = loop_mono(sweep->loop) - sweep->asked_at > STALE;

	free(sweep->ids);
	sweep->ids = count > 0 ? xmemdup(ids, count * sizeof ids[0]) : NULL;
	sweep->count = stale ? 0 : count;
	sweep->at = 0;
	if (stale && count > 0)
		log_info("sweep.outdated", F_INT("count", count));
}

static void
on_expired(void *context, const struct uuid *ids, size_t count, const struct err *err)
{
	keep_list(context, ids, count);
	proceed(context, STAGE_BURY, err);
}

static void
on_overdue(void *context, const struct uuid *ids, size_t count, const struct err *err)
{
	keep_list(context, ids, count);
	proceed(context, STAGE_TIME_OUT, err);
}

static void
on_stuck(void *context, const struct uuid *ids, size_t count, const struct err *err)
{
	keep_list(context, ids, count);
	proceed(context, STAGE_CRASH, err);
}

static void
find_expired(struct sweep *sweep)
{
	if (loop_mono(sweep->loop) < sweep->bury_from)
		enter(sweep, STAGE_OVERDUE);
	else
		workers_expired(sweep->pg, on_expired, sweep);
}

static void
find_overdue(struct sweep *sweep)
{
	runs_overdue(sweep->pg, on_overdue, sweep);
}

static void
find_stuck(struct sweep *sweep)
{
	if (sweep->round % STUCK_EVERY != 1)
		enter(sweep, STAGE_ORPHANS);
	else
		runs_stuck(sweep->pg, on_stuck, sweep);
}

/* ---- what is done about them ---- */

static void
on_buried(void *context, const struct ready_ref *refs, size_t count,
	  const struct err *err)
{
	struct sweep *sweep = context;
	const struct uuid *worker = &sweep->ids[sweep->at++];

	if (err->kind == ERR_NONE)
		log_warn("worker.buried", F_UUID("worker", worker),
			 F_STR("why", "its lease ended"), F_INT("steps", count));
	POINT("sweep.buried.before_bell");
	ready_push(sweep->conf.queue, refs, count);
	POINT("sweep.buried.after_bell");
	recovery_log(sweep->pg, worker, refs, count);
	proceed(sweep, STAGE_BURY, err);
}

static void
bury(struct sweep *sweep)
{
	if (sweep->at == sweep->count)
		enter(sweep, STAGE_OVERDUE);
	else
		workers_bury(sweep->pg, &sweep->ids[sweep->at], NULL, on_buried, sweep);
}

/* Those who hold steps of it hear at once; live viewers see the last event. */
static void
publish(struct sweep *sweep, const struct ended_run *run)
{
	unsigned char entry[sizeof run->id.b + 8];

	if (sweep->conf.queue == NULL)
		return;
	memcpy(entry, run->id.b, sizeof run->id.b);
	for (int i = 0; i < 8; i++)
		entry[sizeof run->id.b + (size_t)i] =
		    (unsigned char)((uint64_t)run->seq >> (56 - 8 * i));
	queue_publish(sweep->conf.queue, CHANNEL_CONTROL, run->id.b, sizeof run->id.b);
	queue_publish(sweep->conf.queue, CHANNEL_EVENTS, entry, sizeof entry);
}

static void
publish_all(struct sweep *sweep, const struct ended_run *runs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (runs[i].before != runs[i].after)
			publish(sweep, &runs[i]);
}

static void
on_timed_out(void *context, const struct ended_run *runs, size_t count,
	     const struct err *err)
{
	struct sweep *sweep = context;

	POINT("sweep.timed_out.before_bell");
	publish_all(sweep, runs, count);
	for (size_t i = 0; i < count; i++)
		if (runs[i].before != runs[i].after)
			log_info("run.timed_out", F_UUID("run", &runs[i].id));
	proceed(sweep, STAGE_TIME_OUT, err);
}

static void
on_crashed(void *context, const struct ended_run *runs, size_t count,
	   const struct err *err)
{
	struct sweep *sweep = context;

	publish_all(sweep, runs, count);
	for (size_t i = 0; i < count; i++)
		if (runs[i].before != runs[i].after)
			log_error("run.crashed", F_UUID("run", &runs[i].id),
				  F_STR("why", "no step of it can move"));
	proceed(sweep, STAGE_CRASH, err);
}

/* The next so many of the list; false when there are none. */
static bool
end_some(struct sweep *sweep, enum run_end how, const char *reason, ended_fn *done)
{
	const struct uuid *ids = sweep->ids + sweep->at;
	size_t count = sweep->count - sweep->at;

	if (count == 0)
		return false;
	if (count > RUNS_AT_A_TIME)
		count = RUNS_AT_A_TIME;
	sweep->at += count;
	runs_end(sweep->pg, ids, count, how, reason, "scheduler", done, sweep);
	return true;
}

static void
time_out(struct sweep *sweep)
{
	if (!end_some(sweep, RUN_END_TIME_OUT, NULL, on_timed_out))
		enter(sweep, STAGE_STUCK);
}

static void
crash(struct sweep *sweep)
{
	if (!end_some(sweep, RUN_END_CRASH,
		      "it is running, but none of its steps is left to run",
		      on_crashed))
		enter(sweep, STAGE_ORPHANS);
}

/* ---- child runs, and limits ---- */

static void
on_orphans(void *context, const struct uuid *ids, size_t count, const struct err *err)
{
	keep_list(context, ids, count);
	proceed(context, STAGE_CANCEL, err);
}

static void
find_orphans(struct sweep *sweep)
{
	runs_orphaned(sweep->pg, on_orphans, sweep);
}

static void
on_cancelled(void *context, const struct ended_run *runs, size_t count,
	     const struct err *err)
{
	struct sweep *sweep = context;

	publish_all(sweep, runs, count);
	for (size_t i = 0; i < count; i++)
		if (runs[i].before != runs[i].after)
			log_info("run.cancelled", F_UUID("run", &runs[i].id),
				 F_STR("why", "nobody waits for it any more"));
	proceed(sweep, STAGE_CANCEL, err);
}

static void
cancel(struct sweep *sweep)
{
	if (!end_some(sweep, RUN_END_CANCEL,
		      "the run that started it went on without it", on_cancelled))
		enter(sweep, STAGE_KEYS);
}

static void
forget_keys(struct sweep *sweep)
{
	for (size_t i = 0; i < sweep->keys_count; i++)
		free(sweep->keys[i]);
	free(sweep->keys);
	sweep->keys = NULL;
	sweep->keys_count = sweep->at = 0;
}

/* Texts that the next stage goes through. */
static void
keep_keys(struct sweep *sweep, const struct pg_rows *rows)
{
	size_t count = rows != NULL ? (size_t)pg_count(rows) : 0;

	forget_keys(sweep);
	sweep->keys = xcalloc(count + 1, sizeof *sweep->keys);
	for (size_t i = 0; i < count; i++)
		sweep->keys[sweep->keys_count++] =
		    xstrdup(pg_text(rows, (int)i, 0, NULL));
}

static void
on_keys(void *context, const struct pg_rows *rows, const struct err *err)
{
	keep_keys(context, rows);
	proceed(context, STAGE_ADMIT, err);
}

static void
find_keys(struct sweep *sweep)
{
	pg_query(sweep->pg, "concurrency_waiting", NULL, on_keys, sweep);
}

static void
on_admitted(void *context, const struct ready_ref *refs, size_t count,
	    const struct err *err)
{
	struct sweep *sweep = context;

	ready_push(sweep->conf.queue, refs, count);
	proceed(sweep, STAGE_ADMIT, err);
}

static void
admit(struct sweep *sweep)
{
	if (sweep->at == sweep->keys_count)
		enter(sweep, STAGE_TYPES);
	else
		runs_admit(sweep->pg, sweep->keys[sweep->at++], on_admitted, sweep);
}

/* ---- events ---- */

static void
on_types(void *context, const struct pg_rows *rows, const struct err *err)
{
	keep_keys(context, rows);
	proceed(context, STAGE_WAKE, err);
}

static void
find_types(struct sweep *sweep)
{
	pg_query(sweep->pg, "event_waits_late", NULL, on_types, sweep);
}

static void
on_woken(void *context, const struct ready_ref *refs, size_t count,
	 const struct err *err)
{
	struct sweep *sweep = context;

	ready_push(sweep->conf.queue, refs, count);
	proceed(sweep, STAGE_WAKE, err);
}

static void
wake_waiting(struct sweep *sweep)
{
	if (sweep->at == sweep->keys_count)
		enter(sweep, STAGE_EXPIRE);
	else
		bus_events_wake(sweep->pg, sweep->keys[sweep->at++], on_woken, sweep);
}

static void
on_forgotten(void *context, const struct err *err)
{
	proceed(context, STAGE_SEAL, err);
}

static void
expire(struct sweep *sweep)
{
	struct pg_batch *batch = pg_batch_new(sweep->pg);

	pg_batch_add(batch, "bus_events_expire", NULL, NULL, NULL);
	pg_batch_add(batch, "idempotency_expire", NULL, NULL, NULL);
	pg_batch_send(&batch, on_forgotten, sweep);
}

/* ---- the audit log ---- */

/* Who keeps these lines elsewhere can tell later whether the log is still the same. */
static void
on_sealed(void *context, const struct pg_rows *rows, const struct err *err)
{
	if (rows != NULL && pg_count(rows) > 0)
		log_info("audit.sealed", F_INT("seal", pg_int(rows, 0, 0)),
			 F_INT("entries", pg_int(rows, 0, 1)),
			 F_STR("hash", pg_text(rows, 0, 2, NULL)));
	proceed(context, STAGE_PARTITIONS, err);
}

static void
seal(struct sweep *sweep)
{
	pg_query(sweep->pg, "audit_seal", NULL, on_sealed, sweep);
}

/* ---- partitions ---- */

static void
on_partitions(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct sweep *sweep = context;

	if (err->kind == ERR_NONE && pg_int(rows, 0, 0) > 0)
		log_info("partitions.made", F_INT("count", pg_int(rows, 0, 0)));
	if (err->kind == ERR_NONE)
		sweep->partitions_due = loop_mono(sweep->loop) + PARTITIONS_EVERY;
	proceed(sweep, STAGE_REST, err);
}

static void
make_partitions(struct sweep *sweep)
{
	if (loop_mono(sweep->loop) < sweep->partitions_due)
		enter(sweep, STAGE_REST);
	else
		pg_query(sweep->pg, "partitions_ensure", NULL, on_partitions, sweep);
}

/* ---- the walk ---- */

typedef void stage_fn(struct sweep *sweep);

static stage_fn *const stage_fns[STAGES] = {
	[STAGE_REST] = rest,         [STAGE_EXPIRED] = find_expired,
	[STAGE_BURY] = bury,         [STAGE_OVERDUE] = find_overdue,
	[STAGE_TIME_OUT] = time_out, [STAGE_STUCK] = find_stuck,
	[STAGE_CRASH] = crash,       [STAGE_ORPHANS] = find_orphans,
	[STAGE_CANCEL] = cancel,     [STAGE_KEYS] = find_keys,
	[STAGE_ADMIT] = admit,       [STAGE_TYPES] = find_types,
	[STAGE_WAKE] = wake_waiting, [STAGE_EXPIRE] = expire,
	[STAGE_SEAL] = seal,         [STAGE_PARTITIONS] = make_partitions,
};

static void
enter(struct sweep *sweep, enum stage stage)
{
	sweep->stage = stage;
	sweep->asked_at = loop_mono(sweep->loop);
	stage_fns[stage](sweep);
}

usec_t
sweep_tick(struct sweep *sweep, usec_t now)
{
	if (sweep->stage != STAGE_REST || !sweep->up || sweep->stopped)
		return USEC_NEVER;
	if (now < sweep->due)
		return sweep->due;
	sweep->round++;
	enter(sweep, STAGE_EXPIRED);
	return USEC_NEVER;
}

/* ---- life ---- */

static void
on_state(void *context, bool up)
{
	struct sweep *sweep = context;
	usec_t now = loop_mono(sweep->loop);

	sweep->up = up;
	sweep->due = now;
	if (up)
		sweep->bury_from = now + GRACE;
	sweep->conf.wake(sweep->conf.context);
}

struct sweep *
sweep_new(struct loop *loop, const struct sweep_conf *conf, struct err *err)
{
	struct sweep *sweep = xcalloc(1, sizeof *sweep);
	struct pg_conf pg = { .url = conf->url,
			      .application = "stepmill scheduler sweep",
			      .statement_timeout = conf->statement_timeout,
			      .on_state = on_state,
			      .context = sweep };

	sweep->loop = loop;
	sweep->conf = *conf;
	sweep->pg = pg_new(loop, &pg, err);
	if (sweep->pg == NULL)
		sweep_free(&sweep);
	return sweep;
}

void
sweep_free(struct sweep **sweep_p)
{
	struct sweep *sweep = *sweep_p;

	if (sweep == NULL)
		return;
	*sweep_p = NULL;
	pg_free(&sweep->pg);
	forget_keys(sweep);
	free(sweep->ids);
	free(sweep);
}

void
sweep_set_interval(struct sweep *sweep, usec_t interval)
{
	usec_t soonest = loop_mono(sweep->loop) + interval;

	sweep->conf.interval = interval;
	if (sweep->due > soonest)
		sweep->due = soonest;
	sweep->conf.wake(sweep->conf.context);
}

void
sweep_stop(struct sweep *sweep)
{
	sweep->stopped = true;
}

bool
sweep_busy(const struct sweep *sweep)
{
	return sweep->stage != STAGE_REST;
}
