/*
 * The shell: one timer. Each turn asks every part to do what is due and when to come
 * again; whatever comes in between (an answer, a connection, a signal) asks for a turn.
 */
#include "scheduler.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "event_triggers.h"
#include "file_watches.h"
#include "leader.h"
#include "loop/parent.h"
#include "queue/queue.h"
#include "retention.h"
#include "schedules.h"
#include "sweep.h"
#include "timers.h"

#define STOP_TIME (3 * USEC_SECOND) /* for what is in hand */
#define SIGNALS   3

struct scheduler {
	struct loop *loop;
	const struct settings *settings;
	struct timer *timer;
	struct timer *patience; /* of stopping */
	struct parent *parent;
	struct queue *queue; /* NULL: no Redis is configured */
	struct leader *leader;
	struct schedules *schedules;
	struct event_triggers *events;
	struct file_watches *files;
	struct timers *timers;
	struct sweep *sweep;
	struct retention *retention;
	struct signal_watch *signals[SIGNALS];
	bool said_ready, stopping, leaving;
	char host[256];
};

static usec_t
earlier(usec_t a, usec_t b)
{
	return a < b ? a : b;
}

static void
on_left(void *context)
{
	struct scheduler *scheduler = context;

	loop_stop(scheduler->loop);
}

static bool
is_busy(const struct scheduler *scheduler)
{
	return schedules_busy(scheduler->schedules) ||
	       event_triggers_busy(scheduler->events) ||
	       file_watches_busy(scheduler->files) || timers_busy(scheduler->timers) ||
	       sweep_busy(scheduler->sweep) || retention_busy(scheduler->retention);
}

/* What is in hand is finished; then a standby may lead. */
static void
stop_when_idle(struct scheduler *scheduler, bool patient)
{
	if (scheduler->leaving || (patient && is_busy(scheduler)))
		return;
	scheduler->leaving = true;
	leader_leave(scheduler->leader, on_left);
}

static void
say_ready(struct scheduler *scheduler)
{
	if (scheduler->said_ready || !leader_knows(scheduler->leader))
		return;
	scheduler->said_ready = true;
	log_info("scheduler.ready", F_STR("host", scheduler->host));
	parent_say(scheduler->parent, "ready");
}

static bool
may_act(const void *context)
{
	const struct scheduler *scheduler = context;

	return leader_may_act(scheduler->leader, loop_mono(scheduler->loop));
}

static int64_t
epoch(const void *context)
{
	return leader_epoch(((const struct scheduler *)context)->leader);
}

static void
turn(void *context)
{
	struct scheduler *scheduler = context;
	usec_t now = loop_mono(scheduler->loop), next;

	if (scheduler->stopping) {
		stop_when_idle(scheduler, true);
		return;
	}
	next = leader_tick(scheduler->leader, now);
	say_ready(scheduler);
	if (may_act(scheduler)) {
		next = earlier(next, sweep_tick(scheduler->sweep, now));
		next =
		    earlier(next, schedules_tick(scheduler->schedules,
						 leader_clock(scheduler->leader), now));
		next = earlier(next, timers_tick(scheduler->timers,
						 leader_clock(scheduler->leader), now));
	}
	if (may_act(scheduler)) {
		next = earlier(next, event_triggers_tick(scheduler->events, now));
		next = earlier(next, file_watches_tick(scheduler->files, now));
		next = earlier(next, retention_tick(scheduler->retention, now));
	}
	if (next == USEC_NEVER)
		timer_stop(scheduler->timer);
	else
		timer_set(scheduler->timer, next > now ? next - now : 0);
}

/* Asked for from inside callbacks, taken on the next turn of the loop. */
static void
wake(void *context)
{
	struct scheduler *scheduler = context;

	if (scheduler->timer != NULL)
		timer_set(scheduler->timer, 0);
}

static void
on_leading(void *context, bool leads)
{
	struct scheduler *scheduler = context;

	if (!leads) {
		timers_forget(scheduler->timers);
		schedules_forget(scheduler->schedules);
		event_triggers_forget(scheduler->events);
		file_watches_forget(scheduler->files);
	}
	wake(scheduler);
}

/* ---- stop, reload ---- */

static void
on_patience_over(void *context)
{
	stop_when_idle(context, false);
}

static void
stop(struct scheduler *scheduler, const char *why)
{
	if (scheduler->stopping)
		return;
	log_info("scheduler.stopping", F_STR("why", why));
	scheduler->stopping = true;
	sweep_stop(scheduler->sweep);
	retention_stop(scheduler->retention);
	timer_set(scheduler->patience, STOP_TIME);
	wake(scheduler);
}

static void
on_terminate(void *context)
{
	stop(context, "signal");
}

static void
on_reload(void *context)
{
	struct scheduler *scheduler = context;
	char *report = NULL;
	struct settings *settings = settings_load(scheduler->settings->file, &report);
	enum log_level level = LOG_INFO;
	struct err err = { 0 };

	if (settings == NULL) {
		log_error("configuration.refused", F_STR("why", report));
		free(report);
		return;
	}
	log_level_parse(settings->log_level, &level);
	log_set_level(level);
	sweep_set_interval(scheduler->sweep, settings->sweep_interval);
	if (retention_set_kept(scheduler->retention, settings->retention, &err) < 0)
		log_error("retention.refused", F_STR("why", err.text));
	log_info("scheduler.reloaded", F_STR("log_level", settings->log_level));
	settings_free(&settings);
}

