/*
 * The shell of a worker: turns the ring pop -> claim -> slots, keeps the lease, drains.
 * See worker.h. It decides nothing about runs.
 */
#include "worker.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/point.h"
#include "base/xalloc.h"
#include "digest/digest.h"
#include "finish.h"
#include "mcp/mcp.h"
#include "programs.h"
#include "record/records.h"
#include "recorded/recorder.h"
#include "secrets.h"
#include "slot.h"
#include "store/workers.h"

#define POP_WAIT     (500 * USEC_MS) /* then PostgreSQL is asked unasked; with jitter */
#define RENEW_BUSY   USEC_SECOND     /* while something runs: also tells what is lost */
#define RENEW_IDLE   (3 * USEC_SECOND)
#define LEASE_MARGIN (2 * USEC_SECOND) /* at most; and a quarter of the lease */
#define LOOK_EVERY   (2 * USEC_SECOND) /* a claim that asks for what waits longest */
#define OTHERS_EVERY (100 * USEC_MS)

extern char **environ;

static void on_turn(void *context);
static void on_renew_timer(void *context);

/* ---- the connection and the lease ---- */

static usec_t
quarter_of_lease(const struct worker *worker, usec_t most)
{
	usec_t quarter = worker->settings->worker_lease / 4;

	return quarter < most ? quarter : most;
}

static void
set_renew_timer(struct worker *worker)
{
	timer_set(worker->renew_timer,
		  quarter_of_lease(worker, worker->used > 0 ? RENEW_BUSY : RENEW_IDLE));
}

static void
on_registered(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct worker *worker = context;

	if (rows == NULL) {
		log_warn("worker.not_registered", F_STR("why", err->text));
		timer_set(worker->renew_timer, USEC_SECOND);
		return;
	}
	worker->registered = true;
	worker->lease_until = worker->renew_sent + worker->settings->worker_lease;
	set_renew_timer(worker);
	log_info("worker.ready", F_UUID("worker", &worker->id),
		 F_INT("slots", worker->settings->worker_slots));
	worker_say_slots(worker);
	parent_say(worker->parent, "ready");
	worker_turn(worker);
}

static void
register_worker(struct worker *worker)
{
	const struct settings *settings = worker->settings;
	struct worker_row row = {
		.id = worker->id,
		.pid = (int)getpid(),
		.slots = (int)settings->worker_slots,
		.version = STEPMILL_VERSION,
		.queues = (const char *const *)settings->worker_queues.list,
		.queues_count = settings->worker_queues.count,
		.lease = settings->worker_lease,
	};
	const char *node = getenv("STEPMILL_NODE");

	if (node != NULL)
		uuid_parse(node, strlen(node), &row.node);
	worker->renew_sent = loop_mono(worker->loop);
	workers_register(worker->pg, &row, on_registered, worker);
}

/* Slots that wait for something of the store ask again. */
static void
load_all(struct worker *worker)
{
	list_each_safe (it, &worker->slots)
		slot_ask_again(container_of(it, struct slot, link));
}

static void
on_state(void *context, bool up)
{
	struct worker *worker = context;

	if (!up || worker->gone)
		return;
	worker->renewing = false;
	if (!worker->registered) {
		register_worker(worker);
		return;
	}
	worker_renew(worker);
	if (worker->finish != NULL)
		finish_wake(worker->finish);
	if (worker->recorder != NULL)
		recorder_wake(worker->recorder);
	load_all(worker);
	worker_turn(worker);
}

bool
worker_may_start(const struct worker *worker)
{
	return loop_mono(worker->loop) <
	       worker->lease_until - quarter_of_lease(worker, LEASE_MARGIN);
}

static struct slot *
slot_of(struct worker *worker, const struct held_ref *ref)
{
	list_each (it, &worker->slots) {
		struct slot *slot = container_of(it, struct slot, link);

		if (uuid_equal(&slot->live->run.id, &ref->run) &&
		    slot->attempt.number == ref->number &&
		    slot->attempt.fence == ref->fence)
			return slot;
	}
	return NULL;
}

struct renewal {
	struct worker *worker;
	struct held_ref *refs;
};

