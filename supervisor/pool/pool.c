/*
 * The shell around pool_core and drain_core: turns signals, lines and deaths into
 * events, and carries out what the cores answer. Everything that happened ends in
 * settle(), which asks until there is nothing left to do.
 */
#include "pool/pool.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/point.h"
#include "base/xalloc.h"
#include "loop/parent.h"
#include "pool/burials.h"
#include "pool/child.h"
#include "pool/drain_core.h"
#include "pool/notify.h"
#include "pool/orphans.h"
#include "pool/reports.h"

#define REAP_MOST 256 /* deaths a turn, so that signals get their turn too */
#define SIGNALS   7

struct pool {
	struct loop *loop;
	struct pool_conf conf;
	struct pool_core core;
	struct drain drain;
	struct burials *burials;
	struct notify *notify;
	struct reports *reports;
	struct timer *timer;
	struct signal_watch *signals[SIGNALS];
	bool was_ready; /* the front was, once */
	int exit_code;
};

static void settle(struct pool *pool);

/* ---- children ---- */

static void
on_ready(struct pool *pool, struct seat *seat, const struct child_line *line)
{
	(void)line;
	pool_core_said_ready(seat);
	log_info(seat->front ? "front.admitted" : "worker.admitted",
		 F_UUID("worker", seat->front ? NULL : &seat->id),
		 F_INT("child", seat->pid),
		 F_INT("ms", (loop_mono(pool->loop) - seat->started_at) / USEC_MS));
	if (seat->reload_missed)
		kill(seat->pid, SIGHUP);
	seat->reload_missed = false;
	if (seat->front && !pool->was_ready)
		notify_say(pool->notify, "READY=1");
	pool->was_ready = pool->was_ready || seat->front;
	burials_go(pool->burials);
}

static void
on_slots(struct pool *pool, struct seat *seat, const struct child_line *line)
{
	(void)pool;
	seat->used = line->used;
	seat->slots = line->slots;
}

static void
want(struct pool *pool, long workers)
{
	int before = pool->core.desired;
	int now = pool_core_want(&pool->core, workers, loop_mono(pool->loop));

	log_info("pool.scaled", F_INT("workers", now), F_INT("before", before));
}

static void
on_scale(struct pool *pool, struct seat *seat, const struct child_line *line)
{
	(void)seat;
	want(pool, line->workers);
}

static void drain(struct pool *pool, enum drain_event event, const char *why);

static void
on_drain(struct pool *pool, struct seat *seat, const struct child_line *line)
{
	(void)seat;
	(void)line;
	drain(pool, DRAIN_ON_TERM, "asked by the front");
}

typedef void say_fn(struct pool *pool, struct seat *seat,
		    const struct child_line *line);

static say_fn *const say_fns[CHILD_SAYS] = {
	[CHILD_SAYS_READY] = on_ready,
	[CHILD_SAYS_SLOTS] = on_slots,
	[CHILD_SAYS_SCALE] = on_scale,
	[CHILD_SAYS_DRAIN] = on_drain,
};

static void
on_line(void *context, struct child *child, const struct child_line *line)
{
	struct pool *pool = context;
	struct seat *seat = pool_core_find(&pool->core, child_pid(child));

	if (seat == NULL)
		return;
	say_fns[line->says](pool, seat, line);
	reports_changed(pool->reports);
	settle(pool);
}

static struct child *
start_front(struct pool *pool, struct err *err)
{
	struct spawn_spec spec = { .argv = pool->conf.front_argv };

	spec.sockets = sockets_list(pool->conf.sockets, &spec.sockets_count);
	return child_start(pool->loop, &spec, true, on_line, pool, err);
}

static struct child *
start_worker(struct pool *pool, const struct uuid *id, struct err *err)
{
	char text[UUID_TEXT];
	const char *argv[] = { pool->conf.worker_path, "--id", uuid_format(id, text),
			       NULL };
	struct spawn_spec spec = { .argv = argv };

	return child_start(pool->loop, &spec, false, on_line, pool, err);
}

static void
start(struct pool *pool, struct seat *seat)
{
	struct uuid id = { 0 };
	struct err err = { 0 };
	usec_t now = loop_mono(pool->loop), wall = loop_now(pool->loop);

	if (!seat->front)
		id = uuid7_new(wall);
	seat->child =
	    seat->front ? start_front(pool, &err) : start_worker(pool, &id, &err);
	if (seat->child == NULL) {
		pool_core_not_forked(seat, now);
		log_error("child.not_started", F_STR("why", err.text),
			  F_INT("again_ms", (seat->start_at - now) / USEC_MS));
		return;
	}
	pool_core_forked(seat, &id, child_pid(seat->child), now, wall);
	log_info(seat->front ? "front.started" : "worker.started",
		 F_UUID("worker", seat->front ? NULL : &id), F_INT("child", seat->pid),
		 F_INT("starts", seat->starts));
}

