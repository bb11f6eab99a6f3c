/*
 * Drives the rooms of common/store against a real PostgreSQL: one worker whose steps
 * need no time, and one connection that keeps so many runs in flight. It copes with
 * whatever happens to the server, as the worker must, and says at the end what it saw.
 * For tests of faults, and for figures of the store alone.
 *
 * store_driver URL DEFINITION-ID STEPS IN-FLIGHT SECONDS [BATCH [MODE [QUEUE]]]
 *
 * Modes: held, the next step is held on; queued, each goes through the queue; drain, as
 * held, and at the end what is in hand is given back instead of being finished. Two
 * drivers at once need two queues: each counts its own runs only. SIGTERM ends the time
 * early. Exit code 3: the worker was declared dead.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "store/claims.h"
#include "store/finishes.h"
#include "store/runs.h"
#include "store/workers.h"

#define EXIT_DENIED    3
#define RENEW_EVERY    USEC_SECOND
#define LEASE          (60 * USEC_SECOND)
#define IN_FLIGHT_MOST 4096

struct held {
	struct uuid run;
	int number, fence;
	bool started_logged;
};

struct driver {
	struct loop *loop;
	struct pg *work, *insert;
	struct claimer *claimer;
	struct timer *tick, *renew;
	struct signal_watch *sigterm;
	struct uuid worker, definition;
	int steps, in_flight, batch;
	bool queued, drain, denied;
	const char *queue;
	usec_t begun, until, ended;

	/* runs not yet ended */
	int alive;
	struct new_step first;
	struct new_run *new_runs; /* being inserted; told again under the same ids */
	int new_count;
	bool inserting;

	/* steps in hand */
	struct held *ready;
	int ready_count;
	struct finish_item items[FINISH_BATCH_MAX];
	struct held flight[FINISH_BATCH_MAX];
	int flight_count;
	bool storing, must_check, claiming, registered, registering, leaving;
	struct step_ref *named;
	int named_count;
	long runs_done, steps_done, fenced, lost, retried, claims, flushes,
	    empty_claims;
	long errors, returned;
	usec_t run_begun, latency_sum;
};

static void turn(struct driver *driver);

static bool
is_over(const struct driver *driver)
{
	return loop_mono(driver->loop) >= driver->until;
}

/* What is not a passing fault is counted, and tried again at the next tick. */
static void
note_error(struct driver *driver, const char *what, const struct err *err)
{
	if (err->kind == ERR_DENIED) {
		driver->denied = true;
		loop_stop(driver->loop);
	} else if (err->kind != ERR_RETRY && err->kind != ERR_LOST) {
		driver->errors++;
		log_warn("driver.failed", F_STR("what", what), F_STR("why", err->text));
	}
}

/* ---- inserting ---- */
static void
on_inserted(void *context, const struct err *err)
{
	struct driver *driver = context;

	driver->inserting = false;
	/* The answer may have been lost after the commit: then they are there. */
	if (err->kind == ERR_NONE || err->kind == ERR_CONFLICT) {
		driver->alive += driver->new_count;
		for (int i = 0; i < driver->new_count; i++)
			driver->named[driver->named_count++] =
			    (struct step_ref){ driver->new_runs[i].id, 1 };
		driver->new_count = 0;
	} else {
		note_error(driver, "insert", err);
		return;
	}
	turn(driver);
}

static void
insert(struct driver *driver)
{
	int wanted = driver->in_flight - driver->alive;

	if (driver->inserting || !pg_is_up(driver->insert))
		return;
	if (driver->new_count == 0 && !is_over(driver)) {
		/* Not one by one when many are in flight. */
		if (wanted < (driver->in_flight + 3) / 4)
			return;
		if (wanted > FINISH_BATCH_MAX)
			wanted = FINISH_BATCH_MAX;
		driver->first = (struct new_step){ .key = "s",
						   .queue = driver->queue,
						   .number = 1,
						   .max_attempts = 1 };
		for (int i = 0; i < wanted; i++)
			driver->new_runs[i] = (struct new_run){
				.id = uuid7_new(loop_now(driver->loop)),
				.definition = driver->definition,
				.priority = PRIORITY_NORMAL,
				.triggered_by = "manual",
				.timeout = 3600 * USEC_SECOND,
				.steps = &driver->first,
				.steps_count = 1,
			};
		driver->new_count = wanted;
		driver->run_begun = loop_mono(driver->loop);
	}
	if (driver->new_count == 0)
		return;
	driver->inserting = true;
	runs_insert(driver->insert, driver->new_runs, (size_t)driver->new_count,
		    on_inserted, driver);
}