static void
on_renewed(void *context, const int *lost, size_t count, const struct err *err)
{
	struct renewal *renewal = context;
	struct worker *worker = renewal->worker;
	struct slot *slot;

	worker->renewing = false;
	POINT("lease.renew.after");
	if (err->kind == ERR_DENIED) {
		worker_buried(worker);
	} else if (err->kind == ERR_NONE) {
		worker->lease_until =
		    worker->renew_sent + worker->settings->worker_lease;
		for (size_t i = 0; i < count; i++) {
			slot = slot_of(worker, &renewal->refs[lost[i]]);
			/* One whose end is in flight has its answer coming. */
			if (slot == NULL || slot->state == SLOT_DONE)
				continue;
			records_add(worker->records, &slot->live->run.id);
			slot_event(slot, SLOT_EV_TAKEN_AWAY);
		}
		load_all(worker);
		worker_turn(worker);
	}
	if (!worker->gone)
		set_renew_timer(worker);
	free(renewal->refs);
	free(renewal);
}

void
worker_renew(struct worker *worker)
{
	struct renewal *renewal;
	size_t count = 0;

	if (worker->renewing || worker->gone || !worker->registered ||
	    !pg_is_up(worker->pg))
		return;
	worker->renewing = true;
	POINT("lease.renew.before");
	renewal = xcalloc(1, sizeof *renewal);
	renewal->worker = worker;
	renewal->refs = xcalloc((size_t)worker->used + 1, sizeof *renewal->refs);
	list_each (it, &worker->slots) {
		struct slot *slot = container_of(it, struct slot, link);

		if (slot->state != SLOT_DONE)
			renewal->refs[count++] =
			    (struct held_ref){ slot->live->run.id, slot->attempt.number,
					       slot->attempt.fence };
	}
	worker->renew_sent = loop_mono(worker->loop);
	workers_renew(worker->pg, &worker->id, worker->settings->worker_lease,
		      worker->used, renewal->refs, count, on_renewed, renewal);
}

static void
on_renew_timer(void *context)
{
	struct worker *worker = context;

	if (!worker->registered && pg_is_up(worker->pg))
		register_worker(worker);
	worker_renew(worker);
	set_renew_timer(worker);
	worker_say_slots(worker);
}

void
worker_buried(struct worker *worker)
{
	if (worker->gone)
		return;
	log_error("worker.buried", F_UUID("worker", &worker->id),
		  F_STR("why", "declared dead: the lease ended before it was renewed"));
	worker->gone = true;
	worker->exit_status = EXIT_TRY_AGAIN;
	loop_stop(worker->loop);
}

/* ---- the ring ---- */

void
worker_say_slots(struct worker *worker)
{
	parent_say(worker->parent, "slots %d/%ld", worker->used,
		   worker->settings->worker_slots);
}

bool
worker_keeps(struct worker *worker, const char *queue, int streak, usec_t since)
{
	const struct texts *queues = &worker->settings->worker_queues;
	bool served = false;

	for (size_t i = 0; i < queues->count; i++)
		served |= strcmp(queues->list[i], queue) == 0;
	if (!served || worker->draining || claimer_stands_aside(worker->claimer))
		return false;
	return !worker->others_wait ||
	       !slots_streak_over(streak, loop_mono(worker->loop) - since);
}

static int
free_slots(const struct worker *worker)
{
	int room = slots_room((int)worker->settings->worker_slots, worker->used,
			      worker->alone > 0);

	return room > QUEUE_POP_MAX ? QUEUE_POP_MAX : room;
}

static void
on_claimed(void *context, struct claimed *list, size_t count, const struct err *err)
{
	struct worker *worker = context;

	worker->claiming = false;
	POINT("claim.answered");
	if (err->kind == ERR_DENIED) {
		worker_buried(worker);
		return;
	}
	if (err->kind != ERR_NONE && err->kind != ERR_RETRY && err->kind != ERR_LOST)
		log_error("claim.failed", F_STR("why", err->text));
	for (size_t i = 0; i < count; i++) {
		struct slot *slot = slot_new(worker, &list[i]);

		slot_load(slot);
	}
	/* There may be more, or entries that were popped meanwhile; and who drains
	 * waited for this answer. */
	worker_turn(worker);
}

static bool
can_claim(const struct worker *worker)
{
	return !worker->draining && pg_is_up(worker->pg) && worker_may_start(worker);
}

/* Popped entries may fill every claim for long: now and then one goes without them. */
static void
claim(struct worker *worker)
{
	enum priority order[PRIORITIES];
	usec_t now = loop_mono(worker->loop);
	int room = free_slots(worker);
	size_t count = worker->popped_count;

	if (room <= 0 || worker->claiming || !can_claim(worker))
		return;
	if (now - worker->looked_at >= LOOK_EVERY)
		count = 0;
	if (count == 0)
		worker->looked_at = now;
	worker->claiming = true;
	slots_order(&worker->order, order);
	claimer_claim(worker->claimer, worker->popped, count, room, order, true,
		      worker->used == 0, on_claimed, worker);
	if (count > 0)
		worker->popped_count = 0;
}