static void
dismiss(struct pool *pool, struct seat *seat)
{
	bool kept = seat->front && sockets_are_given(pool->conf.sockets);

	log_info(seat->front ? "front.dismissed" : "worker.dismissed",
		 F_UUID("worker", seat->front ? NULL : &seat->id),
		 F_INT("child", seat->pid), F_INT("used", seat->used));
	pool_core_dismissed(seat);
	/* one that cannot hear leaves by itself */
	child_say(seat->child, kept ? "drain kept" : "drain");
}

typedef void each_fn(struct pool *pool, struct seat *seat);

static void
each_living(struct pool *pool, each_fn *fn)
{
	if (seat_lives(&pool->core.front))
		fn(pool, &pool->core.front);
	list_each (link, &pool->core.workers) {
		struct seat *seat = container_of(link, struct seat, link);

		if (seat_lives(seat))
			fn(pool, seat);
	}
}

/* ---- the end ---- */

static void
hurry(struct pool *pool, struct seat *seat)
{
	(void)pool;
	child_say(seat->child, "drain now");
}

static void
kill_child(struct pool *pool, struct seat *seat)
{
	(void)pool;
	kill(seat->pid, SIGKILL);
}

static void
leave(struct pool *pool)
{
	if (pool->core.leaving)
		return;
	pool->core.leaving = true;
	notify_say(pool->notify, "STOPPING=1");
	sockets_close(pool->conf.sockets);
	settle(pool); /* tells everybody "drain" */
}

static void
do_nothing(struct pool *pool)
{
	(void)pool;
}

static void
do_hurry(struct pool *pool)
{
	each_living(pool, hurry);
}

static void
do_kill(struct pool *pool)
{
	leave(pool);
	each_living(pool, kill_child);
}

static void
do_give_up(struct pool *pool)
{
	log_error("pool.abandoned", F_INT("children", pool_core_living(&pool->core)));
	pool->exit_code = EXIT_FAILURE;
	loop_stop(pool->loop);
}

typedef void deed_fn(struct pool *pool);

static deed_fn *const deed_fns[DRAIN_DEEDS] = {
	[DRAIN_NOTHING] = do_nothing, [DRAIN_ASK] = leave,
	[DRAIN_HURRY] = do_hurry,     [DRAIN_KILL] = do_kill,
	[DRAIN_GIVE_UP] = do_give_up,
};

static void
drain(struct pool *pool, enum drain_event event, const char *why)
{
	enum drain_deed deed = drain_on(
	    &pool->drain, event, pool->conf.wish.drain_timeout, loop_mono(pool->loop));

	if (deed != DRAIN_NOTHING)
		log_info("pool.draining",
			 F_STR("phase", drain_phase_name(pool->drain.phase)),
			 F_STR("why", why));
	deed_fns[deed](pool);
	reports_changed(pool->reports);
	settle(pool);
}

/* ---- what is next ---- */

static bool
is_over(const struct pool *pool)
{
	return pool->core.leaving && pool_core_living(&pool->core) == 0 &&
	       !burials_orphans_left(pool->burials);
}

static void
set_timer(struct pool *pool, usec_t next)
{
	usec_t now = loop_mono(pool->loop);

	if (pool->drain.until < next)
		next = pool->drain.until;
	if (next == USEC_NEVER)
		timer_stop(pool->timer);
	else
		timer_set(pool->timer, next > now ? next - now : 0);
}

static void
settle(struct pool *pool)
{
	struct pool_verdict verdict;

	for (;;) {
		verdict = pool_core_next(&pool->core, loop_mono(pool->loop));
		if (verdict.deed == POOL_WAIT)
			break;
		if (verdict.deed == POOL_START)
			start(pool, verdict.seat);
		else
			dismiss(pool, verdict.seat);
		reports_changed(pool->reports);
	}
	set_timer(pool, verdict.at);
	if (is_over(pool))
		loop_stop(pool->loop);
}

static void
on_time(void *context)
{
	struct pool *pool = context;

	if (pool->drain.until <= loop_mono(pool->loop))
		drain(pool, DRAIN_ON_TIME, "patience is over");
	else
		settle(pool);
}

/* ---- signals ---- */

/* A front that calls the configuration wrong leaves nobody to serve: the whole ends,
 * and says so to the service manager. */
static void
front_refused(struct pool *pool)
{
	log_error("pool.refused",
		  F_STR("why", "the front calls the configuration wrong"));
	pool->exit_code = EXIT_CONFIG;
	if (pool->drain.phase == DRAIN_OFF)
		drain(pool, DRAIN_ON_TERM, "the front cannot start");
}

static void
ended(struct pool *pool, struct seat *seat, int status, const struct rusage *usage)
{
	struct seat before = *seat;
	struct seat_end end;
	struct ending ending;

	seat->child = NULL;
	child_free(&before.child);
	end = pool_core_ended(seat, child_end(status), loop_mono(pool->loop));
	child_log_end(&before, &end, status, usage);
	ending = child_ending(status, usage, end.ordered);
	burials_add(pool->burials, before.pid, end.lost ? &before.id : NULL, &ending);
	if (before.front && end.next == SEAT_REFUSED)
		front_refused(pool);
	reports_changed(pool->reports);
}