/* ---- claiming ---- */

static void
on_claimed(void *context, struct claimed *list, size_t count, const struct err *err)
{
	struct driver *driver = context;

	driver->claiming = false;
	if (err->kind != ERR_NONE)
		note_error(driver, "claim", err);
	driver->empty_claims += count == 0;
	for (size_t i = 0; i < count; i++)
		driver->ready[driver->ready_count++] =
		    (struct held){ list[i].run, list[i].number, list[i].fence,
				   list[i].started_before };
	if (count > 0)
		turn(driver);
}

static void
claim(struct driver *driver)
{
	static const enum priority order[] = { PRIORITY_HIGH, PRIORITY_NORMAL,
					       PRIORITY_LOW };
	int room = driver->batch - driver->ready_count - driver->flight_count;
	int named = driver->named_count < room ? driver->named_count : room;

	if (driver->claiming || room <= 0 || !pg_is_up(driver->work))
		return;
	if (named == 0 && !claimer_has_more(driver->claimer) &&
	    timer_is_set(driver->tick))
		return;
	driver->claiming = true;
	driver->claims++;
	claimer_claim(driver->claimer, driver->named, (size_t)named, room, order,
		      driver->named_count <= room, false, on_claimed, driver);
	driver->named_count -= named;
	memmove(driver->named, driver->named + named,
		(size_t)driver->named_count * sizeof *driver->named);
}

/* ---- finishing ---- */

static void
step_stored(struct driver *driver, const struct held *held,
	    const struct finish_item *item)
{
	if (!item->accepted) {
		driver->fenced++;
		return;
	}
	driver->steps_done++;
	if (item->next.key == NULL) {
		driver->runs_done++;
		driver->alive--;
		driver->latency_sum += loop_mono(driver->loop) - driver->run_begun;
	} else if (item->holds_next) {
		driver->ready[driver->ready_count++] =
		    (struct held){ held->run, item->next.number, 1, true };
	} else {
		driver->named[driver->named_count++] =
		    (struct step_ref){ held->run, item->next.number };
	}
}

static void
on_stored(void *context, const struct finish_answer *answer, const struct err *err)
{
	struct driver *driver = context;
	size_t count = answer->count;

	driver->storing = false;
	if (err->kind == ERR_LOST) {
		driver->lost++;
		driver->must_check = true;
	} else if (err->kind == ERR_RETRY) {
		driver->retried++;
	} else if (err->kind != ERR_NONE) {
		note_error(driver, "finish", err);
		return;
	} else {
		driver->must_check = false;
		driver->flight_count = 0;
		for (size_t i = 0; i < count; i++)
			step_stored(driver, &driver->flight[i], &driver->items[i]);
	}
	turn(driver);
}

static void
on_checked(void *context, const struct finish_answer *answer, const struct err *err)
{
	struct driver *driver = context;
	size_t count = answer->count;
	int kept = 0;

	driver->storing = false;
	if (err->kind != ERR_NONE) {
		note_error(driver, "check", err);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct finish_item *item = &driver->items[i];

		if (!item->accepted && item->fence >= 0) {
			driver->flight[kept] = driver->flight[i];
			driver->items[kept++] = *item;
			continue;
		}
		step_stored(driver, &driver->flight[i], item);
	}
	driver->must_check = false;
	driver->flight_count = kept;
	turn(driver);
}

static void
fill_item(struct driver *driver, const struct held *held, struct finish_item *item)
{
	bool last = held->number >= driver->steps;

	*item = (struct finish_item){
		.run = held->run,
		.number = held->number,
		.fence = held->fence,
		.say_started = !held->started_logged,
		.status = STEP_COMPLETED,
		.run_status = last ? RUN_COMPLETED : RUN_RUNNING,
	};
	if (!last)
		item->next = (struct finish_next){ .key = "s",
						   .number = held->number + 1,
						   .queue = driver->queue,
						   .max_attempts = 1,
						   .held = !driver->queued };
}