/* Entries that come while a claim is under way are named in the next one: nobody else
 * will hear of them. */
static void
on_popped(void *context, const struct step_ref *refs, size_t count)
{
	struct worker *worker = context;

	memcpy(worker->popped, refs, count * sizeof *refs);
	worker->popped_count = count;
	claim(worker);
	worker_turn(worker);
}

static void
on_others(void *context, bool ready, const struct err *err)
{
	struct worker *worker = context;

	if (err->kind == ERR_NONE)
		worker->others_wait = ready;
}

/* While all slots are taken: does anybody wait for one? Then long runs must make room.
 */
static void
ask_for_others(struct worker *worker)
{
	if (loop_mono(worker->loop) - worker->others_asked < OTHERS_EVERY)
		return;
	worker->others_asked = loop_mono(worker->loop);
	claimer_ready_exists(worker->claimer, on_others, worker);
}

static void
on_left(void *context, const struct ready_ref *refs, size_t count,
	const struct err *err)
{
	struct worker *worker = context;

	if (err->kind != ERR_NONE)
		log_warn("worker.left_badly", F_STR("why", err->text));
	for (size_t i = 0; i < count; i++)
		queue_push(worker->queue, refs[i].queue, refs[i].priority, &refs[i].ref,
			   1);
	log_info("worker.left", F_UUID("worker", &worker->id),
		 F_INT("returned", count));
	worker->gone = true;
	loop_stop(worker->loop);
}

static void
leave(struct worker *worker)
{
	if (worker->leaving || worker->claiming || worker->used > 0 ||
	    !finish_is_idle(worker->finish) || !recorder_is_idle(worker->recorder) ||
	    !records_are_idle(worker->records) || !mcp_leave(worker->mcp))
		return;
	worker->leaving = true;
	if (!worker->registered) {
		loop_stop(worker->loop);
		return;
	}
	workers_leave(worker->pg, &worker->id, on_left, worker);
}

static void
pop(struct worker *worker)
{
	const struct texts *queues = &worker->settings->worker_queues;
	enum priority order[PRIORITIES];
	unsigned char jitter;

	if (popper_is_busy(worker->popper))
		return;
	digest_random(&jitter, sizeof jitter);
	slots_order(&worker->order, order);
	popper_pop(worker->popper, (const char *const *)queues->list, queues->count,
		   order, (size_t)free_slots(worker), POP_WAIT - jitter * USEC_MS / 2,
		   on_popped, worker);
}

/* A step waits that must run alone: it killed a worker, or may have. We are the one of
 * all workers that makes room for it, so nothing new is taken until we are empty. As
 * long as the step waits, claims bring nothing; so they also tell when another one has
 * it. */
static void
stand_aside(struct worker *worker)
{
	usec_t now = loop_mono(worker->loop);

	/* Not at every step that ends here; the renewal of the lease comes by, too. */
	if (worker->used > 0 && now - worker->aside_asked < OTHERS_EVERY)
		return;
	worker->aside_asked = now;
	claim(worker);
}

static void
on_turn(void *context)
{
	struct worker *worker = context;
	int room = free_slots(worker);

	worker->turning = false;
	if (worker->gone || !worker->registered)
		return;
	if (worker->draining) {
		leave(worker);
		return;
	}
	if (room <= 0) {
		ask_for_others(worker);
		return;
	}
	worker->others_wait = false;
	if (!can_claim(worker))
		return; /* looked at again when the connection or the lease is back */
	if (claimer_stands_aside(worker->claimer)) {
		stand_aside(worker);
		return;
	}
	if (worker->popped_count > 0 || claimer_has_more(worker->claimer))
		claim(worker);
	if (worker->popped_count == 0)
		pop(worker);
}

void
worker_turn(struct worker *worker)
{
	if (worker->turning)
		return;
	worker->turning = true;
	loop_defer(worker->loop, on_turn, worker);
}

/* ---- the end ---- */

void
worker_drain(struct worker *worker)
{
	if (!worker->draining)
		log_info("worker.draining", F_INT("used", worker->used));
	worker->draining = true;
	worker_turn(worker);
	if (!worker->registered)
		loop_stop(worker->loop);
}