static void
on_child(void *context)
{
	struct pool *pool = context;
	struct rusage usage;
	int status, reaped = 0;
	pid_t pid;

	while (reaped < REAP_MOST && (pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
		struct seat *seat = pool_core_find(&pool->core, pid);

		reaped++;
		POINT("child.reaped");
		if (seat != NULL)
			ended(pool, seat, status, &usage);
	}
	if (reaped == REAP_MOST)
		raise(SIGCHLD); /* go on in the next turn */
	burials_go(pool->burials);
	settle(pool);
}

static void
on_terminate(void *context)
{
	drain(context, DRAIN_ON_TERM, "signal");
}

static void
on_quit(void *context)
{
	drain(context, DRAIN_ON_QUIT, "signal");
}

static void
one_more(void *context)
{
	struct pool *pool = context;

	want(pool, pool->core.desired + 1L);
	reports_changed(pool->reports);
	settle(pool);
}

static void
one_fewer(void *context)
{
	struct pool *pool = context;

	want(pool, pool->core.desired - 1L);
	reports_changed(pool->reports);
	settle(pool);
}

/* One that is still starting may not have its handlers yet. */
static void
forward_reload(struct pool *pool, struct seat *seat)
{
	(void)pool;
	if (seat->state == SEAT_READY)
		kill(seat->pid, SIGHUP);
	else
		seat->reload_missed = true;
}

/* A number of workers that was set by hand stays, unless the file names another one
 * than before. */
static void
reload(struct pool *pool, const struct pool_wish *wish)
{
	pool->core.most = wish->workers_most;
	if (wish->workers != pool->conf.wish.workers)
		want(pool, wish->workers);
	else if (pool->core.desired > wish->workers_most)
		want(pool, wish->workers_most);
	pool->conf.wish = *wish;
	pool_core_reconsider(&pool->core, loop_mono(pool->loop));
	each_living(pool, forward_reload);
	log_info("pool.reloaded", F_INT("workers", pool->core.desired));
}

static void
on_reload(void *context)
{
	struct pool *pool = context;
	struct pool_wish wish = pool->conf.wish;

	notify_say(pool->notify, "RELOADING=1\nMONOTONIC_USEC=%lld",
		   (long long)loop_mono(pool->loop));
	if (pool->conf.reload(pool->conf.context, &wish) == 0)
		reload(pool, &wish);
	if (pool->was_ready)
		notify_say(pool->notify, "READY=1");
	reports_changed(pool->reports);
	settle(pool);
}

static const struct {
	int number;
	loop_fn *fn;
} signals[SIGNALS] = {
	{ SIGCHLD, on_child },  { SIGTERM, on_terminate }, { SIGINT, on_terminate },
	{ SIGQUIT, on_quit },   { SIGHUP, on_reload },     { SIGTTIN, one_more },
	{ SIGTTOU, one_fewer },
};

/* ---- start and end ---- */

struct pool *
pool_new(struct loop *loop, const struct pool_conf *conf, struct err *err)
{
	struct pool *pool;
	sigset_t none;

	if (orphans_adopt(err) < 0)
		return NULL;
	sigemptyset(&none); /* whatever our starter held back is for us */
	sigprocmask(SIG_SETMASK, &none, NULL);
	pool = xcalloc(1, sizeof *pool);
	pool->loop = loop;
	pool->conf = *conf;
	pool_core_init(&pool->core, conf->wish.workers, conf->wish.workers_most);
	drain_init(&pool->drain);
	pool->burials = burials_new(loop, &pool->core);
	pool->notify = notify_new(loop);
	pool->reports = reports_new(loop, &pool->core, pool->notify);
	pool->timer = timer_new(loop, on_time, pool);
	for (int i = 0; i < SIGNALS; i++)
		pool->signals[i] =
		    signal_watch_new(loop, signals[i].number, signals[i].fn, pool);
	timer_set(pool->timer, 0);
	return pool;
}

static void
forget_child(struct pool *pool, struct seat *seat)
{
	(void)pool;
	child_free(&seat->child);
}

void
pool_free(struct pool **pool_p)
{
	struct pool *pool = *pool_p;

	if (pool == NULL)
		return;
	*pool_p = NULL;
	each_living(pool, forget_child);
	for (int i = 0; i < SIGNALS; i++)
		signal_watch_free(&pool->signals[i]);
	timer_free(&pool->timer);
	reports_free(&pool->reports);
	notify_free(&pool->notify);
	burials_free(&pool->burials);
	pool_core_fini(&pool->core);
	free(pool);
}

int
pool_exit_code(const struct pool *pool)
{
	return pool->exit_code;
}