static void
finish(struct driver *driver)
{
	if (driver->storing || !pg_is_up(driver->work))
		return;
	if (driver->flight_count > 0) { /* once more, or what became of it */
		driver->storing = true;
		(driver->must_check ? finishes_check : finishes_store)(
		    driver->work, &driver->worker, driver->items,
		    (size_t)driver->flight_count,
		    driver->must_check ? on_checked : on_stored, driver);
		return;
	}
	while (driver->ready_count > 0 && driver->flight_count < FINISH_BATCH_MAX) {
		struct held *held = &driver->ready[--driver->ready_count];

		driver->flight[driver->flight_count] = *held;
		fill_item(driver, held, &driver->items[driver->flight_count++]);
	}
	if (driver->flight_count == 0)
		return;
	driver->storing = true;
	driver->flushes++;
	finishes_store(driver->work, &driver->worker, driver->items,
		       (size_t)driver->flight_count, on_stored, driver);
}

/* ---- the ring ---- */

static void
on_registered(void *context, const struct pg_rows *rows, const struct err *err)
{
	struct driver *driver = context;

	(void)rows;
	driver->registering = false;
	driver->registered = err->kind == ERR_NONE;
	turn(driver);
}

static void
enlist(struct driver *driver)
{
	struct worker_row row = { .id = driver->worker,
				  .node = driver->worker,
				  .pid = getpid(),
				  .slots = driver->batch,
				  .version = "test",
				  .queues = &driver->queue,
				  .queues_count = 1,
				  .lease = LEASE };

	if (driver->registering || !pg_is_up(driver->work))
		return;
	driver->registering = true;
	workers_register(driver->work, &row, on_registered, driver);
}

static void
on_left(void *context, const struct ready_ref *refs, size_t count,
	const struct err *err)
{
	struct driver *driver = context;

	(void)refs;
	if (err->kind == ERR_RETRY || err->kind == ERR_LOST) {
		driver->leaving = false;
		return;
	}
	if (err->kind != ERR_NONE)
		note_error(driver, "leave", err);
	driver->returned += (long)count;
	loop_stop(driver->loop);
}

static void
on_handed_back(void *context, const struct ready_ref *refs, size_t count,
	       const struct err *err)
{
	struct driver *driver = context;

	(void)refs;
	if (err->kind != ERR_NONE)
		note_error(driver, "hand back", err);
	driver->returned += (long)count;
}

/* One by one what is in hand; what a claim under way brings is left to the leaving. */
static void
hand_back(struct driver *driver)
{
	while (driver->ready_count > 0) {
		struct held *held = &driver->ready[--driver->ready_count];
		struct held_ref ref = { held->run, held->number, held->fence };

		workers_hand_back(driver->work, &driver->worker, &ref, 1,
				  on_handed_back, driver);
	}
}

static void
leave(struct driver *driver)
{
	if (driver->leaving || !pg_is_up(driver->work))
		return;
	if (driver->ended == 0)
		driver->ended = loop_mono(driver->loop);
	driver->leaving = true;
	hand_back(driver);
	workers_leave(driver->work, &driver->worker, on_left, driver);
}

static bool
is_at_end(const struct driver *driver)
{
	if (!is_over(driver) || driver->storing || driver->inserting)
		return false;
	return driver->drain || (driver->alive == 0 && driver->new_count == 0);
}
static void
turn(struct driver *driver)
{
	if (!driver->registered) {
		enlist(driver);
		return;
	}
	if (is_at_end(driver)) {
		leave(driver);
		return;
	}
	finish(driver);
	insert(driver);
	claim(driver);
}

static void
on_tick(void *context)
{
	struct driver *driver = context;

	turn(driver);
	timer_set(driver->tick, 50 * USEC_MS);
}

static void
on_state(void *context, bool up)
{
	if (up)
		turn(context);
}

static void
on_renewed(void *context, const int *lost, size_t count, const struct err *err)
{
	struct driver *driver = context;

	if (err->kind == ERR_NONE && count > 0)
		bug("%zu held steps are held no more, the first is %d", count, lost[0]);
	timer_set(driver->renew, RENEW_EVERY);
}

static void
on_renew(void *context)
{
	struct driver *driver = context;
	struct held_ref refs[FINISH_BATCH_MAX];
	int count = 0;

	for (; count < driver->ready_count && count < FINISH_BATCH_MAX; count++)
		refs[count] = (struct held_ref){ driver->ready[count].run,
						 driver->ready[count].number,
						 driver->ready[count].fence };
	workers_renew(driver->work, &driver->worker, LEASE, count, refs, (size_t)count,
		      on_renewed, driver);
}

static void
on_sigterm(void *context)
{
	struct driver *driver = context;

	driver->until = loop_mono(driver->loop);
	turn(driver);
}