void
worker_drain_now(struct worker *worker)
{
	worker_drain(worker);
	worker->hurrying = true;
	list_each_safe (it, &worker->slots)
		slot_hand_back(container_of(it, struct slot, link));
}

static void
on_term(void *context)
{
	struct worker *worker = context;

	if (worker->draining)
		worker_drain_now(worker);
	else
		worker_drain(worker);
}

static void
on_hup(void *context)
{
	struct worker *worker = context;
	char *report = NULL;
	struct settings *fresh = settings_load(worker->settings->file, &report);
	enum log_level level;

	if (fresh != NULL && log_level_parse(fresh->log_level, &level))
		log_set_level(level);
	if (fresh != NULL)
		secrets_reload(worker->secrets, &fresh->secrets);
	else
		log_warn("settings.refused", F_STR("why", report));
	free(report);
	settings_free(&fresh);
}

static void
on_line(void *context, const char *line)
{
	struct worker *worker = context;

	if (strcmp(line, "drain") == 0) {
		worker_drain(worker);
	} else if (strcmp(line, "drain now") == 0) {
		worker_drain_now(worker);
	} else if (strncmp(line, "dead ", 5) == 0) {
		struct ending ending;
		struct uuid id;

		if (ending_parse(line + 5, &id, &ending))
			worker_bury_other(worker, &id, &ending);
	}
}

static void
on_parent_gone(void *context)
{
	worker_drain(context);
}

/* ---- hearing of others ---- */

static void
on_buried(void *context, const struct ready_ref *refs, size_t count,
	  const struct err *err)
{
	struct worker *worker = context;

	if (err->kind != ERR_NONE)
		log_warn("worker.not_buried", F_STR("why", err->text));
	for (size_t i = 0; i < count; i++)
		queue_push(worker->queue, refs[i].queue, refs[i].priority, &refs[i].ref,
			   1);
}

void
worker_bury_other(struct worker *worker, const struct uuid *id,
		  const struct ending *ending)
{
	workers_bury(worker->pg, id, ending, on_buried, worker);
}

/* A run was changed from outside: if it is here, ask at once what is still ours. */
static void
on_control(void *context, const char *channel, const void *data, size_t len)
{
	struct worker *worker = context;
	struct uuid id;

	(void)channel;
	if (data != NULL && len == sizeof id.b) {
		memcpy(id.b, data, sizeof id.b);
		if (live_runs_find(worker->runs, &id) == NULL)
			return;
	}
	worker_renew(worker);
}

/* Who leaves waits for both. */
static void
on_mcp_idle(void *context)
{
	worker_turn(context);
}

static void
on_records_idle(void *context)
{
	worker_turn(context);
}

/* ---- building ---- */

static int
open_doors(struct worker *worker, struct err *err)
{
	const struct settings *settings = worker->settings;
	const char *const channels[] = { CHANNEL_CONTROL };
	struct queue_conf queue = { settings->redis_url, settings->redis_prefix };
	struct pg_conf pg = {
		.url = settings->database_url,
		.application = "stepmill worker",
		.statement_timeout = settings->database_statement_timeout,
		.hot = true,
		.on_state = on_state,
		.context = worker,
	};

	worker->pg = pg_new(worker->loop, &pg, err);
	if (worker->pg == NULL)
		return -1;
	pg.hot = false;
	pg.on_state = NULL;
	pg.application = "stepmill worker steps";
	worker->steps_pg = pg_new(worker->loop, &pg, err);
	if (worker->steps_pg == NULL)
		return -1;
	worker->queue = queue_new(worker->loop, &queue, err);
	worker->popper = worker->queue ? popper_new(worker->loop, &queue, err) : NULL;
	if (worker->popper == NULL)
		return -1;
	worker->control =
	    subscriber_new(worker->loop, &queue, channels, 1, on_control, worker, err);
	worker->httpc = worker->control ? httpc_new(worker->loop, err) : NULL;
	return worker->httpc == NULL ? -1 : 0;
}

static int
open_programs(struct worker *worker, struct err *err)
{
	struct programs_conf conf = {
		.loop = worker->loop,
		.settings = worker->settings,
		.environment = environ,
	};

	worker->programs = programs_new(&conf, err);
	return worker->programs == NULL ? -1 : 0;
}

static void
open_mcp(struct worker *worker)
{
	worker->mcp = mcp_new(&(struct mcp_conf){
	    .loop = worker->loop,
	    .settings = worker->settings,
	    .programs = worker->programs,
	    .httpc = worker->httpc,
	    .mask = worker->mask,
	    .on_idle = on_mcp_idle,
	    .context = worker,
	});
}