static void
on_line(void *context, const char *line)
{
	if (strcmp(line, "drain") == 0 || strcmp(line, "drain now") == 0)
		stop(context, "told by the parent");
}

static void
on_parent_gone(void *context)
{
	stop(context, "the parent is gone");
}

/* ---- life ---- */

static const struct {
	int number;
	loop_fn *fn;
} signals[SIGNALS] = {
	{ SIGTERM, on_terminate },
	{ SIGINT, on_terminate },
	{ SIGHUP, on_reload },
};

static int
open_queue(struct scheduler *scheduler, struct err *err)
{
	struct queue_conf conf = { .url = scheduler->settings->redis_url,
				   .prefix = scheduler->settings->redis_prefix };

	if (conf.url == NULL)
		return 0;
	scheduler->queue = queue_new(scheduler->loop, &conf, err);
	return scheduler->queue != NULL ? 0 : -1;
}

static int
open_parts(struct scheduler *scheduler, struct err *err)
{
	const struct settings *settings = scheduler->settings;
	usec_t patience = settings->database_statement_timeout;
	struct leader_conf leader = { .url = settings->database_url,
				      .host = scheduler->host,
				      .on_change = on_leading,
				      .wake = wake,
				      .context = scheduler };
	struct timers_conf timers = { .url = settings->database_url,
				      .statement_timeout = patience,
				      .queue = scheduler->queue,
				      .wake = wake,
				      .context = scheduler };
	struct schedules_conf schedules = { .url = settings->database_url,
					    .statement_timeout = patience,
					    .queue = scheduler->queue,
					    .wake = wake,
					    .may_act = may_act,
					    .epoch = epoch,
					    .context = scheduler };
	struct sweep_conf sweep = { .url = settings->database_url,
				    .statement_timeout = patience,
				    .interval = settings->sweep_interval,
				    .queue = scheduler->queue,
				    .wake = wake,
				    .may_act = may_act,
				    .context = scheduler };

	scheduler->timers = timers_new(scheduler->loop, &timers, err);
	if (scheduler->timers == NULL)
		return -1;
	const struct event_triggers_conf events = { .url = settings->database_url,
						    .statement_timeout = patience,
						    .queue = scheduler->queue,
						    .wake = wake,
						    .may_act = may_act,
						    .epoch = epoch,
						    .context = scheduler };

	const struct file_watches_conf files = { .url = settings->database_url,
						 .statement_timeout = patience,
						 .queue = scheduler->queue,
						 .wake = wake,
						 .may_act = may_act,
						 .epoch = epoch,
						 .context = scheduler };

	scheduler->files = file_watches_new(scheduler->loop, &files, err);
	if (scheduler->files == NULL)
		return -1;
	scheduler->events = event_triggers_new(scheduler->loop, &events, err);
	if (scheduler->events == NULL)
		return -1;
	scheduler->schedules = schedules_new(scheduler->loop, &schedules, err);
	if (scheduler->schedules == NULL)
		return -1;
	scheduler->sweep = sweep_new(scheduler->loop, &sweep, err);
	if (scheduler->sweep == NULL)
		return -1;
	const struct retention_conf retention = { .url = settings->database_url,
						  .statement_timeout = patience,
						  .kept = settings->retention,
						  .wake = wake,
						  .may_act = may_act,
						  .context = scheduler };

	scheduler->retention = retention_new(scheduler->loop, &retention, err);
	if (scheduler->retention == NULL)
		return -1;
	scheduler->leader = leader_new(scheduler->loop, &leader, err);
	return scheduler->leader != NULL ? 0 : -1;
}

struct scheduler *
scheduler_new(struct loop *loop, const struct settings *settings, struct err *err)
{
	struct scheduler *scheduler = xcalloc(1, sizeof *scheduler);

	scheduler->loop = loop;
	scheduler->settings = settings;
	if (gethostname(scheduler->host, sizeof scheduler->host - 1) < 0)
		scheduler->host[0] = '\0';
	scheduler->timer = timer_new(loop, turn, scheduler);
	scheduler->patience = timer_new(loop, on_patience_over, scheduler);
	for (int i = 0; i < SIGNALS; i++)
		scheduler->signals[i] =
		    signal_watch_new(loop, signals[i].number, signals[i].fn, scheduler);
	if (open_queue(scheduler, err) < 0 || open_parts(scheduler, err) < 0) {
		scheduler_free(&scheduler);
		return NULL;
	}
	scheduler->parent = parent_new(loop, on_line, on_parent_gone, scheduler);
	wake(scheduler);
	return scheduler;
}

void
scheduler_free(struct scheduler **scheduler_p)
{
	struct scheduler *scheduler = *scheduler_p;

	if (scheduler == NULL)
		return;
	*scheduler_p = NULL;
	parent_free(&scheduler->parent);
	for (int i = 0; i < SIGNALS; i++)
		signal_watch_free(&scheduler->signals[i]);
	timer_free(&scheduler->timer);
	timer_free(&scheduler->patience);
	leader_free(&scheduler->leader);
	timers_free(&scheduler->timers);
	schedules_free(&scheduler->schedules);
	event_triggers_free(&scheduler->events);
	file_watches_free(&scheduler->files);
	sweep_free(&scheduler->sweep);
	retention_free(&scheduler->retention);
	queue_free(&scheduler->queue);
	free(scheduler);
}