static void
report(const struct driver *driver)
{
	double seconds = (double)(driver->ended - driver->begun) / 1e6;
	const struct pg_stats *stats = pg_stats(driver->work);

	printf("{\"runs\": %ld, \"steps\": %ld, \"seconds\": %.3f,"
	       " \"steps_per_s\": %.0f, \"runs_per_s\": %.0f, \"ms_per_run\": %.3f,",
	       driver->runs_done, driver->steps_done, seconds,
	       (double)driver->steps_done / seconds,
	       (double)driver->runs_done / seconds,
	       (double)driver->latency_sum / 1e3 / (double)(driver->runs_done + 1));
	printf(" \"flushes\": %ld, \"claims\": %ld, \"empty_claims\": %ld,"
	       " \"fenced\": %ld, \"lost\": %ld, \"retried\": %ld, \"errors\": %ld,",
	       driver->flushes, driver->claims, driver->empty_claims, driver->fenced,
	       driver->lost, driver->retried, driver->errors);
	printf(" \"returned\": %ld, \"reconnects\": %llu, \"round_trips\": %llu}\n",
	       driver->returned, (unsigned long long)stats->reconnects,
	       (unsigned long long)stats->round_trips);
}

static int
read_arguments(struct driver *driver, int argc, char **argv)
{
	if (argc < 6 || !uuid_parse(argv[2], strlen(argv[2]), &driver->definition))
		return -1;
	driver->steps = atoi(argv[3]);
	driver->in_flight = atoi(argv[4]);
	driver->until = loop_mono(driver->loop) + atoi(argv[5]) * USEC_SECOND;
	driver->batch = argc > 6 ? atoi(argv[6]) : FINISH_BATCH_MAX;
	driver->queued = argc > 7 && strcmp(argv[7], "queued") == 0;
	driver->drain = argc > 7 && strcmp(argv[7], "drain") == 0;
	driver->queue = argc > 8 ? argv[8] : "default";
	return driver->steps > 0 && driver->in_flight > 0 &&
		       driver->in_flight <= IN_FLIGHT_MOST && driver->batch > 0 &&
		       driver->batch <= FINISH_BATCH_MAX
		   ? 0
		   : -1;
}

int
main(int argc, char **argv)
{
	struct driver driver = { 0 };
	struct pg_conf conf = { .application = "store_driver",
				.statement_timeout = 5 * USEC_SECOND,
				.hot = true,
				.on_state = on_state,
				.context = &driver };
	struct err err = { 0 };
	const char *timeout = getenv("STATEMENT_TIMEOUT_MS");

	log_open("store_driver", LOG_INFO, LOG_JSON);
	driver.loop = loop_new(&err);
	if (driver.loop == NULL || read_arguments(&driver, argc, argv) < 0) {
		fprintf(stderr, "usage: store_driver URL DEFINITION-ID STEPS IN-FLIGHT"
				" SECONDS [BATCH [MODE [QUEUE]]]\n");
		return EXIT_FAILURE;
	}
	if (timeout != NULL)
		conf.statement_timeout = atoi(timeout) * USEC_MS;
	driver.begun = loop_mono(driver.loop);
	driver.worker = uuid7_new(loop_now(driver.loop));
	driver.new_runs = xcalloc(FINISH_BATCH_MAX, sizeof *driver.new_runs);
	driver.named = xcalloc(IN_FLIGHT_MOST * 2, sizeof *driver.named);
	driver.ready = xcalloc(IN_FLIGHT_MOST * 2, sizeof *driver.ready);
	conf.url = argv[1];
	driver.tick = timer_new(driver.loop, on_tick, &driver);
	driver.sigterm = signal_watch_new(driver.loop, SIGTERM, on_sigterm, &driver);
	driver.renew = timer_new(driver.loop, on_renew, &driver);
	driver.work = pg_new(driver.loop, &conf, &err);
	driver.insert = pg_new(driver.loop, &conf, &err);
	if (driver.work == NULL || driver.insert == NULL)
		bug("%s", err.text);
	driver.claimer =
	    claimer_new(driver.work, driver.loop, &driver.worker, &driver.queue, 1);
	timer_set(driver.tick, 0);
	timer_set(driver.renew, RENEW_EVERY);
	loop_run(driver.loop);
	report(&driver);
	claimer_free(&driver.claimer);
	pg_free(&driver.work);
	pg_free(&driver.insert);
	timer_free(&driver.tick);
	timer_free(&driver.renew);
	signal_watch_free(&driver.sigterm);
	loop_free(&driver.loop);
	free(driver.new_runs);
	free(driver.named);
	free(driver.ready);
	return driver.denied ? EXIT_DENIED : EXIT_SUCCESS;
}