/* What is secret in the configuration itself. */
static void
mask_settings(void *context, struct mask *mask)
{
	struct worker *worker = context;
	const struct settings *settings = worker->settings;

	if (settings->forge_token != NULL)
		mask_add(mask, settings->forge_token, strlen(settings->forge_token));
	providers_mask(&settings->providers, mask);
	mcp_servers_mask(&settings->mcp, mask);
	agents_mask(&settings->agents, environ, mask);
}

/* Steps that waited for them go on. */
static void
on_secrets(void *context)
{
	load_all(context);
}

static void
open_secrets(struct worker *worker)
{
	worker->secrets = secrets_new(&(struct secrets_conf){
	    .services = &worker->services,
	    .sources = &worker->settings->secrets,
	    .mask = worker->mask,
	    .add_others = mask_settings,
	    .changed = on_secrets,
	    .context = worker,
	});
	log_set_mask(worker->mask);
}

/* What expressions see as `env`, and programs as their environment. */
static struct json *
allowed_environment(const struct settings *settings)
{
	struct json *values = json_new_object();

	for (size_t i = 0; i < settings->worker_environment.count; i++) {
		const char *name = settings->worker_environment.list[i];

		if (getenv(name) != NULL)
			json_set(values, name, json_new_str(getenv(name)));
	}
	return values;
}

struct worker *
worker_new(struct loop *loop, const struct settings *settings, const struct uuid *id,
	   struct err *err)
{
	struct worker *worker = xcalloc(1, sizeof *worker);

	worker->loop = loop;
	worker->settings = settings;
	worker->id = id != NULL ? *id : uuid7_new(loop_now(loop));
	list_init(&worker->slots);
	worker->mask = mask_new();
	worker->renew_timer = timer_new(loop, on_renew_timer, worker);
	if (open_programs(worker, err) < 0 || open_doors(worker, err) < 0) {
		worker_free(&worker);
		return NULL;
	}
	open_mcp(worker);
	worker->services = (struct services){
		.loop = loop,
		.settings = settings,
		.pg = worker->steps_pg,
		.httpc = worker->httpc,
		.programs = worker->programs,
		.mcp = worker->mcp,
		.queue = worker->queue,
		.mask = worker->mask,
		.environment = environ,
	};
	open_secrets(worker);
	worker->definitions = definitions_new(worker->pg, loop);
	worker->services.definitions = worker->definitions;
	worker->runs = live_runs_new(allowed_environment(settings));
	worker->finish = finish_new(worker);
	worker->recorder = recorder_new(worker);
	worker->services.recorder = worker->recorder;
	worker->records = records_new(worker->steps_pg);
	records_on_idle(worker->records, on_records_idle, worker);
	worker->claimer = claimer_new(worker->pg, loop, &worker->id,
				      (const char *const *)settings->worker_queues.list,
				      settings->worker_queues.count);
	worker->parent = parent_new(loop, on_line, on_parent_gone, worker);
	worker->term = signal_watch_new(loop, SIGTERM, on_term, worker);
	worker->hup = signal_watch_new(loop, SIGHUP, on_hup, worker);
	return worker;
}

/* The end of the turn may still look at us: the struct itself goes after that. */
static void
dispose(void *context)
{
	free(context);
}

void
worker_free(struct worker **worker_p)
{
	struct worker *worker = *worker_p;

	if (worker == NULL)
		return;
	worker->gone = true;
	while (worker->finish != NULL && !list_empty(&worker->slots)) {
		struct slot *slot = container_of(worker->slots.next, struct slot, link);

		slot_free(&slot);
	}
	signal_watch_free(&worker->term);
	signal_watch_free(&worker->hup);
	parent_free(&worker->parent);
	claimer_free(&worker->claimer);
	recorder_free(&worker->recorder);
	finish_free(&worker->finish);
	records_free(&worker->records);
	live_runs_free(&worker->runs);
	definitions_free(&worker->definitions);
	mcp_free(&worker->mcp);
	secrets_free(&worker->secrets);
	programs_free(&worker->programs);
	httpc_free(&worker->httpc);
	subscriber_free(&worker->control);
	popper_free(&worker->popper);
	queue_free(&worker->queue);
	pg_free(&worker->steps_pg);
	pg_free(&worker->pg);
	timer_free(&worker->renew_timer);
	log_set_mask(NULL);
	mask_free(&worker->mask);
	loop_defer(worker->loop, dispose, worker);
	*worker_p = NULL;
}
