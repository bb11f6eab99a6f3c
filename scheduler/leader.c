/*
 * Tries, beats, unseats: one statement under way at a time, on a session of its own, so
 * that nothing slow can stand before a beat. The epoch makes one leadership different
 * from the next, also for the same process.
 */
#include "leader.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "store/pg.h"

#define TRY_EVERY      (500 * USEC_MS)
#define BEAT_EVERY     (1 * USEC_SECOND)
#define ACT_FOR        (3 * USEC_SECOND) /* after the last beat that was answered */
#define UNSEAT_AFTER   (4 * USEC_SECOND) /* more than ACT_FOR: never two at a time */
#define STATEMENT_TIME (2 * USEC_SECOND)
#define LEAVE_TIME     (1 * USEC_SECOND)

struct leader {
	struct loop *loop;
	struct leader_conf conf;
	struct pg *pg;
	struct clock_core clock;
	struct timer *patience; /* of leaving */
	bool up, asking, knows, leaving;
	int64_t epoch;    /* 0: stands by */
	usec_t asked_at;  /* monotonic */
	usec_t beaten_at; /* when the last beat was sent that was answered */
	usec_t due;
	loop_fn *left;
};

static void
set_epoch(struct leader *leader, int64_t epoch)
{
	bool led = leader->epoch != 0;

	leader->epoch = epoch;
	if (led != (epoch != 0) && !leader->leaving)
		leader->conf.on_change(leader->conf.context, epoch != 0);
}

static void
come_back(struct leader *leader, usec_t delay)
{
	leader->asking = false;
	leader->due = loop_mono(leader->loop) + delay;
	leader->conf.wake(leader->conf.context);
}

/* ---- standing by ---- */

static void
on_unseated(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct leader *leader = context;
	bool done = err->kind == ERR_NONE && pg_count(rows) > 0;

	if (done)
		log_warn("leader.unseated", F_INT("epoch", pg_int(rows, 0, 0)),
			 F_STR("why", "no sign of life"));
	come_back(leader, done ? 0 : TRY_EVERY);
}

static void
unseat(struct leader *leader)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_int8(&args, UNSEAT_AFTER);
	pg_query(leader->pg, "leader_unseat", &args, on_unseated, leader);
	pg_args_fini(&args);
}

static void
on_tried(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct leader *leader = context;

	if (err->kind != ERR_NONE) {
		log_debug("leader.unknown", F_STR("why", err->text));
		come_back(leader, TRY_EVERY);
		return;
	}
	leader->knows = true;
	if (pg_count(rows) == 0) {
		unseat(leader);
		return;
	}
	leader->beaten_at = leader->asked_at;
	log_info("leader.elected", F_INT("epoch", pg_int(rows, 0, 0)));
	set_epoch(leader, pg_int(rows, 0, 0));
	come_back(leader, 0); /* the first beat brings the clock */
}

static void
try(struct leader *leader)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_text(&args, leader->conf.host);
	pg_arg_int4(&args, (int32_t)getpid());
	pg_query(leader->pg, "leader_try", &args, on_tried, leader);
	pg_args_fini(&args);
}

/* ---- leading ---- */

static void
on_ignored(void *context, const struct pg_rows *rows, const struct err *err)
{
	(void)context;
	(void)rows;
	(void)err;
}

/* Our session lives, and yet is not the leader's. */
static void
deposed(struct leader *leader)
{
	log_warn("leader.deposed", F_INT("epoch", leader->epoch),
		 F_STR("why", "the session is not the one that was elected: another "
			      "leads, or a pooler stands before the server"));
	pg_query(leader->pg, "leader_leave", NULL, on_ignored, leader);
	set_epoch(leader, 0);
}

static void
on_beaten(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct leader *leader = context;
	usec_t now = loop_mono(leader->loop);

	if (err->kind != ERR_NONE) {
		log_debug("leader.unheard", F_STR("why", err->text));
	} else if (pg_count(rows) == 0) {
		deposed(leader);
	} else {
		leader->beaten_at = leader->asked_at;
		clock_core_sample(&leader->clock, leader->asked_at, now,
				  pg_time(rows, 0, 0));
	}
	come_back(leader, err->kind == ERR_NONE ? BEAT_EVERY : TRY_EVERY);
}

static void
beat(struct leader *leader)
{
	struct pg_args args;

	pg_args_init(&args);
	pg_arg_int8(&args, leader->epoch);
	pg_query(leader->pg, "leader_beat", &args, on_beaten, leader);
	pg_args_fini(&args);
}

static void
on_state(void *context, bool up)
{
	struct leader *leader = context;

	leader->up = up;
	if (!up && leader->epoch != 0)
		log_warn("leader.lost", F_INT("epoch", leader->epoch),
			 F_STR("why", "its session ended"));
	if (!up)
		set_epoch(leader, 0);
	leader->due = loop_mono(leader->loop);
	leader->conf.wake(leader->conf.context);
}

usec_t
leader_tick(struct leader *leader, usec_t now)
{
	if (!leader->up || leader->asking || leader->leaving)
		return USEC_NEVER;
	if (now < leader->due)
		return leader->due;
	leader->asking = true;
	leader->asked_at = now;
	if (leader->epoch != 0)
		beat(leader);
	else
		try(leader);
	return USEC_NEVER;
}

bool
leader_may_act(const struct leader *leader, usec_t now)
{
	return leader->epoch != 0 && !leader->leaving && leader->clock.known &&
	       now - leader->beaten_at < ACT_FOR;
}

int64_t
leader_epoch(const struct leader *leader)
{
	return leader->epoch;
}

bool
leader_knows(const struct leader *leader)
{
	return leader->knows;
}

const struct clock_core *
leader_clock(const struct leader *leader)
{
	return &leader->clock;
}

/* ---- life ---- */

static void
tell_left(struct leader *leader)
{
	loop_fn *left = leader->left;

	leader->left = NULL;
	timer_stop(leader->patience);
	if (left != NULL)
		left(leader->conf.context);
}

static void
on_left(void *context, const struct pg_rows *rows, const struct err *err)
{
	(void)rows;
	(void)err;
	tell_left(context);
}

static void
on_patience_over(void *context)
{
	tell_left(context);
}

void
leader_leave(struct leader *leader, loop_fn *done)
{
	leader->leaving = true;
	leader->left = done;
	timer_set(leader->patience, LEAVE_TIME);
	if (leader->epoch != 0)
		log_info("leader.left", F_INT("epoch", leader->epoch));
	pg_query(leader->pg, "leader_leave", NULL, on_left, leader);
}

struct leader *
leader_new(struct loop *loop, const struct leader_conf *conf, struct err *err)
{
	struct leader *leader = xcalloc(1, sizeof *leader);
	struct pg_conf pg = { .url = conf->url,
			      .application = "stepmill scheduler leader",
			      .statement_timeout = STATEMENT_TIME,
			      .on_state = on_state,
			      .context = leader };

	leader->loop = loop;
	leader->conf = *conf;
	leader->patience = timer_new(loop, on_patience_over, leader);
	leader->pg = pg_new(loop, &pg, err);
	if (leader->pg == NULL)
		leader_free(&leader);
	return leader;
}

void
leader_free(struct leader **leader_p)
{
	struct leader *leader = *leader_p;

	if (leader == NULL)
		return;
	*leader_p = NULL;
	pg_free(&leader->pg);
	timer_free(&leader->patience);
	free(leader);
}
